"""A small OpenAI-compatible chat server on loopback, which does as each test's script says.

One `Reply` of the script answers one request, in order; the last one answers all that follow. Every request is kept,
with how its connection ended, so that a test can ask whether a cancelled reply was closed upstream.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import h11
import trio


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one request gets."""

    tokens: Sequence[str] = ()
    delay_s: float = 0.0
    """Before each token."""
    finish: str | None = "stop"
    """The ``finish_reason``; None leaves the stream without one."""
    status: int = 200
    raw: Sequence[str] = ()
    """``data:`` lines sent as they are, after the tokens."""
    model: str = "m"
    """What the server calls it."""
    stops: bool = False
    """Say with every token that the reply ends there."""
    stall: bool = False
    """Say nothing more after the tokens, and keep the connection."""
    done: bool = True
    """Say ``[DONE]`` after the finish."""
    reset: bool = False
    """Reset the connection after the tokens, or, where there are none, instead of a response."""


@dataclass(slots=True)
class Request:
    """What one request asked, and how its connection ended."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int
    """Counts connections, so that a reused one is seen."""
    closed_by_client: trio.Event = field(default_factory=trio.Event)


@dataclass(slots=True)
class SSEServer:
    """A running server."""

    base_url: str
    script: list[Reply]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    """Taken so far."""
    on_request: Callable[[], None] = lambda: None
    """Called when a request has arrived, before it is answered."""
    is_idle: trio.Event = field(default_factory=trio.Event)
    """Set when the last connection that was taken has ended."""


def chunk(delta: dict[str, Any], finish: str | None = None, model: str = "m") -> str:
    """Return one chunk of a reply as the API spells it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]})


@asynccontextmanager
async def serve(*script: Reply) -> AsyncIterator[SSEServer]:
    """Serve ``script`` on a free port; every connection ends with the block."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        server = SSEServer(f"http://127.0.0.1:{port}/v1", list(script))

        async def handle(stream: trio.SocketStream) -> None:
            server.connections += 1
            server.is_idle = is_idle = trio.Event()
            with suppress(trio.BrokenResourceError):
                await _Connection(server, stream, server.connections).run()
            is_idle.set()

        nursery.start_soon(trio.serve_listeners, handle, listeners)
        yield server
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def serve_raw(answer: bytes) -> AsyncIterator[str]:
    """Answer each request on a free port with ``answer``, whatever it is, and close; yields the address."""

    async def handle(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
            http = h11.Connection(h11.SERVER)
            while not isinstance(event := http.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
                if event is h11.NEED_DATA:
                    http.receive_data(await stream.receive_some())
            await stream.send_all(answer)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, handle, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/v1"
        nursery.cancel_scope.cancel()


class _Connection:
    def __init__(self, server: SSEServer, stream: trio.SocketStream, number: int) -> None:
        self._server = server
        self._stream = stream
        self._number = number
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        while (request := await self._receive()) is not None:
            self._server.requests.append(request)
            self._server.on_request()
            script = self._server.script
            reply = script.pop(0) if len(script) > 1 else script[0]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, request, nursery.cancel_scope)
                try:
                    await self._answer(reply)
                except trio.BrokenResourceError:
                    request.closed_by_client.set()
                nursery.cancel_scope.cancel()
            if self._http.our_state is not h11.DONE or request.closed_by_client.is_set():
                return
            self._http.start_next_cycle()

    async def _watch(self, request: Request, answering: trio.CancelScope) -> None:
        """Notice that the client leaves while it is being answered; it sends nothing else meanwhile."""
        try:
            data = await self._stream.receive_some()
        except trio.BrokenResourceError:
            data = b""
        assert data == b""
        request.closed_by_client.set()
        answering.cancel()

    async def _receive(self) -> Request | None:
        head, body = None, bytearray()
        while True:
            try:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._http.receive_data(await self._stream.receive_some())
            except (h11.RemoteProtocolError, trio.BrokenResourceError):
                # Whoever asked has left in the middle of it.
                return None
            match event:
                case h11.NEED_DATA:
                    pass
                case h11.Request():
                    head = event
                case h11.Data():
                    body += event.data
                case h11.EndOfMessage():
                    assert head is not None
                    headers = {name.decode(): value.decode() for name, value in head.headers}
                    return Request(head.target.decode(), headers, json.loads(body), self._number)
                case _:
                    return None

    async def _answer(self, reply: Reply) -> None:
        if reply.status != 200:
            await self._refuse(reply.status)
            return
        if reply.reset and not reply.tokens:
            self._reset()
            return
        await self._send(h11.Response(status_code=200, headers=[("Content-Type", "text/event-stream")]))
        await self._data(chunk({"role": "assistant", "content": ""}, model=reply.model))
        for token in reply.tokens:
            await trio.sleep(reply.delay_s)
            await self._data(chunk({"content": token}, "stop" if reply.stops else None, reply.model))
        for line in reply.raw:
            await self._data(line)
        if reply.stall:
            await trio.sleep_forever()
        if reply.reset:
            self._reset()
            return
        if reply.finish is not None:
            await self._data(chunk({}, reply.finish))
            if reply.done:
                await self._data("[DONE]")
            else:
                await trio.sleep_forever()
        await self._send(h11.EndOfMessage())

    async def _refuse(self, status: int) -> None:
        # Servers repeat the key they were given; nothing of this may reach a person.
        error = {"message": "the key test-key is wrong", "type": "t", "code": "c"}
        body = json.dumps({"error": error}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        await self._send(h11.Response(status_code=status, headers=headers))
        await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    def _reset(self) -> None:
        # Lingering for no time makes the close that follows send RST.
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _data(self, line: str) -> None:
        await self._send(h11.Data(data=f"data: {line}\n\n".encode()))

    async def _send(self, event: Any) -> None:
        data = self._http.send(event)
        if data:
            await self._stream.send_all(data)
