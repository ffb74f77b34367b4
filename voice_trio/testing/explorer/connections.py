"""A client whose session outlives its connections, and these connections: each of them may be cut at any step."""

from __future__ import annotations

from math import inf

import trio

from voice_trio.core import messages as m
from voice_trio.session.farewell import Farewell, Goodbye
from voice_trio.session.resumable import ResumableLink
from voice_trio.testing.explorer.link import ExploredLink

RESUME_S = 30.0
"""How long the session waits for its client."""


class ReturningLink(ExploredLink):
    """The client's end. It counts what it gets, keeps what it says, and says again what did not arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[m.Command] = []
        self.due: list[m.Event] = []
        """What the session has sent: each is to come once, in this order."""
        self.seq = 0
        """How many of them it has."""
        self.problems: list[str] = []
        """What came twice, or in another order."""
        self.lost_at: float | None = None
        """When it was lost for good, if it was."""
        self.connection: _Connection | None = None
        self._noted = 0

    async def ask(self, command: m.Command) -> None:
        """Say ``command``. Raises `LinkClosed` once the session closed the link, or the client is gone."""
        await trio.lowlevel.checkpoint()
        self.check_open()
        self.interject(command)

    @property
    def in_a_turn(self) -> bool:
        """Whether a turn was announced that is not over, or may have been."""
        return super().in_a_turn or self.connection is None or self.connection.scope.cancel_called

    def interject(self, command: m.Command) -> None:
        """Have the session read ``command`` as soon as it can."""
        self.said.append(command)
        self.wake()

    def vanish(self) -> None:
        """Say goodbye."""
        self.gone = True
        if self.connection is not None:
            self.connection.left = True
            self.connection.scope.cancel()
        self.wake()

    def hand_over(self, at: int) -> m.Command:
        """Return what was said at that place: the session reads it now."""
        command = self.said[at]
        if at == self._noted:
            self._note(command)
            self._noted += 1
        return command

    def get(self, event: m.Event) -> None:
        """Take ``event``."""
        due = self.due[self.seq] if self.seq < len(self.due) else None
        # The link itself adds its name to the greeting.
        if due is not event and not isinstance(due, m.SessionOpened):
            number, came, other = self.seq + 1, type(event).__name__, type(due).__name__
            self.problems.append(f"message {number} is a {came}, and another {other} was due")
        self.seq += 1
        self.taken.append(event)
        self.note(event)


class _Connection:
    """One of them."""

    def __init__(self, client: ReturningLink, *, first: bool) -> None:
        self.left = False
        self.scope = trio.CancelScope()
        """Cancelled, it is lost, as the task of a socket that was reset is cancelled."""
        self._client = client
        self._at = 0 if first else None
        """What the client says next over it; None while it does not know what the session has."""

    async def receive(self) -> m.Command:
        """Return the client's next command."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while self._at is None or self._at == len(self._client.said):
            await self._client.wait_said()
        self._at += 1
        return self._client.hand_over(self._at - 1)

    async def send(self, event: m.Event) -> None:
        """Have ``event`` arrive, a step later, if the connection is not cut until then."""
        await trio.lowlevel.checkpoint()
        if self.scope.cancel_called or self._client.connection is not self:
            # What comes over a connection that was given up is not taken: it comes again.
            return
        if isinstance(event, m.SessionOpened) and event.resumed:
            self._at = event.received
            self._client.wake()
        else:
            self._client.get(event)

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say nothing of it: the client knows by the line, and one that was taken over is no end."""
        await trio.lowlevel.checkpoint()


class _Line(ResumableLink):
    """The session's end, which tells the client what is due, and how it was closed."""

    def __init__(self, client: ReturningLink) -> None:
        super().__init__(RESUME_S)
        self._client = client

    async def send(self, event: m.Event) -> None:
        """Note what is due."""
        if not isinstance(event, m.Aside):
            self._client.due.append(event)
        await super().send(event)

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Note the goodbye."""
        self._client.closed = Goodbye(farewell, reason)
        self._client.wake()
        await super().close(farewell, reason)


class Connections:
    """Those of one client, one after another. Only `run` waits; the rest may be called before any step."""

    def __init__(self, client: ReturningLink) -> None:
        self.line = _Line(client)
        self._client = client
        self._next_at = -inf
        self._changes = trio.lowlevel.ParkingLot()

    async def run(self) -> None:
        """Connect whenever that is wanted, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                with trio.move_on_at(self._next_at):
                    await self._changes.park()
                    continue
                self._next_at = inf
                if self._client.gone:
                    continue
                first = self._client.connection is None
                connection = self._client.connection = _Connection(self._client, first=first)
                nursery.start_soon(self._carry, connection, None if first else self._client.seq)

    def cut(self, back_after_s: float) -> None:
        """Lose the connection, and connect anew after that time, which may be infinity."""
        if self._client.connection is not None and self._client.seq:
            # Before it was greeted, it knows of nothing to come back to.
            self._client.connection.scope.cancel()
            self._connect_at(trio.current_time() + back_after_s)
            if back_after_s == inf:
                self._client.lost_at = trio.current_time()

    def attach(self) -> None:
        """Connect anew, whatever becomes of the connection that there is."""
        self._connect_at(trio.current_time())

    def _connect_at(self, time: float) -> None:
        self._next_at = time
        self._changes.unpark_all()

    async def _carry(self, connection: _Connection, since: int | None) -> None:
        with connection.scope:
            await self.line.carry(connection, since)
