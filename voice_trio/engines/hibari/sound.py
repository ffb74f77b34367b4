"""Speech as it leaves the voice: as loud as the others, without clipping, its silences cut to size.

hibari's samples are floats that now and then pass full scale once they are as loud as espeak's; what would is bent, not
cut. It leaves 200 ms of near silence before the first sound, 300 at a comma and 200 behind the last. A reply is spoken
phrase by phrase, so a pause inside a sentence is kept short wherever it falls, and one after a sentence natural.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

RATE: Final = 24_000
GAIN: Final = 1.62
"""Makes it as loud as the other voices (4.2 dB): speech at -20 dB of full scale, pauses not counted."""
BENT: Final = 0.8
"""Where full scale is 1.0, samples above this are bent so that none reaches it."""

STEP: Final = RATE * 5 // 1000
QUIET: Final = 0.01
"""A step of 5 ms with no sample above this is silence: 40 dB under full scale."""
HEAD: Final = RATE * 10 // 1000
TAIL: Final = RATE * 30 // 1000
PAUSE: Final = RATE * 60 // 1000
"""Samples of silence kept before the first sound, after the last, and inside a sentence. Head and tail make a seam of
40 ms."""
SENTENCE: Final = RATE * 200 // 1000
"""Silence kept after a sentence."""
FADE: Final = RATE * 4 // 1000
"""Over which the sound rises from nothing, falls to it, and passes over a cut."""


class Cut(NamedTuple):
    """Samples [start, end) that are left out."""

    start: int
    end: int


def levelled(wave: Any) -> Any:
    """Return ``wave``, floats, as loud as the other voices, with no sample at full scale."""
    loud = wave * np.float32(GAIN)
    size = np.abs(loud)
    above = size > BENT
    room = 1.0 - 1.0 / 32768 - BENT
    loud[above] = np.sign(loud[above]) * (BENT + room * np.tanh((size[above] - BENT) / room))
    return loud


def cuts(wave: Any) -> list[Cut]:
    """Return what of a sentence's ``wave``, levelled, is silence too much; all of it where there is no sound."""
    whole = len(wave) // STEP
    peaks = np.abs(wave[: whole * STEP]).reshape(whole, STEP).max(axis=1, initial=0.0)
    (sounding,) = np.nonzero(peaks > QUIET)
    if not len(sounding):
        return [Cut(0, len(wave))]
    found = [Cut(0, max(0, int(sounding[0]) * STEP - HEAD))]
    for before, after in pairwise(sounding):
        start, end = (int(before) + 1) * STEP, int(after) * STEP
        if end - start > PAUSE:
            # The sound before dies away in the pause; the one after begins in it.
            found.append(Cut(start + PAUSE - HEAD, end - HEAD))
    found.append(Cut(min(len(wave), (int(sounding[-1]) + 1) * STEP + TAIL), len(wave)))
    return [cut for cut in found if cut.start < cut.end]


def without(wave: Any, left_out: list[Cut]) -> Any:
    """Return ``wave`` without what is ``left_out``, passing over each cut without a click."""
    kept, at = [], 0
    for cut in left_out:
        kept.append(wave[at : cut.start])
        at = cut.end
    kept.append(wave[at:])
    pieces = [piece.copy() for piece in kept if len(piece)]
    for piece in pieces:
        ramp = np.linspace(0.0, 1.0, min(FADE, len(piece)), dtype=np.float32)
        piece[: len(ramp)] *= ramp
        piece[-len(ramp) :] *= ramp[::-1]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def moved(sample: int, left_out: list[Cut]) -> int:
    """Return where ``sample`` is once the cuts are made."""
    return sample - sum(max(0, min(sample, cut.end) - cut.start) for cut in left_out)


def pcm(wave: Any) -> bytes:
    """Return s16le samples."""
    encoded: bytes = np.rint(wave * 32767).astype("<i2").tobytes()
    return encoded
