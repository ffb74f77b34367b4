"""A Trio client of /ws, as the CLI, the tools and the tests use it, and as other programs may."""

from __future__ import annotations

import json
import math
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from wsproto.utilities import LocalProtocolError

from voice_trio import checks
from voice_trio.core import messages as m
from voice_trio.core.codes import SoundCodec
from voice_trio.core.errors import Mendable
from voice_trio.microphone import Microphone
from voice_trio.session.link import Malformed
from voice_trio.wire.codec import Unprepared
from voice_trio.wire.native_caller import NativeCaller

SomeEvent = TypeVar("SomeEvent", bound=m.Event)

_MESSAGES = 10_000
"""Messages that may wait to be heard: the connection reads, and answers pings, only while there is room."""

_MESSAGE_BYTES = 1 << 20

_HANDSHAKE_S = 10.0
_BODY_CHARS = 100
_MESSAGE_CHARS = 300
_SECONDS = re.compile(rb"[0-9]{1,6}")
"""A header Retry-After may be a date as well."""

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
"""How an address may begin -> how the wire is spoken there."""

_PATH = "/ws"
_EXAMPLE = "http://127.0.0.1:8765"
_CLOSE_S = 2.0


class CannotConnect(Mendable):
    """There is no voice_trio at that address; the message says what was found instead."""


class ServerBusy(CannotConnect):
    """The server has no room for a session now, or is stopping; the message says which."""

    def __init__(self, message: str, retry_after_s: int | None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """When to try again, in s, where that was told."""


class SessionClosed(Exception):
    """The session is over; ``code`` and ``reason`` are those of the WebSocket's close."""

    def __init__(self, code: int | None, reason: str | None) -> None:
        super().__init__(f"the server closed the session: {reason or 'no reason given'} (code {code})")
        self.code = code
        self.reason = reason


class Client:
    """One session of a server. What the server says waits here until it is heard."""

    def __init__(self, connection: WebSocketConnection, codec: SoundCodec | None = None) -> None:
        self._connection = connection
        self._caller = NativeCaller(codec)
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
        try:
            await self._connection.send_message(data)
        except ConnectionClosed as closed:
            raise _session_closed(closed) from None

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
        return self._heard.popleft()

    async def hear_raw(self) -> str | bytes:
        """Return the next message as it is, known or not. Raises `SessionClosed` after the last one."""
        try:
            message: str | bytes = await self._connection.get_message()
        except ConnectionClosed as closed:
            raise _session_closed(closed) from None
        return message

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
) -> AsyncIterator[Client]:
    """Open a session with the server at ``url``. Raises `CannotConnect`.

    ``url`` is the page's address or that of /ws, with any of the schemes http, https, ws and wss, and whatever path
    stands before the page's. ``token`` is what such a server may want. Without ``ssl_context``, certificates are
    checked as usual. ``codec`` is how sound is coded in turns that do not say it themselves, where the server has it.
    What is raised is a `ServerBusy` where there is no room now.
    """
    host, port, resource, tls = _parts(url)
    try:
        # The stream is ours, because trio-websocket leaves it open when the server closes first.
        stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]
        if tls:
            stream = await trio.open_ssl_over_tcp_stream(host, port, ssl_context=ssl_context)
        else:
            stream = await trio.open_tcp_stream(host, port)
    except OSError as error:
        raise CannotConnect(f"No server answers at {url}: {error.strerror or error}.") from error
    connected = leaving = False
    async with stream:
        if isinstance(stream, trio.SSLStream):
            await _prove(stream, url)
        try:
            async with trio.open_nursery() as nursery:
                with trio.fail_after(_HANDSHAKE_S):
                    connection = await wrap_client_stream(
                        nursery,
                        stream,
                        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                        resource,
                        # A token may be any text; a header's bytes need not be ASCII.
                        extra_headers=[(b"authorization", b"Bearer " + token.encode())] if token else None,
                        message_queue_size=_MESSAGES,
                        max_message_size=_MESSAGE_BYTES,
                    )
                connected = True
                yield Client(connection, codec)
                leaving = True
                with trio.move_on_after(_CLOSE_S):
                    await connection.aclose()
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            # What a caller raised inside is to come out as it was, and not as a group of our nursery's.
            if len(group.exceptions) > 1:
                raise
            cause = group.exceptions[0]
            match cause:
                case ConnectionRejected():
                    raise _refusal(url, cause) from cause
                case LocalProtocolError() if leaving:
                    # A ping that arrived after we began to say goodbye; trio-websocket answers it all the same.
                    return
                case HandshakeError() | trio.TooSlowError() if not connected:
                    other = "" if tls else " If it speaks TLS, its address begins with https://."
                    raise CannotConnect(f"{url} does not answer as a voice_trio server.{other}") from cause
                case _:
                    raise cause from cause.__cause__


