"""Moonshine's weights: where an installed package has them, and whether they are the ones that are known.

``moonshine-voice`` 0.0.49 carries the model "tiny-en" in its wheel; later versions fetch their models from a network.
Of that package nothing but these files is used, and none of its code is imported.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGE: Final = "moonshine-voice==0.0.49"

ENCODER: Final = "encoder_model.ort"
DECODER: Final = "decoder_model_merged.ort"
TOKENS: Final = "tokenizer.bin"

_SHA256: Final = {
    ENCODER: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    DECODER: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    TOKENS: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}


class NoWeights(Exception):
    """They cannot be used here; the message says why and what to do, as the end of a sentence."""


def find() -> Path:
    """Return the folder with the weights, whole. Raises `NoWeights`. Reads them all, the first time: about 0.1 s."""
    spec = find_spec("moonshine_voice")
    if spec is None or spec.origin is None:
        raise NoWeights(
            f"its weights are not installed: they come with {PACKAGE}, which there is for Linux on x86-64 with glibc "
            "2.34 or newer"
        )
    folder = Path(spec.origin).parent / "assets" / "tiny-en"
    _check(folder)
    return folder


@cache
def _check(folder: Path) -> None:
    for name, known in _SHA256.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise NoWeights(
                f"{name} of the installed moonshine-voice cannot be read ({error.strerror}): {_AGAIN}"
            ) from error
        if found != known:
            raise NoWeights(f"{name} of the installed moonshine-voice is damaged or of another version: {_AGAIN}")


_AGAIN = f"pip install --force-reinstall --no-deps {PACKAGE}"
