"""The audio that was sent to the client, until it has sounded, at any rate; read at the microphone's pace.

It is interpolated where it is read, with a windowed sinc that also keeps out what 16 kHz cannot hold: so a clock that
drifts costs nothing more, and no resampler holds samples back at a turn's end (J. O. Smith, Digital Audio Resampling,
https://ccrma.stanford.edu/~jos/resample/).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.sounding import Span

KEPT_S: Final = 20.0
"""Audio of a turn that is kept at most: the client plays what it gets at once, and is sent little ahead of that."""
_TURNS: Final = 3
_BEHIND_S: Final = 0.6
"""What is kept of what has sounded: it may turn out to sound later than was said."""

_HALF: Final = 12
"""Zero crossings of the sinc on either side."""
_PHASES: Final = 256
_CUTOFF: Final = 0.92
"""Of half the lower rate; the sinc's flank lies above it."""
_KAISER: Final = 7.0

Signal = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Turn:
    number: int
    rate: int
    first: int = 0
    """Number of the oldest sample that is kept."""
    pcm: bytearray = field(default_factory=bytearray)

    @property
    def end(self) -> int:
        return self.first + len(self.pcm) // BYTES_PER_SAMPLE

    def drop_before(self, sample: int) -> None:
        """Keep nothing before ``sample``."""
        dropped = min(max(sample, self.first), self.end) - self.first
        del self.pcm[: dropped * BYTES_PER_SAMPLE]
        self.first += dropped


class SentAudio:
    """What the last turns sent. It holds at most `KEPT_S` of each."""

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque(maxlen=_TURNS)

    @property
    def bytes_held(self) -> int:
        """How much memory its audio takes."""
        return sum(len(turn.pcm) for turn in self._turns)

    def rate(self, turn: int) -> int | None:
        """Return at how many Hz ``turn`` sounds; None if nothing of it is known."""
        found = self._find(turn)
        return None if found is None else found.rate

    def add(self, turn: int, first_sample: int, pcm: bytes, rate: int) -> None:
        """Take s16le mono ``pcm`` of ``turn``, from its ``first_sample`` on, in place of what was there before."""
        found = self._find(turn)
        if found is None or found.rate != rate or not found.first <= first_sample <= found.end:
            if found is not None:
                self._turns.remove(found)
            found = _Turn(turn, rate, first_sample)
            self._turns.append(found)
        del found.pcm[(first_sample - found.first) * BYTES_PER_SAMPLE :]
        found.pcm += pcm
        found.drop_before(found.end - round(KEPT_S * rate))

    def read(self, span: Span) -> Signal:
        """Return what sounded during ``span``, at 16 kHz and s16's scale: silence where nothing is known.

        What lies well before it is forgotten.
        """
        found = None if span.turn is None else self._find(span.turn)
        if found is None:
            return np.zeros(span.samples, np.float32)
        table, half = _sinc(found.rate)
        places = (span.second + span.step * np.arange(span.samples)) * found.rate
        whole = np.floor(places).astype(np.int64)
        low, high = int(whole[0]) - half + 1, int(whole[-1]) + half + 1
        sound = self._cut(found, low, high)
        phases = np.rint((places - whole) * _PHASES).astype(np.intp)
        windows = np.lib.stride_tricks.sliding_window_view(sound, 2 * half)[whole - whole[0]]
        found.drop_before(low - round(_BEHIND_S * found.rate))
        read: Signal = np.einsum("ij,ij->i", windows, table[phases])
        return read

    def _cut(self, turn: _Turn, low: int, high: int) -> Signal:
        """Return samples [low, high) of ``turn``, silent where they are not known."""
        sound = np.zeros(high - low, np.float32)
        start, end = max(low, turn.first), min(high, turn.end)
        if start < end:
            known = np.frombuffer(turn.pcm, "<i2", end - start, (start - turn.first) * BYTES_PER_SAMPLE)
            sound[start - low : end - low] = known
            del known  # a view of it would keep the bytearray from shrinking
        return sound

    def _find(self, turn: int) -> _Turn | None:
        return next((one for one in self._turns if one.number == turn), None)


@cache
def _sinc(rate: int) -> tuple[Signal, int]:
    """Return the weights of the samples around a place, by its phase, and how many of them are on either side."""
    lower = min(1.0, SAMPLE_RATE / rate) * _CUTOFF
    half = int(np.ceil(_HALF / lower))
    phases = np.arange(_PHASES + 1)[:, None] / _PHASES
    away = np.arange(-half + 1, half + 1)[None, :] - phases
    shape = np.i0(_KAISER * np.sqrt(np.clip(1 - (away / half) ** 2, 0, None))) / np.i0(_KAISER)
    return (lower * np.sinc(lower * away) * shape).astype(np.float32), half
