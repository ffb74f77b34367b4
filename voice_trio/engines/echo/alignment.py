"""Where in the microphone's sound the echo of the reference lies, and whether that place moved.

The client's reports can be wrong: a device that drops a buffer tells nobody. Then the echo comes earlier or later than
it used to, and AEC3 takes seconds to notice. The place is the highest peak of the generalised cross-correlation (C. H.
Knapp, G. C. Carter, The generalized correlation method for estimation of time delay, 1976), partly whitened, of the
last `WINDOW` of the microphone. A peak counts that stands out; a person who speaks drowns it, and nothing is said. That
it moved is said of one that is as high as ever, and has left nothing behind.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples
from voice_trio.engines.echo.sent import Signal

WINDOW: Final = ms_to_samples(480)
EARLIEST: Final = -ms_to_samples(100)
LATEST: Final = ms_to_samples(520)
"""Lags of the echo behind the reference that are looked at."""
EVERY: Final = ms_to_samples(120)
MOVED: Final = ms_to_samples(4)
"""Less is left to AEC3, which follows it."""
_SAME: Final = ms_to_samples(1)
_SURE: Final = 3
"""So many times in a row an echo that moved is seen in one place: two windows share most of what is in them, and so the
chance by which a voice resembles the reply."""

_SIZE: Final = 18_000
"""Of the transform: holds window and lags without wrapping, and has small factors."""
_REFERENCE: Final = WINDOW + LATEST - EARLIEST
_BAND_HZ: Final = 200, 4_000
_WHITENING: Final = 0.8
_STANDS_OUT: Final = 12.0
"""Times the mean height around it."""
_HAS_LEFT: Final = 4.0
_AS_USUAL: Final = 0.5
"""An echo that moved has left the place where it was: it stands so many times as high as what is there, and half as
high as it used to at least. Reflections in a room, or a voice like the reply's, do not."""
_RISES: Final = 0.2
_FALLS: Final = 0.05
"""What part of a greater and of a smaller height goes into the usual one."""
_QUIET_RMS: Final = 30.0
"""Of s16: a reference below this has no echo worth looking for."""


class Alignment:
    """One session's. Give it what the canceller hears and what it takes for sounding, in step."""

    def __init__(self) -> None:
        self.lag: int | None = None
        """Samples from the reference to its echo, as first found; None before."""
        self._heard = np.zeros(WINDOW - EARLIEST, np.float32)
        self._reference = np.zeros(_REFERENCE, np.float32)
        self._since = 0
        self._sounded = 0
        """Samples of the reference so far that were loud enough to be heard."""
        self._usual = 0.0
        """How high an echo stands, times the mean height around it."""
        self._seen: int | None = None
        self._times = 0
        """How often it was seen there, in a row."""

    @property
    def is_new(self) -> bool:
        """Whether so little has sounded that no echo need have come yet, or only just."""
        return self._sounded < WINDOW + LATEST

    def push(self, heard: Signal, reference: Signal) -> int | None:
        """Take the next samples of both. Return by how many samples the echo is later than it was, once that is sure.

        Returns 0 where it may have moved, and None where all is as it was or nothing can be told.
        """
        self._heard = np.concatenate([self._heard[len(heard) :], heard])
        self._reference = np.concatenate([self._reference[len(reference) :], reference])
        self._since += len(heard)
        if self._since < EVERY:
            return None
        self._since = 0
        self._sounded += EVERY * _is_loud(self._reference[-EVERY:])
        seen, before = self._find(), self._seen
        self._seen = seen
        self._times = self._times + 1 if seen is not None and before is not None and abs(seen - before) <= _SAME else 1
        if seen is None:
            return None
        if self.lag is None:
            # The latest echo may not have come before: what stood out until then would be chance, and kept for good.
            self.lag = seen if self._times > 1 and not self.is_new else None
            return None
        moved = self._moved_by(seen)
        if not moved:
            return None
        return moved if self._times >= _SURE else 0

    def moved(self, samples: int) -> None:
        """Say that the reference was shifted: it comes ``samples`` later from now on."""
        self._reference = np.roll(self._reference, samples)
        self._reference[: max(0, samples)] = 0.0
        self._reference[len(self._reference) + min(0, samples) :] = 0.0
        self._seen = None

    def _moved_by(self, seen: int) -> int:
        """Return how far from where it was ``seen`` is; 0 where that is not known yet, or is less than `MOVED`."""
        moved = 0 if self.lag is None else seen - self.lag
        return moved if abs(moved) >= MOVED else 0

    def _find(self) -> int | None:
        """Return the lag of the echo in the last window, counted for the usual height; None if none is credible."""
        reference = self._reference
        # Where the reply was just cut off, what is left of it in the window is short enough to resemble the voice that
        # cut it off, and its echo seems to have moved by half a second.
        if not (_is_loud(reference[-WINDOW:]) and _is_loud(reference[-EVERY:])):
            return None
        # The window begins LATEST samples after the reference, so at index k of the correlation it is LATEST - k late.
        cross = np.conj(np.fft.rfft(self._heard[:WINDOW], _SIZE)) * np.fft.rfft(reference, _SIZE)
        cross[: _BAND_HZ[0] * _SIZE // SAMPLE_RATE] = 0
        cross[_BAND_HZ[1] * _SIZE // SAMPLE_RATE :] = 0
        cross /= np.maximum(np.abs(cross), 1e-9) ** _WHITENING
        heights = np.abs(np.fft.irfft(cross, _SIZE)[: LATEST - EARLIEST + 1])
        best, mean = int(np.argmax(heights)), np.mean(heights)
        if heights[best] <= _STANDS_OUT * mean:
            return None
        seen, height = LATEST - best, float(heights[best] / mean)
        self._usual += (_RISES if height > self._usual else _FALLS) * (height - self._usual)
        moved = self._moved_by(seen)
        if not moved:
            return seen
        was = max(0, best + moved - _SAME)
        has_left = heights[best] > _HAS_LEFT * np.max(heights[was : was + 2 * _SAME + 1])
        return seen if has_left and height > _AS_USUAL * self._usual else None


def _is_loud(reference: Signal) -> bool:
    return bool(np.sqrt(np.mean(reference**2)) >= _QUIET_RMS)
