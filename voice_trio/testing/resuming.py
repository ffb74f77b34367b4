"""A client that comes back to its session: it counts what it gets, keeps what it says, and goes on where it was.

async with trio.open_nursery() as nursery:
    link = ResumableLink(30.0)
    caller = ResumingCaller(link, nursery)
    talk = Talk(caller)
    ...                                      a session on ``link``, and `talk.collect` in the nursery
    caller.attach()
    await talk.ask(m.Text(text="Hello?"))
    caller.cut()                             the connection is gone
    caller.attach()                          and there is another one
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio

from voice_trio.core import messages as m
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.session.resumable import ResumableLink


class _Socket(MemoryLink):
    """One connection, in this process."""

    left = False


class ResumingCaller:
    """The client's end of ``link``, over one connection after another."""

    def __init__(self, link: ResumableLink, nursery: trio.Nursery, late_s: Callable[[], float] = lambda: 0.0) -> None:
        """``late_s`` returns how long the next message takes, either way. Its connections live in ``nursery``."""
        self.attached = 0
        """How many connections there were."""
        self.seq = 0
        """How many messages of the session's it has."""
        self._link = link
        self._nursery = nursery
        self._late_s = late_s
        self._socket: _Socket | None = None
        self._said: list[m.Command] = []
        """All that was said, of which each connection is given what the session does not have."""
        self._heard: deque[m.Event] = deque()
        self._is_over = False
        self._news = trio.lowlevel.ParkingLot()

    def attach(self) -> None:
        """Connect: the first time to a new session, from then on to the same. Any connection before is taken over."""
        socket = self._socket = _Socket()
        self._nursery.start_soon(self._link.carry, socket, self.seq if self.attached else None)
        self._nursery.start_soon(self._listen, socket)
        if not self.attached:
            self._nursery.start_soon(self._speak, socket, 0)
        self.attached += 1

    def cut(self) -> None:
        """Lose the connection, and what is on its way."""
        if self._socket is not None:
            self._socket.vanish()

    def leave(self) -> None:
        """Say goodbye: nothing more is heard or said."""
        if self._socket is not None:
            self._socket.left = True
            self._socket.vanish()
        self._is_over = True
        self._news.unpark_all()

    async def ask(self, command: m.Command) -> None:
        """Say ``command``, when there is a connection. Raises `LinkClosed` once the session is over."""
        await trio.lowlevel.checkpoint()
        if self._is_over:
            raise LinkClosed
        self._said.append(command)
        self._news.unpark_all()

    async def hear(self) -> m.Event:
        """Return the session's next event. Raises `LinkClosed` when it is over, and all was heard."""
        while not self._heard:
            if self._is_over:
                raise LinkClosed
            await self._news.park()
        return self._heard.popleft()

    async def _listen(self, socket: _Socket) -> None:
        try:
            while True:
                event = await socket.hear()
                await trio.sleep(self._late_s())
                if socket is not self._socket:
                    return
                if isinstance(event, m.SessionOpened) and event.resumed:
                    assert event.received is not None
                    self._nursery.start_soon(self._speak, socket, event.received)
                    continue
                self.seq += 1
                self._heard.append(event)
                self._news.unpark_all()
        except LinkClosed:
            closed = socket.closed
            self._is_over = self._is_over or (closed is not None and closed.farewell is not Farewell.TAKEN_OVER)
            self._news.unpark_all()

    async def _speak(self, socket: _Socket, begin: int) -> None:
        at = begin
        while socket is self._socket and not self._is_over:
            if at == len(self._said):
                await self._news.park()
                continue
            await trio.sleep(self._late_s())
            try:
                await socket.ask(self._said[at])
            except LinkClosed:
                return
            at += 1
