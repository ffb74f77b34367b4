"""The one door through which everything that a turn does gets out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from voice_trio.core.messages import Event
from voice_trio.core.timeline import Interval, Moment, Stage, Timeline
from voice_trio.session.outbox import Outbox
from voice_trio.standing import awaited

Said = Event | Callable[[], Event]
"""An event, or what makes it at the moment at which it gets out."""


class Watch:
    """Of a stage that goes on beyond its work: it waits until what it made is taken."""

    def __init__(self) -> None:
        self.stopped_at: float | None = None

    def stop(self) -> None:
        """Say that the work is done by now."""
        self.stopped_at = trio.current_time()


class Outlet:
    """What a turn says goes through here into the session's outbox, one event after another."""

    def __init__(self, outbox: Outbox, timeline: Timeline) -> None:
        self._outbox = outbox
        self._timeline = timeline

    async def say(self, event: Said, moment: Moment | None = None) -> None:
        """Say ``event`` when there is a place for it; ``moment``, if it is the first of its kind, is now.

        Once this returns, it is said, and there was no checkpoint since: a task that was cancelled before says nothing.
        """
        await self._outbox.door()
        self._put(event, moment)

    async def wait_open(self) -> None:
        """Wait until what is said gets out."""
        await trio.lowlevel.checkpoint()

    def reach(self, moment: Moment) -> None:
        """Note that ``moment`` is now, if it is the first of its kind."""
        self._timeline.first(moment, trio.current_time())

    @contextmanager
    def during(self, stage: Stage, name: str = "") -> Iterator[Watch]:
        """Note when the block was begun and left, whatever it is left by, or when its watch was stopped last.

        ``name`` is that of a tool.
        """
        began, watch = trio.current_time(), Watch()
        try:
            with awaited(stage):
                yield watch
        finally:
            ended = trio.current_time() if watch.stopped_at is None else watch.stopped_at
            self.note(Interval(stage, began, ended, name))

    def note(self, interval: Interval) -> None:
        """Note what was done for what is said here."""
        self._timeline.note(interval)

    def _put(self, event: Said, moment: Moment | None) -> None:
        if moment is not None:
            self._timeline.first(moment, trio.current_time())
        self._outbox.append(event() if callable(event) else event)


class GatedOutlet(Outlet):
    """An outlet that is closed at first: what is said waits, and is gone if nobody opens it.

    It holds ``places`` events; a caller that says more waits until it is open.
    """

    def __init__(self, outbox: Outbox, timeline: Timeline, places: int) -> None:
        super().__init__(outbox, timeline)
        self._held: deque[tuple[Said, Moment | None]] = deque()
        self._places = places
        self._noted: list[Interval] = []
        self._opened = trio.Event()
        self._room = trio.lowlevel.ParkingLot()

    async def say(self, event: Said, moment: Moment | None = None) -> None:
        """Say ``event`` once this is open; until then, hold it when there is a place for it."""
        while not self._opened.is_set() and len(self._held) >= self._places:
            await self._room.park()
        if self._opened.is_set():
            await super().say(event, moment)
            return
        await trio.lowlevel.checkpoint_if_cancelled()
        self._held.append((event, moment))

    def note(self, interval: Interval) -> None:
        """Note it once this is open: what was done for nothing is none of the turn's."""
        if self._opened.is_set():
            super().note(interval)
        else:
            self._noted.append(interval)

    async def wait_open(self) -> None:
        """Wait until this is open, and all is out that it held."""
        await self._opened.wait()

    async def open(self) -> None:
        """Let out what is held, in order, and from then on whatever is said."""
        while self._held:
            await self._outbox.door()
            self._put(*self._held.popleft())
            self._room.unpark()
        self._opened.set()
        for interval in self._noted:
            super().note(interval)
        self._room.unpark_all()
