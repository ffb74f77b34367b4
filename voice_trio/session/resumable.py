"""A link that outlives its socket: it can be carried by one socket after another.

To its session it is one link. What the session says is numbered and kept (`core.resend`), so that the next socket can
begin where the client's count ends; each message is written by the task of the connection that carries the link, and
`send` returns when that is done. While no socket carries it, `send` and `receive` wait, so the session's outbox fills
and its turns wait at its door. Nothing is sent ahead: what was not written yet waits in the outbox, where it can still
be taken back.

The session is told by two commands of the link's own, `Detached` and `Attached`, in their place among the client's.
"""

from __future__ import annotations

import secrets
from collections import deque
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Protocol

import trio

from voice_trio.core import messages as m
from voice_trio.core.resend import Resend
from voice_trio.session.farewell import Farewell, Goodbye
from voice_trio.session.link import Link, LinkClosed, Malformed

TAKEN_OVER = Goodbye(Farewell.TAKEN_OVER, "the session goes on over another connection")


class Socket(Link, Protocol):
    """A link over one connection. Who carries it is cancelled when the connection is lost."""

    @property
    def left(self) -> bool:
        """Whether the client said goodbye: it is gone for good, and not lost."""


class _Carrier:
    """A socket that carries the link, or did."""

    def __init__(self, socket: Socket, since: int) -> None:
        self.socket = socket
        self.next = since + 1
        """The number of the event that is to be written next."""
        self.greeting: m.SessionOpened | None = None
        """What goes before that, where the session is resumed."""
        self.scope = trio.CancelScope()
        """What reads and writes."""
        self.goodbye: Goodbye | None = None
        """What is said when that is over, if anything is to be."""
        self.over = trio.Event()


