"""The sound file that ``talk`` asks with: of any form that FFmpeg reads, decoded where uploads are."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.errors import Refused
from voice_trio.engines.base import EngineError
from voice_trio.engines.media import ANY, open_media
from voice_trio.sound_file import NotAudio
from voice_trio.workers.main import MAX_BODY

LONGEST_MS: Final = 600_000
"""Of a file, what is used. The decoder may compute for some seconds, and needs two of them for so much Opus."""


class Recording(NamedTuple):
    """A file's sound."""

    path: Path
    pcm: bytes
    """16 kHz s16le mono."""
    cut: bool
    """Whether the file goes on behind it."""


def seconds(pcm_bytes: int) -> float:
    """Return how long so many bytes of 16 kHz s16le mono sound, in s."""
    return pcm_bytes / BYTES_PER_SAMPLE / SAMPLE_RATE


async def read_recording(path: Path) -> Recording:
    """Return the sound of the file at ``path``, `LONGEST_MS` of it at most. Raises `NotAudio`."""
    data = await trio.to_thread.run_sync(_bytes_of, path)
    try:
        async with open_media(at_once=1) as decoder:
            sound = await decoder.decode(data, ANY, longest_ms=LONGEST_MS)
    except (Refused, EngineError) as error:
        why = error.message
        raise NotAudio(f"{path} cannot be read as sound: {why[:1].lower()}{why[1:]}") from error
    return Recording(path, sound.pcm, sound.cut)


def _bytes_of(path: Path) -> bytes:
    """Return what is in the file. Raises `NotAudio`."""
    if path.is_dir():
        raise NotAudio(f"{path} is a folder, and no sound file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BODY + 1)
    except FileNotFoundError:
        raise NotAudio(f"There is no file {path}.") from None
    except OSError as error:
        raise NotAudio(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data:
        raise NotAudio(f"{path} is empty.")
    if len(data) > MAX_BODY:
        raise NotAudio(f"{path} is larger than {MAX_BODY >> 20} MiB; cut it, or save its sound alone.")
    return data
