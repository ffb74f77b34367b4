"""What a listener can have heard of a turn's audio, and how far ahead of that it may be sent.

# Theory

The player is modelled at its best: it plays every sample the moment it can, without a break unless it ran dry. So
`Playout.heard` is the most that can have been heard, never less. Audio that waits in our own queue was not sent, and
cannot have been heard. Sending at most ``lead_s`` ahead of that bounds what a barge-in must throw away at the player,
and what the socket buffers of a dead peer swallow.

What was heard for sure is less: messages take time both ways, and a player stumbles. It is what the player said last,
and what it must have played since, unless it was silent for so long that nobody knows (`Playout.surely_heard`). And
all of it was heard when a player as late as that would have come to its end (`Playout.rest_s`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf
from typing import Final

LATE_S: Final = 0.3
"""So far behind its best a player may be that is told to go on: a message's way to it, and a stumble."""
HELD_LATE_S: Final = 0.15
"""The same of one that was told to stand still: meanwhile the message was on its way to it."""
SILENT_S: Final = 1.0
"""Of a player that has said nothing for so long nothing more is believed."""

_BELIEVED = 3
"""So many reports tell how late a player is. One alone may be of a client that says it now and then."""
_TOLERANCE_S = 1e-6
"""Far below a sample; what is left of a wait after sleeping for exactly its length."""