def trusting(cafile: Path) -> ssl.SSLContext:
    """Return what trusts the usual authorities and those in ``cafile``, a PEM file. Raises `CannotConnect`."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile)
    except ssl.SSLError as error:
        raise CannotConnect(f"{cafile} holds no certificate in PEM.") from error
    except OSError as error:
        raise CannotConnect(f"{cafile} cannot be read: {error.strerror or error}.") from error
    return context


async def _prove(stream: trio.SSLStream[trio.SocketStream], url: str) -> None:
    """Have the server show its certificate. Raises `CannotConnect`."""
    try:
        with trio.fail_after(_HANDSHAKE_S):
            await stream.do_handshake()
    except (trio.BrokenResourceError, trio.TooSlowError) as error:
        match error.__cause__:
            case ssl.SSLCertVerificationError() as untrusted:
                raise CannotConnect(
                    f"The certificate of {url} is not trusted: {untrusted.verify_message.rstrip('.')}. Give the "
                    "one that signed it with --cafile; one made up at the server's start cannot be trusted so: give "
                    "the server one with STREAM_CERTFILE and STREAM_KEYFILE."
                ) from error
        raise CannotConnect(f"{url} does not answer in TLS; without it an address begins with http://.") from error


def _parts(url: str) -> tuple[str, int, str, bool]:
    """Return host, port, resource and whether TLS is wanted."""
    try:
        parts = checks.web_address(url, tuple(_SCHEMES), example=_EXAMPLE)
    except ValueError as error:
        raise CannotConnect(f"{url} is no address of a server; one looks like {_EXAMPLE}.") from error
    tls = _SCHEMES[parts.scheme] == "wss"
    path, question, query = parts.raw_path.decode("ascii").partition("?")
    path = path.rstrip("/")
    if not path.endswith(_PATH):
        path += _PATH
    return parts.raw_host.decode("ascii"), parts.port or (443 if tls else 80), path + question + query, tls


def _refusal(url: str, rejected: ConnectionRejected) -> CannotConnect:
    """Return what a handshake that was answered with an HTTP status means."""
    text = (rejected.body or b"").decode(errors="replace").strip()
    if rejected.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        try:
            error = json.loads(text)["error"]
            return ServerBusy(str(error["message"])[:_MESSAGE_CHARS], int(error["retry_after_s"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            # It is a proxy that says so, in a page.
            after = dict(rejected.headers).get(b"retry-after", b"")
            return ServerBusy(
                f"{url} has no server free for a session now", int(after) if _SECONDS.fullmatch(after) else None
            )
    body = "" if text.startswith("<") else text[:_BODY_CHARS]
    return CannotConnect(f"{url} refused the session: {rejected.status_code} {body}".strip())


def _session_closed(closed: ConnectionClosed) -> SessionClosed:
    if closed.reason is None:
        return SessionClosed(None, None)
    return SessionClosed(closed.reason.code, closed.reason.reason)
