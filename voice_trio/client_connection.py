"""How a client gets to a server of /ws, and what stands there instead."""

from __future__ import annotations

import json
import re
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import h11
import trio
from trio_websocket import ConnectionRejected, HandshakeError, WebSocketConnection, wrap_client_stream
from wsproto.utilities import LocalProtocolError

from voice_trio import checks
from voice_trio.core.errors import Mendable

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
_SUBPROTOCOL = "voice-trio"


class CannotConnect(Mendable):
    """There is no voice_trio at that address; the message says what was found instead."""


class ServerBusy(CannotConnect):
    """The server has no room for a session now, or is stopping; the message says which."""

    def __init__(self, message: str, retry_after_s: int | None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """When to try again, in s, where that was told."""


_Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


async def _open_stream(url: str, ssl_context: ssl.SSLContext | None) -> _Stream:
    """Return a connection to the machine of ``url``. Raises `CannotConnect`."""
    host, port, _, tls = _parts(url)
    try:
        if not tls:
            return await trio.open_tcp_stream(host, port)
        return await trio.open_ssl_over_tcp_stream(host, port, ssl_context=ssl_context)
    except OSError as error:
        raise CannotConnect(f"No server answers at {url}: {error.strerror or error}.") from error


class Line(NamedTuple):
    """A connection."""

    socket: WebSocketConnection
    scope: trio.CancelScope
    """Ends it, without a goodbye."""


async def hold_line(
    url: str,
    token: str | None,
    ssl_context: ssl.SSLContext | None,
    offer: str | None,
    *,
    task_status: trio.TaskStatus[Line],
) -> None:
    """Have a connection to the server at ``url``, which has begun once this has started, until it is over.

    ``offer`` is what the handshake offers beside the protocol. Raises `CannotConnect`.
    """
    host, port, resource, tls = _parts(url)
    started = False
    try:
        # trio-websocket leaves the stream open when the server closes first. What a handshake fails of is raised by the
        # task that reads, in this nursery.
        async with await _open_stream(url, ssl_context) as stream:
            if isinstance(stream, trio.SSLStream):
                await _prove(stream, url)
            async with trio.open_nursery() as nursery:
                with trio.fail_after(_HANDSHAKE_S):
                    socket = await wrap_client_stream(
                        nursery,
                        stream,
                        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                        resource,
                        subprotocols=[_SUBPROTOCOL, offer] if offer else None,
                        # A token may be any text; a header's bytes need not be ASCII.
                        extra_headers=[(b"authorization", b"Bearer " + token.encode())] if token else None,
                        message_queue_size=_MESSAGES,
                        max_message_size=_MESSAGE_BYTES,
                    )
                started = True
                task_status.started(Line(socket, nursery.cancel_scope))
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        match group.exceptions[0]:
            case ConnectionRejected() as rejected:
                raise _refusal(url, rejected) from rejected
            case LocalProtocolError() if started:
                # A ping that arrived after we began to say goodbye; trio-websocket answers it all the same.
                return
            case HandshakeError() | trio.TooSlowError() | h11.ProtocolError() as error if not started:
                other = "" if tls else " If it speaks TLS, its address begins with https://."
                raise CannotConnect(f"{url} does not answer as a voice_trio server.{other}") from error
            case error:
                raise error from error.__cause__


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
