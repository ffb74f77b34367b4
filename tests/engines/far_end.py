"""A far end on loopback that does as each test's script says, with the API for audio that it is asked by.

One `Answer` of the script answers one request, in order; the last one answers all that follow. Every request is kept,
with whether its client left before it was answered.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import h11
import trio


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request gets."""

    status: int = 200
    mimetype: str = "application/json"
    headers: Sequence[tuple[str, str]] = ()
    parts: Sequence[bytes] = ()
    """Of the body, sent one by one."""
    hangs: bool = False
    """Say nothing at all, and keep the connection."""
    stalls: bool = False
    """Say nothing more after the parts, and keep the connection."""
    breaks_off: bool = False
    """Close the connection after the parts, without the end of the body."""
    raw: bytes | None = None
    """Send this instead, and close."""


def words(text: str, **more: object) -> Answer:
    """Return the answer of a recognizer that has heard ``text``."""
    return Answer(parts=[json.dumps({"text": text, **more}).encode()])


def sound(*parts: bytes, **more: object) -> Answer:
    """Return the answer of a voice."""
    return Answer(mimetype="audio/pcm", parts=parts, **more)  # type: ignore[arg-type]


@dataclass(slots=True)
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    left: trio.Event = field(default_factory=trio.Event)
    """Set when its client closed the connection before it had the whole answer."""


@dataclass(slots=True)
class FarServer:
    """A running server."""

    url: str
    script: list[Answer]
    asked: list[Asked] = field(default_factory=list)
    arrived: trio.Event = field(default_factory=trio.Event)
    """Set at the first request."""


@asynccontextmanager
async def far_server(*script: Answer) -> AsyncIterator[FarServer]:
    """Serve ``script`` on a free port; every connection ends with the block."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        server = FarServer(f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}", list(script))

        async def handle(stream: trio.SocketStream) -> None:
            with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
                while await _serve_one(server, stream, h11.Connection(h11.SERVER)):
                    pass

        nursery.start_soon(trio.serve_listeners, handle, listeners)
        yield server
        nursery.cancel_scope.cancel()


async def unused_url() -> str:
    """Return an address at which nobody listens."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    return f"http://127.0.0.1:{port}"


async def _serve_one(server: FarServer, stream: trio.SocketStream, http: h11.Connection) -> bool:
    """Answer a request, and return whether another may come on the connection."""
    asked: Asked | None = None
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            http.receive_data(await stream.receive_some())
        elif isinstance(event, h11.Request):
            headers = {name.decode().lower(): value.decode() for name, value in event.headers}
            asked = Asked(event.target.decode(), headers, b"")
        elif isinstance(event, h11.Data):
            assert asked is not None
            asked.body += bytes(event.data)
        else:
            return False
    assert asked is not None
    server.asked.append(asked)
    answer = server.script.pop(0) if len(server.script) > 1 else server.script[0]
    server.arrived.set()
    goes_on = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch, stream, asked, nursery.cancel_scope)
        try:
            goes_on = await _answer(stream, http, answer)
        except trio.BrokenResourceError:
            asked.left.set()
        nursery.cancel_scope.cancel()
    return goes_on and not asked.left.is_set()


async def _watch(stream: trio.SocketStream, asked: Asked, answering: trio.CancelScope) -> None:
    """Notice that the client leaves while it is being answered; it sends nothing else meanwhile."""
    data = b""
    with suppress(trio.BrokenResourceError):
        data = await stream.receive_some()
    assert data == b""
    asked.left.set()
    answering.cancel()


async def _answer(stream: trio.SocketStream, http: h11.Connection, answer: Answer) -> bool:
    if answer.hangs:
        await trio.sleep_forever()
    if answer.raw is not None:
        await stream.send_all(answer.raw)
        return False
    headers = [("Content-Type", answer.mimetype), ("Transfer-Encoding", "chunked"), *answer.headers]
    await stream.send_all(http.send(h11.Response(status_code=answer.status, headers=headers)) or b"")
    for part in answer.parts:
        await stream.send_all(http.send(h11.Data(data=part)) or b"")
        await trio.lowlevel.checkpoint()
    if answer.stalls:
        await trio.sleep_forever()
    if answer.breaks_off:
        return False
    await stream.send_all(http.send(h11.EndOfMessage()) or b"")
    return True
