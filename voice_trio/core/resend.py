"""What a client was sent, numbered, and kept for a while in case that it did not arrive.

Every message of a session has a number, from 1 on, whether it is text or audio, so a client that counts what it gets
can say with one number what it has.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import fields

from voice_trio.core.messages import Done, Event, Hold, Release, Reopened, TtsChunk

MOST_EVENTS = 2_000
MOST_BYTES = 1 << 20
"""Some twenty seconds of a reply's sound: what a network that is gone swallows before anybody notices."""

_EVENT_BYTES = 200
"""What an event counts for beside its text or its sound."""


class Resend:
    """The latest events that were sent: at most ``most_events``, and ``most_bytes`` of them, but always the last."""

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self.last = 0
        """The number of the one that was added last; 0 before the first."""
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._kept: deque[tuple[Event, int]] = deque()
        """With the bytes that each counts for."""
        self._bytes = 0
        self._samples: Counter[int] = Counter()
        """Of each turn that is not over, since it began, or began anew."""
        self._stops: Counter[int] = Counter()
        """The same of how many `Hold` and `Release` there were."""

    def __getitem__(self, seq: int) -> Event:
        """Return the event of that number, which `has_after` the one before it."""
        return self._kept[seq - self._first][0]

    @property
    def _first(self) -> int:
        return self.last - len(self._kept) + 1

    def add(self, event: Event) -> None:
        """Give ``event`` the next number, and keep it."""
        size = _size(event)
        self._kept.append((event, size))
        self._bytes += size
        self.last += 1
        match event:
            case TtsChunk(turn=turn, pcm=pcm):
                self._samples[turn] += len(pcm) // 2
            case Hold(turn=turn) | Release(turn=turn):
                self._stops[turn] += 1
            case Reopened(turn=turn) | Done(turn=turn):
                del self._samples[turn], self._stops[turn]
        while len(self._kept) > 1 and (len(self._kept) > self._most_events or self._bytes > self._most_bytes):
            self._drop()

    def played(self, turn: int, samples: int, written: int) -> None:
        """Keep nothing that came before what the client is playing: it says that of ``turn`` it has played so much.

        It cannot have more than the messages up to number ``written``, whatever it says.
        """
        there = 0
        for at in range(written - self._first + 1):
            match self._kept[at][0]:
                case Reopened(turn=number) if number == turn:
                    # The word may be of the reply that is void.
                    break
                case TtsChunk(turn=number, first_sample=first, pcm=pcm) if number == turn:
                    if first + len(pcm) // 2 > samples:
                        break
                    there = at
        for _ in range(there):
            self._drop()

    def _drop(self) -> None:
        self._bytes -= self._kept.popleft()[1]

    def has_after(self, seq: int) -> bool:
        """Return whether all that came after the event of number ``seq``, 0 for none, is still there."""
        return self._first - 1 <= seq <= self.last

    def sounds_through(self, seq: int) -> Sequence[tuple[int, int, int]]:
        """Return, by turn, how many samples of its reply there are up to ``seq``, and how many `Hold` and `Release`.

        What is void does not count. Turns that are over are left out.
        """
        samples, stops = self._samples.copy(), self._stops.copy()
        void: set[int] = set()
        for number in range(self.last, seq, -1):
            match self[number]:
                case TtsChunk(turn=turn, pcm=pcm) if turn not in void:
                    samples[turn] -= len(pcm) // 2
                case Hold(turn=turn) | Release(turn=turn) if turn not in void:
                    stops[turn] -= 1
                case Reopened(turn=turn):
                    # All that counts came after it.
                    void.add(turn)
        return [(turn, samples[turn], stops[turn]) for turn in sorted({*self._samples, *self._stops})]


def _size(event: Event) -> int:
    values = (getattr(event, field.name) for field in fields(event))
    return _EVENT_BYTES + sum(len(value) for value in values if isinstance(value, str | bytes))
