"""What sounds next: a turn's chunks in, blocks for the loudspeaker out, and an account of what of which turn sounded.

A turn's sound can be held: it stands still, and nothing of it is lost. What is stopped fades out, or it would click.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import soxr

from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.sounding.device import RATE

_FADE: Final = RATE // 100
"""Samples in which what is stopped fades out: 10 ms."""


class Mark(NamedTuple):
    """From sample ``at`` of a block on, the turn's audio sounds from its ``sample`` on; no turn: nothing does."""

    at: int
    turn: int | None
    sample: int


@dataclass(slots=True)
class _Reply:
    """The sound of a turn."""

    turn: int
    rate: int
    resampler: Any
    ready: deque[Any] = field(default_factory=deque)
    """Arrays at the device's rate."""
    sounded: int = 0
    """Samples at the device's rate."""
    ended: bool = False
    """Nothing more of it comes."""
    cut: bool = False
    """It is thrown away, when it has faded out."""

    @property
    def played(self) -> int:
        """Samples of the turn, at its own rate."""
        return self.sounded * self.rate // RATE


class Player:
    """Plays replies, one after the other. The device pulls in a thread of its own: any may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replies: deque[_Reply] = deque()
        self._dropped = 0
        """The turn through which everything is thrown away."""
        self._held = False
        self._fading = 0
        """Samples that are left of what fades out; then it stands still, or is thrown away."""

    def push(self, turn: int, rate: int, pcm: bytes) -> None:
        """Add s16le mono ``pcm`` at ``rate`` Hz to what is to sound of ``turn``."""
        with self._lock:
            if turn <= self._dropped:
                return
            if not self._replies or self._replies[-1].turn != turn or self._replies[-1].cut:
                self._end()
                self._replies.append(_Reply(turn, rate, soxr.ResampleStream(rate, RATE, 1, dtype="int16")))
            reply = self._replies[-1]
            reply.ready.append(reply.resampler.resample_chunk(np.frombuffer(pcm, "<i2")))

    def end(self) -> None:
        """Nothing more comes of the latest turn."""
        with self._lock:
            self._end()

    def hold(self, turn: int) -> None:
        """Fade out, and stand still, if it is ``turn`` that sounds."""
        with self._lock:
            if self._replies and self._replies[0].turn == turn and not self._held:
                self._held, self._fading = True, _FADE

    def release(self) -> None:
        """Go on where it stands still."""
        with self._lock:
            self._held, self._fading = False, 0

    def drop(self, turn: int) -> None:
        """Throw away the sound of the turns up to ``turn``; what sounds at this moment fades out."""
        with self._lock:
            self._dropped = max(self._dropped, turn)
            self._throw_away(turn)

    def anew(self, turn: int) -> None:
        """Throw away the sound of ``turn``, whose reply is made once more."""
        with self._lock:
            self._throw_away(turn)

    def playing(self) -> tuple[int, int] | None:
        """Return which turn sounds, and how many samples of it did; None where none does."""
        with self._lock:
            return (self._replies[0].turn, self._replies[0].played) if self._replies else None

    def pull(self, count: int) -> tuple[bytes, list[Mark]]:
        """Return the next ``count`` samples, s16le mono at `RATE`, and what they are; the first mark is at 0."""
        with self._lock:
            block = np.zeros(count, np.int16)
            marks: list[Mark] = []
            filled = 0
            while filled < count and (reply := self._next()) is not None:
                marks.append(Mark(filled, reply.turn, reply.played))
                filled += self._take(reply, block[filled:])
            if filled < count:
                marks.append(Mark(filled, None, 0))
            return block.tobytes(), marks

    def _next(self) -> _Reply | None:
        """Return the reply that sounds next, and has something ready; None where nothing does."""
        while self._replies:
            reply = self._replies[0]
            over = not reply.ready and (reply.ended or reply.cut)
            if over or (reply.cut and not self._fading):
                self._replies.popleft()
                self._held, self._fading = False, 0
            elif reply.ready and (not self._held or self._fading):
                return reply
            else:
                # It stands still, or more of it is on its way.
                break
        return None

    def _take(self, reply: _Reply, room: Any) -> int:
        """Move what comes next into ``room``, as much of it as is of one piece; returns how much."""
        piece = reply.ready.popleft()
        taken = min(len(piece), len(room), self._fading or len(room))
        if taken < len(piece):
            reply.ready.appendleft(piece[taken:])
        room[:taken] = piece[:taken]
        if self._fading:
            ramp = np.arange(self._fading, self._fading - taken, -1) / _FADE
            room[:taken] = (room[:taken] * ramp).astype(np.int16)
            self._fading -= taken
        reply.sounded += taken
        return taken

    def _throw_away(self, turn: int) -> None:
        while len(self._replies) > 1 and self._replies[-1].turn <= turn:
            self._replies.pop()
        if self._replies and self._replies[0].turn <= turn:
            self._replies[0].cut = True
            self._fading = 0 if self._held else _FADE

    def _end(self) -> None:
        if self._replies and not self._replies[-1].ended:
            reply = self._replies[-1]
            reply.ended = True
            reply.ready.append(reply.resampler.resample_chunk(np.zeros(0, np.int16), last=True))


def length(pcm: bytes) -> int:
    """Return the number of samples in s16le mono ``pcm``."""
    return len(pcm) // BYTES_PER_SAMPLE
