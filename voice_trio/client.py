"""A Trio client of /ws, as the CLI, the tools and the tests use it, and as other programs may."""

from __future__ import annotations

import math
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeGuard, TypeVar

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from voice_trio.client_connection import CannotConnect, Line, ServerBusy, hold_line, trusting
from voice_trio.client_resumption import BEGIN, Resumption
from voice_trio.core import messages as m
from voice_trio.core.codes import SoundCodec
from voice_trio.microphone import Microphone
from voice_trio.session.link import Malformed
from voice_trio.wire import native
from voice_trio.wire.codec import Unprepared
from voice_trio.wire.native_caller import NativeCaller

__all__ = ["CannotConnect", "Client", "ServerBusy", "SessionClosed", "connect", "is_such", "trusting"]

SomeEvent = TypeVar("SomeEvent", bound=m.Event)

_CLOSE_S = 2.0
_LOST = 1006
"""The close code that nobody sends: the connection is gone, without a goodbye."""
_BACK_S = (0.1, 3.0)
"""Before the first try to come back to a session, and between later ones at most: doubled each time."""
_TRY_S = 4.0
"""For one of them: what leads nowhere may answer nothing."""


class SessionClosed(Exception):
    """The session is over; ``code`` and ``reason`` are those of the WebSocket's close."""

    def __init__(self, code: int | None, reason: str | None) -> None:
        super().__init__(f"the server closed the session: {reason or 'no reason given'} (code {code})")
        self.code = code
        self.reason = reason


class Client:
    """One session of a server. What the server says waits here until it is heard."""

    def __init__(self, line: Line, codec: SoundCodec | None, dial: Callable[[str], Awaitable[Line]] | None) -> None:
        """``dial``, if there is one, makes connections that offer what it is given, where one is lost."""
        self._line = line
        self._caller = NativeCaller(codec)
        self._dial = dial
        """None also once there is no session to come back to."""
        self._resumption = Resumption()
        self._away = False
        """Whether somebody is coming back: what the lost connection still has is said again."""
        self._sending = trio.Lock()
        """Held by who sends, and by who comes back: what was kept goes first."""
        self._heard: deque[m.Event] = deque()
        """What the latest message says beyond the event that was returned."""

    async def ask(self, command: m.Command) -> None:
        """Send ``command``; sound as the latest `Start` wanted it. Raises `SessionClosed`."""
        try:
            messages = self._caller.encode(command)
        except Unprepared as unprepared:
            await trio.to_thread.run_sync(unprepared.prepare)
            messages = self._caller.encode(command)
        for message in messages:
            await self.send_raw(message)

    async def send_raw(self, data: str | bytes) -> None:
        """Send a message as it is, right or wrong. Raises `SessionClosed`."""
        async with self._sending:
            if self._dial is not None:
                self._resumption.keep(data)
            try:
                await self._line.socket.send_message(data)
            except ConnectionClosed as closed:
                await self._come_back(closed)
            except BaseException:
                # Cancelled, while others sent: it did not get out.
                self._resumption.take_back()
                raise

    async def speak(self, pcm: bytes, *, real_time: bool = True) -> None:
        """Send 16 kHz s16le mono ``pcm``, at the speed of speech or all at once. Raises `SessionClosed`."""
        async for message in Microphone(pcm, speed=1.0 if real_time else math.inf):
            await self.ask(m.Audio(message))

    async def hear(self) -> m.Event:
        """Return the next event that this version knows. Raises `SessionClosed` after the last one.

        Raises `CannotConnect` for what is no event at all.
        """
        while not self._heard:
            try:
                self._heard += self._caller.decode(await self.hear_raw())
            except Malformed as error:
                raise CannotConnect(f"The server says what is no event of /ws: {error}.") from error
        event = self._heard.popleft()
        if isinstance(event, m.SessionOpened):
            self._resumption.greeted(event)
        return event

    async def hear_raw(self) -> str | bytes:
        """Return the next message as it is, known or not. Raises `SessionClosed` after the last one."""
        while True:
            if self._away:
                async with self._sending:
                    pass
            line = self._line
            try:
                message: str | bytes = await line.socket.get_message()
            except ConnectionClosed as closed:
                async with self._sending:
                    if line is self._line:
                        await self._come_back(closed)
            else:
                self._resumption.came()
                return message

    async def close(self) -> None:
        """Say goodbye, so that the server waits for nobody."""
        with trio.move_on_after(_CLOSE_S, shield=True):
            await self._line.socket.aclose()

    @property
    def is_kept(self) -> bool:
        """Whether the server keeps the session for who loses the connection."""
        return self._dial is not None and self._resumption.name != ""

    async def _come_back(self, closed: ConnectionClosed) -> None:
        """Go on with the session over another connection, and send there what got lost.

        Raises `SessionClosed` if the session is over: the server said so, it no longer has it, or nothing leads there.
        """
        dial = self._dial if self.is_kept and _is_lost(closed) else None
        line = None
        if dial is not None:
            self._away = True
            try:
                with trio.move_on_after(self._resumption.waits_s):
                    line = await self._resumed(dial)
            finally:
                self._away = False
        if line is None:
            self._dial = None
            raise _session_closed(closed) from None
        self._line = line

    async def _resumed(self, dial: Callable[[str], Awaitable[Line]]) -> Line | None:
        """Return a connection over which the session goes on; None if the server no longer has it."""
        pause_s = _BACK_S[0]
        while True:
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, _BACK_S[1])
            with trio.move_on_after(_TRY_S), suppress(CannotConnect):
                line, goes_on = await dial(self._resumption.offer), False
                try:
                    goes_on = await self._goes_on(line.socket)
                except ConnectionClosed as closed:
                    if _is_lost(closed):
                        continue
                finally:
                    if not goes_on:
                        line.scope.cancel()
                return line if goes_on else None

    async def _goes_on(self, socket: WebSocketConnection) -> bool:
        """Return whether the session goes on over ``socket``; then what the server lacks was sent there."""
        try:
            greeting = native.decode_event(await socket.get_message())
        except Malformed:
            return False
        if not isinstance(greeting, m.SessionOpened) or not greeting.resumed:
            # It is another session, which nobody asked for.
            await socket.aclose()
            return False
        for message in self._resumption.lacking(greeting.received or 0):
            await socket.send_message(message)
        return True

    async def wait_for(self, kind: type[SomeEvent], **fields: Any) -> SomeEvent:
        """Return the next event of ``kind`` with these ``fields``, past all others. Raises as `hear` does."""
        while not is_such(event := await self.hear(), kind, fields):
            pass
        return event