class Playout:
    """One turn's audio on its way out. Times are seconds of any one clock, positions samples of the turn."""

    def __init__(self, *, lead_s: float) -> None:
        self._lead_s = lead_s
        self._rate = 1
        self._queued = 0
        self._sent = 0
        self._dry_at = -inf
        self._stops: list[float] = []
        """When the player was told to stand still and when to go on, by turns."""
        self._lost_at: float | None = None
        self._sent_since = 0
        """Samples that were sent after that: when, is known once it is back."""
        self._played: int | None = None
        self._told_at = -inf
        """The player's time when it came that far."""
        self._late_s: deque[float] = deque(maxlen=_BELIEVED)
        """By how much it was later than its best, at its latest reports."""

    @property
    def queued(self) -> int:
        """Samples handed to the outbox so far: where the next chunk begins."""
        return self._queued

    @property
    def queued_s(self) -> float:
        """How long they sound."""
        return self._queued / self._rate

    @property
    def dry_at(self) -> float:
        """When the player has played all that was sent, as far as it was not held; long ago where nothing was."""
        return self._dry_at + sum(on - still for still, on in self._stands())

    def queue(self, samples: int, sample_rate: int) -> None:
        """``samples`` more at ``sample_rate`` Hz, the same for the whole turn, are on their way to the socket."""
        self._rate = sample_rate
        self._queued += samples

    def sent(self, samples: int, now: float) -> None:
        """``samples`` more were handed to the socket."""
        if self._lost_at is not None:
            self._sent_since += samples
            return
        self._sent += samples
        self._dry_at = max(self._dry_at, self._at(now)) + samples / self._rate

    def hold(self, now: float) -> None:
        """The player stands still from now on, and so does what was heard."""
        if not self._is_held:
            self._stops.append(now)

    def release(self, now: float) -> None:
        """The player goes on where it stood still."""
        if self._is_held:
            self._stops.append(now)

    def lose(self, now: float) -> None:
        """The player is out of reach: what it does from now on nobody knows, so nothing more counts as heard."""
        if self._lost_at is None:
            self._lost_at = now

    def find(self, there: int, stops: int, now: float) -> None:
        """The player is back, with the first ``there`` samples: the rest of those that were sent comes to it now.

        It knows of the first ``stops`` times that it was told to stand still, or to go on, and hears of the others now.
        Meanwhile it can have played what it had.
        """
        sent = self._sent + self._sent_since
        there = min(there, sent)
        self._lost_at = None
        self._late_s.clear()
        self._stops[stops:] = [now] * len(self._stops[stops:])
        self._dry_at += (there - self._sent) / self._rate
        self._sent, self._sent_since = there, 0
        if sent > there:
            self.sent(sent - there, now)

    def played(self, samples: int, now: float) -> None:
        """Take the player's word that the first ``samples`` were heard, as far as they can have been.

        A word of more than that is of another reply: it was under way when the turn was reopened.
        """
        samples = min(samples, self._most_heard(now))
        if samples:
            self._late_s.append(max(0.0, self._at(now) + (self._sent - samples) / self._rate - self._dry_at))
        if self._played is None or samples >= self._played:
            self._played, self._told_at = samples, self._at(now)

    def heard(self, now: float) -> int:
        """Return how many samples were heard: what the player said, if it ever did, else what it can have heard."""
        return self._most_heard(now) if self._played is None else self._played

    def surely_heard(self, now: float) -> int:
        """Return how many samples were heard even if the player is late: what may be remembered of it.

        One that says 0 has not begun, and does not by itself.
        """
        late_s = HELD_LATE_S if self._is_held else LATE_S
        if self._played is None:
            return self._most_heard(now, late_s=LATE_S)
        since_s = min(self._at(now) - self._told_at, SILENT_S) - late_s
        if not self._played or since_s <= 0:
            return self._played
        return max(self._played, min(self._most_heard(now), self._played + round(since_s * self._rate)))

    def wait_s(self, samples: int, sample_rate: int, now: float) -> float:
        """Return how long a chunk of ``samples`` has to wait: 0.0 if it may go, infinity if more must be sent first.

        While the player is held or out of reach, it is infinity too, unless it may go.

        A chunk longer than the lead may go when there is nothing before it.
        """
        before_s = (self._queued - self._sent) / sample_rate
        ahead_s = before_s + min(samples / sample_rate, self._lead_s)
        if before_s and ahead_s > self._lead_s + _TOLERANCE_S:
            return inf
        return self._left_s(ahead_s + self._unheard_s(now) - self._lead_s)

    def rest_s(self, now: float) -> float:
        """Return how long until all that was queued was heard: by a player as late as the latest reports say.

        It is infinity if some of it was not even sent, or the player is held or out of reach.
        """
        late_s = min(self._late_s) if len(self._late_s) == _BELIEVED else 0.0
        return inf if self._queued > self._sent else self._left_s(self._unheard_s(now, late_s=min(late_s, SILENT_S)))

    def _left_s(self, wait_s: float) -> float:
        """Return how long ``wait_s`` of the player's time are."""
        if wait_s <= _TOLERANCE_S:
            return 0.0
        return inf if self._is_held or self._lost_at is not None else wait_s

    @property
    def _is_held(self) -> bool:
        return len(self._stops) % 2 == 1

    def _stands(self, now: float = inf) -> Iterator[tuple[float, float]]:
        """Yield from when until when it stood still, each time that was over by ``now``, or is cut off there."""
        stops = [*self._stops, now] if self._is_held and now < inf else self._stops
        yield from ((min(still, now), min(on, now)) for still, on in zip(stops[::2], stops[1::2], strict=False))

    def _at(self, now: float) -> float:
        """Return the player's time, which stands still while it is held, or out of reach."""
        if self._lost_at is not None:
            now = min(now, self._lost_at)
        return now - sum(on - still for still, on in self._stands(now))

    def _most_heard(self, now: float, *, late_s: float = 0.0) -> int:
        return max(0, self._sent - round(self._unheard_s(now, late_s=late_s) * self._rate))

    def _unheard_s(self, now: float, *, late_s: float = 0.0) -> float:
        return max(0.0, self._dry_at + late_s - self._at(now))


class UnpacedPlayout(Playout):
    """The audio of a reply to a client that keeps it, and says later if not all of it was heard.

    So it goes out as fast as it is made, and what was sent counts as heard.
    """

    def __init__(self) -> None:
        super().__init__(lead_s=inf)

    def heard(self, now: float) -> int:
        """Return how many samples were sent."""
        return self._sent

    def surely_heard(self, now: float) -> int:
        """Return the same: nobody here knows better."""
        return self._sent

    def rest_s(self, now: float) -> float:
        """Return 0.0 once all that was queued was sent, infinity before."""
        return inf if self.queued > self._sent else 0.0


class WholePlayout(UnpacedPlayout):
    """The audio of a reply that is handed over in one piece, once it is complete, to be played by the client.

    Nothing of it was heard before the end.
    """

    def heard(self, now: float) -> int:
        """Return 0: a reply that broke off was not handed over."""
        return 0

    def surely_heard(self, now: float) -> int:
        """Return 0, for the same reason."""
        return 0
