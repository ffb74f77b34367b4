"""What a client was sent, numbered, and kept for a while in case that it did not arrive.

Every message of a session has a number, from 1 on, whether it is text or audio, so a client that counts what it gets
can say with one number what it has.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import fields

from voice_trio.core.messages import Event, Reopened, TtsChunk

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
        while len(self._kept) > 1 and (len(self._kept) > self._most_events or self._bytes > self._most_bytes):
            self._bytes -= self._kept.popleft()[1]

    def has_after(self, seq: int) -> bool:
        """Return whether all that came after the event of number ``seq``, 0 for none, is still there."""
        return self._first - 1 <= seq <= self.last

    def audio_after(self, seq: int, through: int) -> Mapping[int, int]:
        """Return, by turn, how many samples of a reply that still holds are in the events behind ``seq``.

        Those beyond ``through`` do not count.
        """
        samples: Counter[int] = Counter()
        for number in range(seq + 1, through + 1):
            match self[number]:
                case TtsChunk(turn=turn, pcm=pcm):
                    samples[turn] += len(pcm) // 2
                case Reopened(turn=turn):
                    # What went before is void, and its sound is counted anew.
                    del samples[turn]
        return dict(samples)


def _size(event: Event) -> int:
    values = (getattr(event, field.name) for field in fields(event))
    return _EVENT_BYTES + sum(len(value) for value in values if isinstance(value, str | bytes))