def is_such(event: m.Event, kind: type[SomeEvent], fields: Mapping[str, Any]) -> TypeGuard[SomeEvent]:
    """Return whether ``event`` is of ``kind`` and has these ``fields``."""
    return isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
    codec: SoundCodec | None = None,
    resume: bool = False,
) -> AsyncIterator[Client]:
    """Open a session with the server at ``url``. Raises `CannotConnect`.

    ``url`` is the page's address or that of /ws, with any of the schemes http, https, ws and wss, and whatever path
    stands before the page's. ``token`` is what such a server may want. Without ``ssl_context``, certificates are
    checked as usual. ``codec`` is how sound is coded in turns that do not say it themselves, where the server has it.
    With ``resume`` a connection that is lost is made anew for as long as the server keeps the session, and whoever
    hears or speaks waits until then. What is raised is a `ServerBusy` where there is no room now.
    """
    try:
        async with trio.open_nursery() as nursery:

            async def dial(offer: str | None) -> Line:
                line: Line = await nursery.start(hold_line, url, token, ssl_context, offer)
                return line

            client = Client(await dial(BEGIN if resume else None), codec, dial if resume else None)
            try:
                yield client
            except BaseException:
                if client.is_kept:
                    # Or the server would wait for somebody who does not come back.
                    await client.close()
                raise
            await client.close()
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        # What a caller raised inside is to come out as it was, and not as a group of our nursery's.
        if len(group.exceptions) > 1:
            raise
        cause = group.exceptions[0]
        raise cause from cause.__cause__


def _session_closed(closed: ConnectionClosed) -> SessionClosed:
    if closed.reason is None:
        return SessionClosed(None, None)
    return SessionClosed(closed.reason.code, closed.reason.reason)


def _is_lost(closed: ConnectionClosed) -> bool:
    """Return whether nobody ended the connection."""
    return closed.reason is None or closed.reason.code == _LOST
