"""HTTP/1.1 as Hypercorn speaks it, within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import h11
import trio
from h11._receivebuffer import ReceiveBuffer
from hypercorn.events import RawData
from hypercorn.protocol.events import Body, Data, Event, Response
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.http_stream import HTTPStream

from voice_trio.server.allowance import BAD_REQUEST, BODY_PIECE, HEAD_BYTE, REQUEST
from voice_trio.server.hypercorn.config import HardConfig, Violation, nursery_of

_HEAD_LINES = 100
_HEAD_BYTES = 16_384
_HEAD_TOO_LARGE = 431


class ShortHeads(ReceiveBuffer):
    """What has arrived and was not read, from which no head or trailer is taken that takes long to read.

    h11 bounds a head that is not here in full; one of 13,000 lines that comes at once takes it 70 ms, and those who
    read the headers after it as much again.
    """

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines up to the next empty one; None if it is not here yet."""
        lines: list[bytearray] | None = super().maybe_extract_lines()
        if lines and (len(lines) > _HEAD_LINES or sum(map(len, lines)) > _HEAD_BYTES):
            raise h11.LocalProtocolError("the head is too large", error_status_hint=_HEAD_TOO_LARGE)
        return lines


class HardH11Protocol(H11Protocol):
    """HTTP/1.1 that closes when it should, and stays HTTP/1.1."""

    config: HardConfig

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        http: Any = self.connection
        http._receive_buffer = ShortHeads()

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
        if isinstance(event, Response) and self.body_is_coming:
            # The connection closes behind this answer; a client that is not told so sends its next request there.
            event = replace(event, headers=[*event.headers, (b"connection", b"close")])
        with trio.fail_after(2 * self.config.send_timeout_s, shield=True):
            try:
                await super().stream_send(event)
            except h11.LocalProtocolError:
                # The peer broke off in a way that leaves no room for this answer. That is no error of the handler's,
                # which would log it at length: the handler ends here, at its next checkpoint.
                self.config.connections.incidents["violated"] += 1
                nursery_of(self.task_group).cancel_scope.cancel()

    async def _check_protocol(self, event: Any) -> None:
        # What asks for HTTP/2 in clear text is answered in HTTP/1.1; the protocol's own preface is no request at all.
        if event.http_version not in (b"1.0", b"1.1"):
            await self._send_error_response(505)
            raise Violation("HTTP/2")

    async def _send_error_response(self, status_code: int) -> None:
        await self.config.allowance.pay(BAD_REQUEST)
        await super()._send_error_response(status_code)

    async def _create_stream(self, request: h11.Request) -> None:
        size = len(request.target) + sum(len(name) + len(value) for name, value in request.headers)
        await self.config.allowance.pay(REQUEST + size * HEAD_BYTE)
        await super()._create_stream(request)


class HardHTTPStream(HTTPStream):
    """One request, whose body costs by the piece: there may be a million of a byte each."""

    config: HardConfig

    async def handle(self, event: Event) -> None:
        """Take what comes from the peer."""
        if isinstance(event, Body):
            await self.config.allowance.pay(BODY_PIECE)
        await super().handle(event)
