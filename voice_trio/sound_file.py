"""Recordings on disk: any that libsndfile reads in, WAV out."""

from __future__ import annotations

import errno
import os
import wave
from pathlib import Path

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.errors import Mendable


class NotAudio(Mendable):
    """The file cannot be used as a recording; the message says why."""


class CannotWrite(Mendable):
    """The recording cannot be written; the message says where and why."""


def read(path: Path) -> bytes:
    """Return the recording at ``path``, of any rate and number of channels, as 16 kHz mono s16le.

    Raises `NotAudio`.
    """
    import numpy as np
    import soundfile
    import soxr

    if not path.is_file():
        raise NotAudio(f"There is no file {path}.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise NotAudio(f"{path} is not a recording that can be read: {_reason(error)}") from error
    if not len(samples):
        raise NotAudio(f"{path} holds no sound.")
    mono = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE)
    pcm: bytes = (np.clip(mono, -1.0, 1.0) * 32767).round().astype("<i2").tobytes()
    return pcm


def write(path: Path, pcm: bytes, sample_rate: int) -> None:
    """Write s16le mono ``pcm`` as a WAV. Raises `CannotWrite`."""
    try:
        # Opened here and not by `wave`, which on a failed opening leaves a writer that complains when it is collected.
        with path.open("wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(BYTES_PER_SAMPLE)
            file.setframerate(sample_rate)
            file.writeframes(pcm)
    except OSError as error:
        raise CannotWrite(f"The reply cannot be written to {path}: {error.strerror or error}.") from error


def check_writable(path: Path) -> None:
    """Look whether `write` could write ``path``, and leave it as it is. Raises `CannotWrite`."""
    written = path if path.exists() else path.parent
    if not written.exists():
        raise CannotWrite(f"The reply cannot be written to {path}: there is no folder {path.parent}.")
    if not os.access(written, os.W_OK):
        raise CannotWrite(f"The reply cannot be written to {path}: {os.strerror(errno.EACCES)}.")


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).rstrip(".") + "."
