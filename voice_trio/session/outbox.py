"""The one queue between everything that says something and the link's sender."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from voice_trio.core.messages import Event


class Outbox:
    """A first-in-first-out queue of events with two kinds of users.

    A turn's stages pass `door`, where they wait for one of ``capacity`` places, and then `append` at once.
    What must never wait (the reader, a turn's end, a farewell) only appends, into ``reserve`` places more.

    The door is what makes a cancel final. A task that was handed a value before its cancellation runs on with it until
    its next checkpoint; without the door its event would come after the turn's end. Behind the door nothing can come
    between the check and the append, so an event of a cancelled task is never queued.
    """

    def __init__(self, *, capacity: int, reserve: int, overflowed: Callable[[], None]) -> None:
        """``overflowed`` is called, once, when the client reads so slowly that not even a farewell finds a place."""
        self._items: deque[Event] = deque()
        self._capacity = capacity
        self._limit = capacity + reserve
        self._overflowed = overflowed
        self._open = True
        self._places = trio.lowlevel.ParkingLot()
        self._arrivals = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._items)

    async def door(self) -> None:
        """Wait for a place, then make sure that this task was not cancelled meanwhile."""
        while self._open and len(self._items) >= self._capacity:
            await self._places.park()
        await trio.lowlevel.checkpoint_if_cancelled()

    def append(self, event: Event) -> None:
        """Queue ``event``, or drop it when nobody will ever take it."""
        if self._open and len(self._items) >= self._limit:
            self.abandon()
            self._overflowed()
        if self._open:
            self._items.append(event)
            self._arrivals.unpark()

    def drop(self, unwanted: Callable[[Event], bool]) -> None:
        """Take out every queued event that is ``unwanted``."""
        self._items = deque(event for event in self._items if not unwanted(event))
        self._let_in()

    async def take(self) -> Event | None:
        """Return the next event, as the only taker; None when the outbox is closed and empty."""
        while not self._items:
            if not self._open:
                return None
            await self._arrivals.park()
        event = self._items.popleft()
        self._let_in()
        return event

    def close(self) -> None:
        """Take no more events; what is queued can still be taken."""
        self._open = False
        self._places.unpark_all()
        self._arrivals.unpark_all()

    def abandon(self) -> None:
        """Take no more events and forget those queued: there is nobody to take them."""
        self._items.clear()
        self.close()

    def _let_in(self) -> None:
        free = self._capacity - len(self._items)
        if free > 0:
            self._places.unpark(count=free)