class ResumableLink:
    """One client, who may be out of reach for ``resume_s`` seconds, any number of times.

    `receive` has one caller, `send` and `close` have one between them; `carry` is called for each socket, by the task
    that owns it.
    """

    def __init__(self, resume_s: float, *, refused: bool = False, sent: Resend | None = None) -> None:
        """``refused``: this session is there because the client's own could not be resumed, and says so."""
        self.token = secrets.token_urlsafe(24)
        """What the client names it by: 192 bits of chance."""
        self._resume_s = resume_s
        self._refused = refused
        self._sent = sent or Resend()
        self._greeting: m.SessionOpened | None = None
        self._came: deque[m.Command | Malformed] = deque()
        self._received = 0
        self._carrier: _Carrier | None = None
        self._ends_at = inf
        """When the link is over, if no socket comes."""
        self._over = trio.Event()
        self._goodbye: Goodbye | None = None
        """What the last socket is told where nothing else was said."""
        self._arrivals = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._unwritten = trio.lowlevel.ParkingLot()
        self._written = trio.lowlevel.ParkingLot()

    @property
    def is_detached(self) -> bool:
        """Whether its client is out of reach, and may come back."""
        return self._carrier is None and not self._over.is_set()

    def can_resume_after(self, seq: int) -> bool:
        """Return whether a client that has the messages up to number ``seq`` would miss nothing."""
        return self._greeting is not None and not self._over.is_set() and self._sent.has_after(seq)

    def sounds_after(self, seq: int) -> int:
        """Return how many pieces of sound such a client lacks."""
        return sum(isinstance(self._sent[at], m.TtsChunk) for at in range(seq + 1, self._sent.last + 1))

    # --- the session's end --------------------------------------------------------------------------------------------

    async def receive(self) -> m.Command:
        """Return the client's next command, or one of the link's own. Raises `LinkClosed`, and `Malformed`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._came:
            if self._over.is_set():
                raise LinkClosed
            with trio.move_on_at(self._ends_at):
                await self._arrivals.park()
            if self._carrier is None and trio.current_time() >= self._ends_at:
                self.end()
        command = self._came.popleft()
        self._room.unpark_all()
        if isinstance(command, Malformed):
            raise command
        return command

    async def send(self, event: m.Event) -> None:
        """Have ``event`` written, when all before it is; one that is lost on its way is sent again by the next socket.

        Raises `LinkClosed`.
        """
        if isinstance(event, m.SessionOpened):
            told = False if self._refused else None
            event = replace(event, resume=self.token, resume_s=self._resume_s, resumed=told)
            self._greeting = event
        while (carrier := self._carrier) is None or carrier.next <= self._sent.last:
            if self._over.is_set():
                raise LinkClosed
            await self._written.park()
        if self._over.is_set():
            raise LinkClosed
        if isinstance(event, m.Aside):
            await trio.lowlevel.checkpoint()
            return
        self._sent.add(event)
        self._unwritten.unpark_all()
        while self._carrier is carrier and carrier.next <= self._sent.last and not self._over.is_set():
            await self._written.park()

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say goodbye over the socket that carries the link, if any does, and be over."""
        carrier = self._carrier
        if carrier is not None and carrier.goodbye is None:
            carrier.goodbye = Goodbye(farewell, reason)
        self.end()
        await trio.lowlevel.checkpoint()
        if carrier is not None:
            await carrier.over.wait()

    # --- the server's end: none of this waits -------------------------------------------------------------------------

    def hurry(self) -> None:
        """Wait for no client any more: one that is out of reach, or will be, is gone."""
        self._resume_s = 0.0
        if self._carrier is None and self._ends_at < inf:
            self.end()

    @property
    def is_over(self) -> bool:
        """Whether no socket will carry it any more."""
        return self._over.is_set()

    def end(self, goodbye: Goodbye | None = None) -> None:
        """Be over: there is no client any more, or one to whom ``goodbye`` is to be said, where nothing was yet."""
        self._goodbye = self._goodbye or goodbye
        self._over.set()
        self._came.clear()
        if self._carrier is not None:
            self._carrier.scope.cancel()
        for lot in (self._arrivals, self._room, self._unwritten, self._written):
            lot.unpark_all()

    # --- the sockets' end ---------------------------------------------------------------------------------------------

    async def carry(self, socket: Socket, since: int | None = None) -> None:
        """Have ``socket`` carry the link, in place of any other, until it is lost, or the session is over.

        Its client has the messages up to number ``since``, which it `can_resume_after`; None is the first socket.
        """
        carrier = _Carrier(socket, since or 0)
        if since is not None:
            assert self._greeting is not None
            carrier.greeting = replace(self._greeting, resumed=True, received=self._received)
        self._attach(carrier, again=since is not None)
        try:
            with carrier.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write, carrier)
                    await self._read(carrier)
                    nursery.cancel_scope.cancel()
            self._detach(carrier)
            if (goodbye := carrier.goodbye or self._goodbye) is not None:
                await socket.close(*goodbye)
        except Exception:
            # A defect ends the session, openly: come back to, it would strike again.
            carrier.goodbye = Goodbye(Farewell.INTERNAL, "internal error")
            self.end()
            with suppress(Exception):
                await socket.close(*carrier.goodbye)
            raise
        finally:
            self._detach(carrier)
            carrier.over.set()

    def _attach(self, carrier: _Carrier, *, again: bool) -> None:
        before, self._carrier = self._carrier, carrier
        self._ends_at = inf
        if before is not None:
            before.goodbye = before.goodbye or TAKEN_OVER
            before.scope.cancel()
        if self._over.is_set():
            carrier.scope.cancel()
        elif again:
            self._put(m.Attached(sounds=tuple(self._sent.sounds_through(carrier.next - 1))))
        self._written.unpark_all()

    def _detach(self, carrier: _Carrier) -> None:
        if self._carrier is not carrier:
            return
        self._carrier = None
        if self._over.is_set():
            return
        is_unknown = carrier.greeting is None and carrier.next == 1
        if carrier.socket.left or is_unknown or not self._resume_s:
            # It has left, or was never told by which name it could come back.
            self.end()
            return
        self._ends_at = trio.current_time() + self._resume_s
        self._put(m.Detached())
        self._written.unpark_all()

    async def _read(self, carrier: _Carrier) -> None:
        while True:
            while self._came:
                await self._room.park()
            try:
                command: m.Command | Malformed = await carrier.socket.receive()
            except LinkClosed:
                return
            except Malformed as error:
                command = error
            if self._carrier is not carrier:
                # It had been handed over when another socket came, whose client was told that it is not here.
                return
            self._received += 1
            if isinstance(command, m.Played):
                self._sent.played(command.turn, command.samples, carrier.next - 1)
            self._put(command)
            if isinstance(command, Malformed):
                # It is the last: the session says goodbye.
                await trio.sleep_forever()

    async def _write(self, carrier: _Carrier) -> None:
        try:
            if carrier.greeting is not None:
                await carrier.socket.send(carrier.greeting)
            while True:
                while carrier.next > self._sent.last:
                    await self._unwritten.park()
                await carrier.socket.send(self._sent[carrier.next])
                carrier.next += 1
                self._written.unpark_all()
        except LinkClosed:
            carrier.scope.cancel()

    def _put(self, command: m.Command | Malformed) -> None:
        if not self._over.is_set():
            self._came.append(command)
            self._arrivals.unpark_all()
