"""The models that are measured: Whisper's small shape with random weights, and the tiny trained one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tools.make_shape_model import SHAPES, make
from voice_trio import config
from voice_trio.config import Settings
from voice_trio.engines.whisper.decode import WhisperDecoder
from voice_trio.engines.whisper.loading import load

TINY = Path(__file__).parents[2] / "tests" / "tiny_whisper" / "model"


def shape(name: str) -> Path:
    """Return a folder with a model of that shape, made once a day or so: small takes 10 s and 245 MB."""
    folder = Path(tempfile.gettempdir()) / f"voice_trio-{name}-shape"
    if not (folder / "README.md").exists():
        make(SHAPES[name], folder)
    return folder


def settings(folder: Path, **changes: object) -> Settings:
    """Return the settings for a model in ``folder``."""
    return config.load(model_whisper=str(folder), asr_engine="faster-whisper", memory="off", **changes)


def decoder(folder: Path, **changes: object) -> WhisperDecoder:
    """Return a decoder over the model in ``folder``."""
    return load(settings(folder, **changes)).decoder
