"""Who has a place where there are only so many, and who makes way for whom.

Places are counted by client, which is whatever stands behind one address. A client may have every place that is free.
When none is, a newcomer has one from a client with more than its share and at least two more than the newcomer's own:

- one that is idle, from the client that holds most, and of those the one that has been idle longest;
- one that is at work only if the newcomer's client has less than its share; then the latest that came.

So no client with a share or less ever loses a place, one with less than a share gets a place while another has more,
and no place goes back and forth: the client that gave one still has as many as the client that got it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


class Holder(Protocol):
    """What has a place: a session, or an upload on its way."""

    @property
    def idle_since(self) -> float | None:
        """Since when it has nothing to do, by any clock that all holders share; None while it is at work."""

    def make_way(self) -> None:
        """Leave: the place is another's from here on. Never waits, and never raises."""


@dataclass(eq=False, frozen=True, slots=True)
class _Place:
    client: str
    holder: Holder


class Places:
    """``most`` places, of which a client is sure of ``share``, or of half of them if that is less."""

    def __init__(self, most: int, share: int) -> None:
        self.most = most
        """How many there are."""
        self._share = max(1, min(share, most // 2))
        self._taken: dict[_Place, None] = {}
        """In the order in which they were taken."""
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._taken)

    def have_room(self, client: str) -> bool:
        """Return whether a place can be had for ``client``."""
        return len(self._taken) < self.most or self._who_makes_way(client) is not None

    @contextmanager
    def hold(self, client: str, holder: Holder) -> Iterator[None]:
        """Hold a place for ``holder``, another's if need be. There has to be room."""
        if len(self._taken) >= self.most:
            leaving = self._who_makes_way(client)
            assert leaving is not None
            self._give_up(leaving)
            leaving.holder.make_way()
        place = _Place(client, holder)
        self._taken[place] = None
        self._counts[client] += 1
        try:
            yield
        finally:
            if place in self._taken:
                self._give_up(place)

    def clear(self) -> None:
        """Have every holder make way."""
        for place in tuple(self._taken):
            self._give_up(place)
            place.holder.make_way()

    def _who_makes_way(self, client: str) -> _Place | None:
        own = self._counts[client]
        lent = [place for place in self._taken if self._of(place) > max(self._share, own + 1)]
        idle = [
            (-self._of(place), since, at)
            for at, place in enumerate(lent)
            if (since := place.holder.idle_since) is not None
        ]
        if idle:
            return lent[min(idle)[-1]]
        if not lent or own >= self._share:
            return None
        # Of equals the first is found: the latest.
        return max(reversed(lent), key=self._of)

    def _of(self, place: _Place) -> int:
        """Return how many places its client has."""
        return self._counts[place.client]

    def _give_up(self, place: _Place) -> None:
        del self._taken[place]
        self._counts[place.client] -= 1
        # A Counter keeps its zeros, and clients are without number.
        if not self._counts[place.client]:
            del self._counts[place.client]
