"""Files in which several recordings stand one behind the other, as `cat` makes them.

FFmpeg reads all of such a file where the container is a stream (Ogg, WebM, MP3, FLAC, AAC). A WAV and an MP4 say how
long they are, and it stops there: what follows would be lost without a word.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

MOST_PIECES: Final = 200
"""Each of them has a reader of its own, which a few bytes could ask for."""

_WAVE: Final = re.compile(rb"(?:RIFF|RIFX|RF64|BW64).{4}WAVE", re.DOTALL)
"""How a WAV begins. Wherever that stands, another one begins: its length may be wrong where it was not known when the
first bytes were written, and that sound has these bytes by chance is one case in 10 to the 16th for each sample."""


def pieces_of(data: bytes) -> list[bytes]:
    """Return the recordings that ``data`` consists of: one, where FFmpeg reads all of it.

    At most `MOST_PIECES` and one more are returned.
    """
    if _WAVE.match(data):
        starts = _wave_starts(data)
    elif data[4:8] == b"ftyp":
        starts = _mp4_starts(data)
    else:
        return [data]
    cuts = [*starts, len(data)]
    return [data[begin:end] for begin, end in pairwise(cuts)]


def _wave_starts(data: bytes) -> list[int]:
    starts: list[int] = []
    for found in _WAVE.finditer(data):
        starts.append(found.start())
        if len(starts) > MOST_PIECES:
            break
    return starts


def _mp4_starts(data: bytes) -> list[int]:
    """Return where a box `ftyp` stands at the top level, with which an MP4 begins (ISO/IEC 14496-12, 4.3)."""
    starts: list[int] = []
    at = 0
    while at + 8 <= len(data) and len(starts) <= MOST_PIECES:
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"ftyp":
            starts.append(at)
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            # 0 is the last box, which goes on to the end; anything else is no box.
            break
        at += size
    return starts
