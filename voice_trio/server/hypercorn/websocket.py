"""A WebSocket as Hypercorn speaks it, within bounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from sys import getsizeof
from typing import Any

import trio
from hypercorn.protocol.events import Body, Data, Event, Request, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WebsocketBuffer, WSStream
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Event as Frame, Message, Ping
from wsproto.frame_protocol import CloseReason

from voice_trio.server.allowance import ANSWERED_FRAME, FRAME, MESSAGE
from voice_trio.server.hypercorn.config import HardConfig, Violation, nursery_of

_LEAST_FRAGMENT_BYTES = 64
"""What a fragment counts for at least: a message of endless empty ones is endless too."""

_PAY_AT = 100
"""Units of work after which they are paid for: at the latest after 20 frames, and about a millisecond."""

_MESSAGES = "messages"
"""Under this name a request's ``state`` holds its connection's `Bounded`."""

_UNREAD = "unread"
"""The same for its `Unread`."""

_GOODBYE = "goodbye"
"""The same for its `PeersGoodbye`."""

_LEAVING = (CloseReason.NORMAL_CLOSURE, CloseReason.GOING_AWAY, CloseReason.NO_STATUS_RCVD)
"""Codes of a close by which the peer means it. Others tell of something that went wrong, as silence does."""

_STOPPING: Any = {"type": "websocket.close", "code": CloseReason.GOING_AWAY, "reason": "the server is stopping"}

_UNREAD_BYTES = 2 * 1024 * 1024
"""So much of several messages may wait for the handler; the queues before it hold twenty."""

_UNHEARD_FRAMES = 1_000
"""So many are read after our own close, for the peer's, which may lie behind what it had under way."""


class Bounded(WebsocketBuffer):
    """A message as it arrives. Raises `Violation` before it is longer than ``max_length``, in bytes."""

    def extend(self, event: Message[Any]) -> None:
        """Append a fragment."""
        size = len(event.data) if isinstance(event.data, bytes | bytearray) else len(event.data.encode())
        self._taken += max(size, _LEAST_FRAGMENT_BYTES)
        if self._taken > self.max_length:
            self.clear()
            raise Violation("message too large")
        super().extend(event)

    def clear(self) -> None:
        """Forget what has arrived."""
        self._taken = 0
        super().clear()

    _taken = 0


class Unread:
    """What of a connection's messages waits for the handler, in bytes of memory."""

    def __init__(self) -> None:
        self._bytes = 0
        self._room = trio.lowlevel.ParkingLot()

    async def wait_room(self, message: str | bytes) -> None:
        """Wait until ``message`` may wait as well, and count it in. One alone may be as long as it likes."""
        size = _size_of(message)
        while self._bytes and self._bytes + size > _UNREAD_BYTES:
            await self._room.park()
        self._bytes += size

    def take(self, message: str | bytes | None) -> None:
        """The handler has ``message``, just as it came."""
        self._bytes -= _size_of(message)
        self._room.unpark_all()


class PeersGoodbye:
    """Whether the peer of a connection has closed the WebSocket because it wants no more of it."""

    said = False


def _size_of(message: str | bytes | None) -> int:
    # One emoji makes a text four times as large. An empty message becomes None on its way.
    return getsizeof(message) if message else 0


