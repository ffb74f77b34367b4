"""Hypercorn on an open port: small subclasses of its own classes, each with the reason beside it.

As it comes, Hypercorn 0.18 on Trio can be ended by one malformed request, hung for ever by one client that stops
reading, and filled by one message. What is mended here, override by override (`tests/server/test_hardening.py` shows
for each what fails without it, so that an upgrade shows which can go):

- whatever goes wrong in a connection ends that connection, and never its neighbours (`run`, `__aexit__`);
- no send lasts longer than `send_timeout_s`: then the socket is closed and the connection's tasks are cancelled
  (`protocol_send`);
- a connection that is over ends its idle clock (`_read_data`), and with its handler ends its pings, and whoever waits
  to hand that handler something (`app_send`);
- the end of an HTTP answer is not cut short by the handler's own end (`stream_send`), nor by a request that was still
  on its way when it was answered (`_linger`), and who waits for one is not taken for gone (`_read`);
- a message is bounded while it arrives, by size and by number of fragments (`Bounded`, `_handle_events`);
- no compression (`_plain`), and no HTTP/2 by the back door (`_check_protocol`).
"""

from __future__ import annotations

import importlib
import socket
import ssl
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from math import inf
from typing import Any

import h11
import structlog
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.events import Event as TransportEvent
from hypercorn.protocol.events import Body, Data, Event, Request
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WebsocketBuffer, WSStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import MAX_RECV, TCPServer
from wsproto.events import CloseConnection, Message
from wsproto.frame_protocol import CloseReason

from voice_trio.core.groups import first_leaf
from voice_trio.core.rate import TokenBucket
from voice_trio.server.connections import Connections

log = structlog.get_logger()

