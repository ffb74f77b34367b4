"""One TCP connection: admitted, fenced in, and cut when it does not take what is sent."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from math import inf
from typing import Any

import structlog
import trio
from hypercorn.events import Closed, Event as TransportEvent, RawData
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import MAX_RECV, TCPServer

from voice_trio.core.errors import first_leaf
from voice_trio.server.allowance import ALLOWANCE, CONNECTION
from voice_trio.server.hypercorn.config import HardConfig, Violation, nursery_of
from voice_trio.server.hypercorn.http import HardH11Protocol

log = structlog.get_logger()

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER switched on, with no time at all."""

_WHATEVER_IT_IS = 2**31 - 1
"""Bytes unsent of which the system takes more, where there is no end to it."""

_READ_OUT_S = 1.0
"""How long what a peer still sends is thrown away: a socket closed on unread bytes resets the connection, and with that
destroys what was said last."""

_NO_ROOM = b"HTTP/1.1 503 \r\nretry-after: 15\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HardTCPServer(TCPServer):
    """One connection."""

    config: HardConfig

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lingering = False
        self._reading_over = trio.Event()

    async def run(self) -> None:
        """Serve the connection; nothing that happens in it comes out of it."""
        connections, address = self.config.connections, self._address()
        with connections.admit(self, address) as admitted:
            if not admitted:
                await self._turn_away()
                return
            try:
                with self.config.allowances.open(None if connections.is_trusted(address) else address) as allowance:
                    self.config = self.config.copy_for(allowance)
                    # The application finds it in the state of each request.
                    self.state = {**self.state, ALLOWANCE: allowance}
                    await allowance.pay(CONNECTION)
                    await super().run()
            except* Violation as violations:
                connections.incidents["violated"] += 1
                log.debug("connection refused", reasons=[str(error) for error in violations.exceptions])
            except* Exception as group:
                connections.incidents["crashed"] += 1
                if self.config.failure_lines.take(1, trio.current_time()):
                    cause = repr(first_leaf(group))[:200]
                    log.warning("connection failed", error=cause, incidents=connections.incidents)
            finally:
                self.close()

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
            nursery_of(self._task_group).cancel_scope.cancel()

    async def _read_data(self) -> None:
        # The idle clock runs in the connection's nursery: left alone, it keeps that open for its whole time.
        try:
            await self._read()
        except Violation:
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
        """Reset the connection; tasks that wait for its socket are woken.

        A socket that is just closed goes on offering what the peer does not take, and keeps it in memory.
        """
        raw = self._transport().socket
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        raw.close()

    def deliver(self) -> None:
        """Have the system take what the peer does not read yet, as far as it has room: minutes of speech.

        Trio keeps that to a few kilobytes, which is right as long as a reply may be cut off. Tasks that wait for room
        are woken by this.
        """
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with suppress(OSError):
                self._transport().setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _WHATEVER_IT_IS)

    def close(self) -> None:
        """Close the connection, and leave to the system what it took and the peer has not read."""
        self._transport().socket.close()

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