class HardWSStream(WSStream):
    """A WebSocket whose messages are bounded, uncompressed, and over when its handler is."""

    config: HardConfig
    app_put: Callable[[Any], Awaitable[None]]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.buffer = Bounded(self.config.websocket_max_message_size)
        self._unread = Unread()
        self._goodbye = PeersGoodbye()
        self._owed = 0
        self._unheard = 0

    async def handle(self, event: Event) -> None:
        """Take what comes from the peer."""
        if isinstance(event, Request):
            event = self._plain(event)
            # The route may let longer ones in, once it knows who asks.
            event.state[_MESSAGES] = self.buffer
            event.state[_UNREAD] = self._unread
            event.state[_GOODBYE] = self._goodbye
            self._charge_client(event)
        if isinstance(event, Body | Data) and not self.closed and not self.handshake.accepted:
            # Hypercorn says 400 while the handler may be saying 101, and never tells the handler that it is deaf.
            self.closed = True
            raise Violation("data before the handshake")
        if isinstance(event, Body | Data) and self._unheard > _UNHEARD_FRAMES:
            return
        await super().handle(event)
        if self.closed and isinstance(event, Request):
            # The line above said 400 or 404 to a bad handshake, and left the socket open.
            raise Violation("bad handshake")

    def _plain(self, request: Request) -> Request:
        """Return ``request`` without its offer to compress.

        A compressed message is as large as it likes when unpacked, and PCM does not compress.
        """
        kept = [(name, value) for name, value in request.headers if name.lower() != b"sec-websocket-extensions"]
        return replace(request, headers=kept)

    async def app_send(self, message: Any) -> None:
        """Pass on what the handler says; its last word is None, and with that all is over.

        Otherwise pings go on for an interval, and a reader with more for the handler than its queue holds waits for
        ever.
        """
        if message is None:
            self.app_put = _to_nobody
            if self.state is ASGIWebsocketState.CONNECTED and self.context.terminated.is_set():
                # Hypercorn calls it an internal error when a handler ends without a goodbye, also where it was itself
                # that ended the handler, because the server stops.
                await super().app_send(_STOPPING)
        await super().app_send(message)
        if message is None:
            nursery_of(self.task_group).cancel_scope.cancel()

    async def _handle_events(self) -> None:
        """Do as Hypercorn does with each frame, for its price.

        Hypercorn's own loop has no checkpoint for a frame that is not, or never becomes, a message, and does not
        notice that it is over: 3 MB/s of pongs hold the whole server.
        """
        for frame in self.connection.events():
            if self.closed:
                return
            self._owed += _price(frame)
            if self.state is not ASGIWebsocketState.CLOSED:
                await self._handle_frame(frame)
            elif isinstance(frame, CloseConnection):
                await self._take_goodbye()
            else:
                self._unheard += 1
                if self._unheard > _UNHEARD_FRAMES:
                    return
            if self._owed >= _PAY_AT:
                owed, self._owed = self._owed, 0
                await self.config.allowance.pay(owed)

    async def _handle_frame(self, frame: Frame) -> None:
        if isinstance(frame, Message):
            try:
                self.buffer.extend(frame)
            except Violation:
                await self._send_wsproto_event(CloseConnection(code=CloseReason.MESSAGE_TOO_BIG))
                raise
            if frame.message_finished:
                message = self.buffer.to_message()
                self.buffer.clear()
                await self._unread.wait_room(message["text"] or message["bytes"] or b"")
                await self.app_put(message)
        elif isinstance(frame, Ping):
            await self._send_wsproto_event(frame.response())
        elif isinstance(frame, CloseConnection):
            self._goodbye.said = frame.code in _LEAVING
            if self.connection.state == ConnectionState.REMOTE_CLOSING:
                await self._send_wsproto_event(frame.response())
            await self._take_goodbye()

    async def _take_goodbye(self) -> None:
        await self.send(StreamClosed(stream_id=self.stream_id))

    def _charge_client(self, request: Request) -> None:
        """Charge the client behind a proxy, rather than the proxy."""
        connections, proxy = self.config.connections, self.client[0] if self.client else ""
        if connections.is_trusted(proxy):
            forwarded = [value.decode("latin-1") for name, value in request.headers if name == b"x-forwarded-for"]
            address = connections.client_behind(proxy, forwarded)
            if address != proxy:
                self.config.allowances.move(self.config.allowance, address)


def _price(frame: Frame) -> int:
    if isinstance(frame, Message) and frame.message_finished:
        return MESSAGE
    return ANSWERED_FRAME if isinstance(frame, Ping) else FRAME


async def _to_nobody(event: object) -> None:
    await trio.lowlevel.checkpoint()


def take_messages_of(scope: Mapping[str, Any], size: int) -> None:
    """Let messages of ``size`` bytes in from now on, on the connection of an ASGI ``scope``."""
    messages: Bounded | None = scope.get("state", {}).get(_MESSAGES)
    if messages is not None:  # or it is not our Hypercorn that serves it
        messages.max_length = size


def unread_of(scope: Mapping[str, Any]) -> Unread | None:
    """Return where the handler of an ASGI ``scope`` says what it has read; None where it is not our Hypercorn's."""
    unread: Unread | None = scope.get("state", {}).get(_UNREAD)
    return unread


def goodbye_of(scope: Mapping[str, Any]) -> PeersGoodbye:
    """Return what tells the handler of an ASGI ``scope`` whether its peer said goodbye: none, if not our Hypercorn."""
    goodbye: PeersGoodbye = scope.get("state", {}).get(_GOODBYE) or PeersGoodbye()
    return goodbye