_HYPERCORN = "0.18."

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER switched on, with no time at all."""

_READ_OUT_S = 1.0
"""How long what a peer still sends is thrown away: a socket closed on unread bytes resets the connection, and with that
destroys what was said last."""

_NO_ROOM = b"HTTP/1.1 503 \r\nretry-after: 15\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_LEAST_FRAGMENT_BYTES = 64
"""What a fragment counts for at least: a message of endless empty ones is endless too."""

_LOG_LINES_PER_S = 5.0
"""Failed connections that are logged one by one; the counter has them all."""


class UnsupportedHypercorn(Exception):
    """Another version than the one whose insides are known here."""


class Refused(Exception):
    """The peer broke the rules, was told so where that is possible, and is to be cut off."""


class HardConfig(Config):
    """Hypercorn's settings and ours."""

    def __init__(self, connections: Connections, send_timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        self.connections = connections
        self.send_timeout_s = send_timeout_s
        self.failure_lines = TokenBucket(_LOG_LINES_PER_S, _LOG_LINES_PER_S)
        self._tls = tls

    @property
    def ssl_enabled(self) -> bool:
        """Whether the socket speaks TLS."""
        return self._tls is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        """Return our context, in which no HTTP/2 is offered."""
        return self._tls


class HardTCPServer(TCPServer):
    """One connection: admitted, fenced in, and cut when it does not take what is sent."""

    config: HardConfig

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lingering = False
        self._reading_over = trio.Event()

    async def run(self) -> None:
        """Serve the connection; nothing that happens in it comes out of it."""
        connections = self.config.connections
        with connections.admit(self, self._address()) as admitted:
            if not admitted:
                await self._turn_away()
                return
            try:
                await super().run()
            except* Refused as refused:
                connections.incidents["violated"] += 1
                log.debug("connection refused", reasons=[str(error) for error in refused.exceptions])
            except* Exception as group:
                connections.incidents["crashed"] += 1
                if self.config.failure_lines.take(1, trio.current_time()):
                    cause = repr(first_leaf(group))[:200]
                    log.warning("connection failed", error=cause, incidents=connections.incidents)
            finally:
                self._transport().socket.close()

    async def _turn_away(self) -> None:
        """Say 503 if the peer can be told in a moment; one that speaks TLS cannot."""
        if not self.config.ssl_enabled:
            with trio.move_on_after(_READ_OUT_S), suppress(trio.BrokenResourceError):
                await self.stream.send_all(_NO_ROOM)

    async def protocol_send(self, event: TransportEvent) -> None:
        """Send within the limit, or close the socket and cancel the connection's tasks.

        A send must be shielded, for half a frame would break the stream; but a shield without a deadline belongs to
        the peer.
        """
        if isinstance(event, Closed):
            await self._linger()
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        try:
            # To acquire a lock that is free takes a turn through the event loop all the same.
            self.send_lock.acquire_nowait()
        except trio.WouldBlock:
            await self.send_lock.acquire()
        try:
            with trio.move_on_after(self.config.send_timeout_s, shield=True) as limit:
                try:
                    await self.stream.send_all(event.data)
                except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
                    # Busy is a socket that another task is closing.
                    await self.protocol.handle(Closed())
        finally:
            self.send_lock.release()
        if limit.cancelled_caught:
            self.config.connections.incidents["stuck"] += 1
            log.info("connection cut: the peer does not read", limit_s=self.config.send_timeout_s)
            self.abort()
            _nursery_of(self._task_group).cancel_scope.cancel()

    async def _read_data(self) -> None:
        # The idle clock runs in the connection's nursery: left alone, it keeps that open for its whole time.
        try:
            await self._read()
        except Refused:
            await self._read_out()
            raise
        finally:
            self._reading_over.set()
            await self.idle_task.stop()

    async def _read(self) -> None:
        """Hand on what comes, as Hypercorn does, except that it hangs up on a peer that waits longer for an answer."""
        data = b"."
        while data:
            limit_s = inf if self._http().owes_answer else self.config.read_timeout or inf
            try:
                with trio.fail_after(limit_s):
                    data = bytes(await self.stream.receive_some(MAX_RECV))
            except (trio.ClosedResourceError, trio.BrokenResourceError, trio.TooSlowError):
                break
            if not self._lingering:
                await self.protocol.handle(RawData(data))
        await self.protocol.handle(Closed())

    async def _linger(self) -> None:
        """Let a peer that was answered before it had sent its whole request read that answer."""
        if not self._http().body_is_coming:
            return
        self._lingering = True
        with trio.move_on_after(min(_READ_OUT_S, self.config.send_timeout_s)):
            await self._reading_over.wait()

    async def _read_out(self) -> None:
        with trio.move_on_after(_READ_OUT_S):
            try:
                while await self.stream.receive_some():
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass

    def abort(self) -> None:
        """Reset the connection; whoever waits for its socket is woken.

        A socket that is just closed goes on offering what the peer does not take, and keeps it in memory.
        """
        raw = self._transport().socket
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        raw.close()

    def _http(self) -> HardH11Protocol:
        # Nothing else is spoken here.
        protocol: Any = self.protocol.protocol
        http: HardH11Protocol = protocol
        return http

    def _transport(self) -> trio.SocketStream:
        # Hypercorn declares every stream as one with TLS.
        stream: Any = self.stream
        below: trio.SocketStream = stream.transport_stream if self.config.ssl_enabled else stream
        return below

    def _address(self) -> str:
        try:
            return str(self._transport().socket.getpeername()[0])
        except OSError:
            return ""


class HardTaskGroup(TaskGroup):
    """The nursery of one connection, whose cancellation stays in it."""

    async def __aexit__(self, *raised: Any) -> bool | None:  # type: ignore[override]
        """Leave the nursery, and say whether it took what was ``raised`` upon itself.

        Hypercorn does not say so: then the `Cancelled` of a connection's own nursery goes up into the server's, and
        quietly ends the server.
        """
        assert self._nursery_manager is not None
        return await self._nursery_manager.__aexit__(*raised)


class HardH11Protocol(H11Protocol):
    """HTTP/1.1 that closes when it should, and stays HTTP/1.1."""

    config: HardConfig

    @property
    def owes_answer(self) -> bool:
        """Whether a request is here in full, and its answer is not out."""
        http = self.connection
        return (
            isinstance(http, h11.Connection)
            and http.their_state in (h11.DONE, h11.MUST_CLOSE)
            and http.our_state in (h11.SEND_RESPONSE, h11.SEND_BODY)
        )

    @property
    def body_is_coming(self) -> bool:
        """Whether a request's body is still on its way."""
        return isinstance(self.connection, h11.Connection) and self.connection.their_state is h11.SEND_BODY

    async def stream_send(self, event: Event) -> None:
        """Pass on what a handler says, to the end.

        Telling a Quart-Trio handler that its answer is out cancels the very task in which the connection was about
        to be closed, or its idle clock wound up: neither happened.
        """
        if isinstance(event, Data):
            # A WebSocket's frame: nothing of the connection's end hangs on it, and there are many.
            await self.send(RawData(event.data))
            return
        with trio.fail_after(2 * self.config.send_timeout_s, shield=True):
            try:
                await super().stream_send(event)
            except h11.LocalProtocolError:
                # The peer broke off in a way that leaves no room for this answer. That is no error of the handler's,
                # which would log it at length: the handler ends here, at its next checkpoint.
                self.config.connections.incidents["violated"] += 1
                _nursery_of(self.task_group).cancel_scope.cancel()

    async def _check_protocol(self, event: Any) -> None:
        # What asks for HTTP/2 in clear text is answered in HTTP/1.1; the protocol's own preface is no request at all.
        if event.http_version not in (b"1.0", b"1.1"):
            await self._send_error_response(505)
            raise Refused("HTTP/2")


class Bounded(WebsocketBuffer):
    """A message as it arrives. Raises `Refused` before it is longer than ``max_length``, in bytes."""

    def extend(self, event: Message[Any]) -> None:
        """Append a fragment."""
        size = len(event.data) if isinstance(event.data, bytes | bytearray) else len(event.data.encode())
        self._taken += max(size, _LEAST_FRAGMENT_BYTES)
        if self._taken > self.max_length:
            self.clear()
            raise Refused("message too large")
        super().extend(event)

    def clear(self) -> None:
        """Forget what has arrived."""
        self._taken = 0
        super().clear()

    _taken = 0


class HardWSStream(WSStream):
    """A WebSocket whose messages are bounded, uncompressed, and over when its handler is."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.buffer = Bounded(self.config.websocket_max_message_size)

    async def handle(self, event: Event) -> None:
        """Take what comes from the peer."""
        if isinstance(event, Request):
            event = self._plain(event)
        if isinstance(event, Body | Data) and not self.closed and not self.handshake.accepted:
            # Hypercorn says 400 while the handler may be saying 101, and never tells the handler that it is deaf.
            self.closed = True
            raise Refused("data before the handshake")
        await super().handle(event)
        if self.closed and isinstance(event, Request):
            # The line above said 400 or 404 to a bad handshake, and left the socket open.
            raise Refused("bad handshake")

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
        await super().app_send(message)
        if message is None:
            _nursery_of(self.task_group).cancel_scope.cancel()

    async def _handle_events(self) -> None:
        try:
            await super()._handle_events()
        except Refused:
            await self._send_wsproto_event(CloseConnection(code=CloseReason.MESSAGE_TOO_BIG))
            raise


def _nursery_of(task_group: Any) -> trio.Nursery:
    nursery: trio.Nursery = task_group._nursery
    return nursery


async def _to_nobody(event: object) -> None:
    await trio.lowlevel.checkpoint()


REPLACED: Mapping[tuple[str, str], type] = {
    ("hypercorn.trio.run", "TCPServer"): HardTCPServer,
    ("hypercorn.trio.tcp_server", "TaskGroup"): HardTaskGroup,
    ("hypercorn.protocol", "H11Protocol"): HardH11Protocol,
    ("hypercorn.protocol.h11", "WSStream"): HardWSStream,
}
"""Where Hypercorn names one of its classes -> what stands there instead."""


def install() -> None:
    """Put our classes in the place of Hypercorn's, as often as one likes. Raises `UnsupportedHypercorn`."""
    found = version("hypercorn")
    if not found.startswith(_HYPERCORN):
        raise UnsupportedHypercorn(
            f"voice_trio's protection against hostile clients fits Hypercorn {_HYPERCORN}*, and {found} is installed: "
            f"install hypercorn=={_HYPERCORN}*."
        )
    for (module, name), ours in REPLACED.items():
        setattr(importlib.import_module(module), name, ours)
