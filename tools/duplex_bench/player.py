"""A loudspeaker on the clock of a recording: sound is heard when a player would sound it, and not before it came.

Sound of one reply follows on itself without a gap as long as it comes in time. A hold stops it in mid-word; a release
goes on from any sample; what is dropped is never heard. Samples are of the recording, at 16 kHz, unless said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.noise import Signal
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE

_BLOCK = 320
"""20 ms: whole samples at any rate that is a multiple of 50 Hz."""
_AROUND = 2 * _BLOCK
"""What a resampler is given beyond what is asked for, on either side."""


class _Reply:
    """All sound of a turn that has come so far."""

    def __init__(self, rate: int) -> None:
        if rate % (SAMPLE_RATE // _BLOCK):
            raise ValueError(f"a rate of {rate} Hz is no multiple of {SAMPLE_RATE // _BLOCK}")
        self.rate = rate
        self._pcm = bytearray()

    def __len__(self) -> int:
        return len(self._pcm) // BYTES_PER_SAMPLE

    def add(self, first_sample: int, pcm: bytes) -> None:
        at = first_sample * BYTES_PER_SAMPLE
        self._pcm += bytes(max(0, at - len(self._pcm)))
        self._pcm[at : at + len(pcm)] = pcm

    def sound(self, source: int, begin: int, end: int) -> Signal:
        """Return samples ``begin`` to ``end``, counted from where ``source``, of our own rate, is heard."""
        import soxr

        first = max(0, begin - _AROUND) // _BLOCK * _BLOCK
        around = (source + at * self.rate // SAMPLE_RATE for at in (first, end + _AROUND))
        given = np.frombuffer(bytes(self._pcm[slice(*(BYTES_PER_SAMPLE * at for at in around))]), "<i2") / 32768
        resampled: Signal = soxr.resample(given, self.rate, SAMPLE_RATE)[begin - first : end - first]
        return np.pad(resampled, (0, end - begin - len(resampled)))


@dataclass(slots=True)
class Run:
    """A stretch of a reply that is heard without a gap."""

    turn: int
    source: int
    """Which sample of the turn's sound, at its own rate, comes first."""
    begin: int
    _reply: _Reply
    _ended: int | None = None

    @property
    def end(self) -> int:
        """One past its last sample, as far as it has come; an open run goes on with whatever comes."""
        if self._ended is not None:
            return self._ended
        return self.begin + max(0, len(self._reply) - self.source) * SAMPLE_RATE // self._reply.rate

    @property
    def is_open(self) -> bool:
        """Whether it goes on with whatever comes."""
        return self._ended is None

    def close(self, at: int) -> None:
        """End it there, or where it ends by itself before."""
        self._ended = max(self.begin, min(self.end, at))

    def source_at(self, now: int) -> int:
        """Return how many samples of the turn's sound, at its own rate, are over."""
        over = max(0, min(now, self.end) - self.begin) * self._reply.rate // SAMPLE_RATE
        return min(len(self._reply), self.source + over)

    def sound(self, begin: int, end: int) -> Signal:
        """Return what of it is heard from one sample of the recording to another, both in it."""
        return self._reply.sound(self.source, begin - self.begin, end - self.begin)


class Player:
    """What is played to the person. ``now`` tells the sample of the recording that is being heard."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._replies: dict[int, _Reply] = {}
        self._dropped: set[int] = set()
        self._held: int | None = None
        self.runs: list[Run] = []
        """All that was heard and will be, in order, without overlap."""

    def play(self, turn: int, rate: int, first_sample: int, pcm: bytes) -> None:
        """Take s16le mono ``pcm``, of which ``first_sample`` says where in the turn's sound it belongs.

        Raises ValueError for a rate that is no multiple of 50 Hz.
        """
        if turn in self._dropped:
            return
        self._close_finished()
        if turn not in self._replies:
            self._replies[turn] = _Reply(rate)
        self._replies[turn].add(first_sample, pcm)
        goes_on = bool(self.runs) and self.runs[-1].is_open and self.runs[-1].turn == turn
        if turn != self._held and not goes_on:
            self._begin(turn, first_sample, self.dry_at())

    def hold(self, turn: int) -> None:
        """Fall silent in ``turn``, and keep what was not heard of it."""
        self._held = turn
        self._cut(turn)

    def release(self, turn: int, sample: int | None = None) -> None:
        """Go on with ``turn`` at ``sample`` of it, at its own rate, or where it was held."""
        self._held = None
        if turn in self._replies and turn not in self._dropped:
            at = self.heard(turn) if sample is None else sample
            self._cut(turn)
            self._begin(turn, at, self.dry_at())

    def drop(self, turn: int) -> None:
        """Fall silent for good, as far as this turn goes."""
        self._held = None
        self._dropped.add(turn)
        self._cut(turn)

    def forget(self, turn: int) -> None:
        """Throw away what came of this turn, of which other sound may come."""
        self._held = None
        self._cut(turn)
        self._replies.pop(turn, None)

    def heard(self, turn: int) -> int:
        """Return how many samples of the turn's sound, at its own rate, are over."""
        begun = (run for run in reversed(self.runs) if run.turn == turn and run.begin < self._now())
        last = next(begun, None)
        return 0 if last is None else last.source_at(self._now())

    def sounds(self) -> bool:
        """Return whether something is being heard."""
        return any(run.begin <= self._now() < run.end for run in self.runs[-2:])

    def dry_at(self) -> int:
        """Return the sample at which there is no more to be heard; now, if there is nothing."""
        return max(self._now(), self.runs[-1].end if self.runs else 0)

    def sound(self, begin: int, end: int) -> Signal:
        """Return what was heard from one sample of the recording to another, neither later than now."""
        heard = np.zeros(end - begin)
        for run in self.runs:
            first, last = max(begin, run.begin), min(end, run.end)
            if first < last:
                heard[first - begin : last - begin] = run.sound(first, last)
        return heard

    def sounding(self, begin: int, end: int) -> list[tuple[int, int | None, int]]:
        """Return where, from one sample of the recording to another, neither later than now, something begins to sound.

        Each place is a sample of the recording, the turn, and which sample of its sound, at its own rate, that is;
        without a turn there is silence from there on. The first is ``begin``.
        """
        places: list[tuple[int, int | None, int]] = []
        told = begin
        for run in self.runs:
            first, last = max(begin, run.begin), min(end, run.end)
            if first < last:
                if first > told:
                    places.append((told, None, 0))
                places.append((first, run.turn, run.source_at(first)))
                told = last
        return [*places, (told, None, 0)] if told < end else places

    def _begin(self, turn: int, source: int, at: int) -> None:
        for run in self.runs[-1:]:
            run.close(at)
        self.runs.append(Run(turn, source, at, self._replies[turn]))

    def _close_finished(self) -> None:
        """Sound that comes when there is none left is heard when it comes."""
        for run in self.runs[-1:]:
            if run.end < self._now():
                run.close(run.end)

    def _cut(self, turn: int) -> None:
        """End now what is heard of ``turn``, and take back what has not begun."""
        for run in self.runs:
            if run.turn == turn and run.end > self._now():
                run.close(self._now())
        self.runs = [run for run in self.runs if run.end > run.begin]
