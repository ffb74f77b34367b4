"""What the name of a Whisper model means: a known size and how it computes, or a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from voice_trio.core.errors import Mendable

REPOSITORIES = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
"""Size to repository, as faster-whisper has them. Repeated here because importing faster-whisper takes 0.4 s."""

LICENCE = "MIT"
"""Of all of them."""

MEGABYTES = {
    "tiny.en": 76,
    "tiny": 76,
    "base.en": 146,
    "base": 146,
    "small.en": 484,
    "small": 484,
    "medium.en": 1528,
    "medium": 1528,
    "large-v1": 3088,
    "large-v2": 3088,
    "large-v3": 3088,
    "large-v3-turbo": 1619,
    "distil-small.en": 333,
    "distil-medium.en": 789,
    "distil-large-v2": 1514,
    "distil-large-v3": 1514,
    "distil-large-v3.5": 1514,
}
"""Size to what is fetched for it, about: two bytes for each of its numbers."""

COMPUTE_TYPES = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
)
"""What CTranslate2 computes in. The weights are stored in one type and converted to this one when they are loaded."""


class ModelError(Mendable):
    """A model cannot be used or fetched; the message is one sentence for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """What STREAM_MODEL_WHISPER asks for: a known size, or a folder."""

    compute_type: str
    """As CTranslate2 has it; ``default`` keeps what the weights are stored in."""
    size: str | None = None
    folder: Path | None = None


def parse(name: str) -> ModelName:
    """Return what ``name`` means: ``small-int8``, ``large-v3-float16``, the path of a folder, or ``FOLDER:int8``.

    A folder is a name with a path separator in it, or one that exists. Raises `ModelError` for anything unknown.
    """
    if os.path.isdir(name):
        return ModelName("default", folder=Path(name))
    folder, _, computed = name.rpartition(":")
    if folder and (os.sep in folder or folder.startswith("~") or os.path.isdir(folder)):
        if computed not in COMPUTE_TYPES and not os.path.isdir(os.path.expanduser(name)):
            raise ModelError(
                f"Whisper model {name!r} has an unknown compute type {computed!r}: "
                f"use one of {', '.join(COMPUTE_TYPES)}"
            )
        if computed in COMPUTE_TYPES:
            return ModelName(computed, folder=Path(os.path.expanduser(folder)))
    if os.sep in name or name.startswith("~"):
        return ModelName("default", folder=Path(os.path.expanduser(name)))
    if name in REPOSITORIES:
        raise ModelError(f"Whisper model {name!r} names no compute type: try {name}-int8")
    size, _, compute_type = name.rpartition("-")
    if size not in REPOSITORIES:
        raise ModelError(
            f"Whisper model {name!r} is unknown: give a size and a compute type such as small-int8 "
            f"(sizes: {', '.join(REPOSITORIES)}), or the path of a folder with a model in it"
        )
    if compute_type not in COMPUTE_TYPES:
        raise ModelError(
            f"Whisper model {name!r} has an unknown compute type {compute_type!r}: "
            f"use one of {', '.join(COMPUTE_TYPES)}"
        )
    return ModelName(compute_type, size=size)
