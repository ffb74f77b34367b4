"""Where in a channel of a recording something is to be heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tests.noise import Signal
from voice_trio.core.audio import SAMPLE_RATE

WINDOW_S = 0.005
AUDIBLE_DB = -50.0
"""Of full scale, RMS of a window: what a person in a quiet room hears of a loudspeaker."""
VOICED_DB = -45.0
"""A little more: the recordings of people have a room of their own."""


class Stretch(NamedTuple):
    """A time in which something is heard, in s."""

    begin_s: float
    end_s: float


def stretches(channel: Signal, loud_db: float) -> list[Stretch]:
    """Return every stretch of ``channel`` whose windows are all louder than that."""
    size = round(WINDOW_S * SAMPLE_RATE)
    padded = np.pad(channel, (0, -len(channel) % size)).reshape(-1, size)
    loud = np.sqrt(np.mean(np.square(padded), axis=1)) > 10 ** (loud_db / 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
    return [Stretch(float(begin) * WINDOW_S, float(end) * WINDOW_S) for begin, end in edges.reshape(-1, 2)]


def joined(found: Sequence[Stretch], gap_s: float) -> list[Stretch]:
    """Return ``found`` with those in one that are less than ``gap_s`` apart."""
    whole: list[Stretch] = []
    for one in found:
        if whole and one.begin_s - whole[-1].end_s < gap_s:
            whole[-1] = Stretch(whole[-1].begin_s, one.end_s)
        else:
            whole.append(one)
    return whole


def covering(found: Sequence[Stretch], at_s: float) -> Stretch | None:
    """Return the stretch in which that moment lies; None where nothing is heard."""
    return next((one for one in found if one.begin_s <= at_s < one.end_s), None)
