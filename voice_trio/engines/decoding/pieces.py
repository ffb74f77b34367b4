"""An utterance that is longer than one decode can take, in pieces cut where it is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from voice_trio.core.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np

_STEP = SAMPLE_RATE // 10
_SEARCHED = 1 / 3
"""Of the longest piece, from its end backward."""


def pieces(audio: np.ndarray, most_s: float) -> Iterator[np.ndarray]:
    """Yield ``audio`` (float32, 16 kHz) in pieces of at most ``most_s`` seconds, each cut at the quietest tenth of a
    second in the last third of what it may have.

    All but the last are the same however long ``audio`` gets.
    """
    most = round(most_s * SAMPLE_RATE)
    while len(audio) > most:
        first = most - round(most * _SEARCHED)
        steps = audio[first : first + (most - first) // _STEP * _STEP].reshape(-1, _STEP)
        cut = first + int((steps**2).mean(axis=1).argmin()) * _STEP + _STEP // 2
        yield audio[:cut]
        audio = audio[cut:]
    yield audio


def floats(pcm: bytes) -> np.ndarray:
    """Return s16le ``pcm`` as float32 between -1 and 1, as models take it."""
    import numpy as np

    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
