"""The listening sockets, and what Hypercorn is told to do with its connections."""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
from typing import Any

import structlog

from voice_trio.config import Settings
from voice_trio.core.errors import Mendable
from voice_trio.core.messages import MAX_MESSAGE_BYTES
from voice_trio.server.addresses import is_loopback, parse
from voice_trio.server.connections import Connections
from voice_trio.server.hypercorn.config import HardConfig

TRANSPORT_LIMIT_BYTES = 2 * MAX_MESSAGE_BYTES
"""Above the protocol's own limit, so that a client that exceeds that is told so before it is cut off."""

PING_INTERVAL_S = 15.0
READ_TIMEOUT_S = 40
"""A peer that vanishes without a word misses two pings, and is gone after this time."""

_UNACKNOWLEDGED_MS = 40_000
"""The same from below: how long TCP itself waits for a peer to acknowledge what was sent."""

_IDLE_HTTP_S = 5.0
"""How long an HTTP connection may wait for its next request, and take to send the head of one."""

_GRACEFUL_S = 0.2
"""Every session has said goodbye before; the rest is a page's last bytes."""


_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""No interface of this machine has the address, or no address of its family."""

_PORT_TRIES = 20
"""A port that is free in one family can be taken in the other, by chance."""

log = structlog.get_logger()

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
"""Its family, and what `socket.bind` takes there."""


class CannotListen(Mendable):
    """The address cannot be listened on; the message says which, why, and what to do."""


def listen(settings: Settings, port_of: str = "STREAM_PORT") -> list[socket.socket]:
    """Return sockets that listen where ``settings`` say, one for each address of that. Raises `CannotListen`.

    That names ``port_of`` as what chooses the port.

    A socket of its own for each family, rather than one for both: a client's address is then always written in its own
    family's way.
    """
    where = f"{settings.host} port {settings.port}"
    try:
        addresses = _addresses(settings)
        if not (all(is_loopback(str(at[0])) for _, at in addresses) or settings.auth_token or settings.insecure):
            raise CannotListen(
                f"Cannot listen on {where} without a token, because others can reach that address: set "
                "STREAM_AUTH_TOKEN to a long random text, or say --insecure to let everybody in."
            )
        listening = _listen_on(addresses)
    except (OSError, UnicodeError) as error:
        raise CannotListen(
            f"Cannot listen on {where}: {_reason(error)}. Choose another address with STREAM_HOST and {port_of}"
            f"{', or end the program that uses this one' if _is_taken(error) else ''}."
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        for one in listening:
            # Connections inherit it from the socket that accepts them.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
    return listening


def _addresses(settings: Settings) -> list[Address]:
    """Return every address that the host stands for. Raises OSError, and UnicodeError for what can be no name."""
    found: dict[Address, None] = {}
    port = settings.port
    for family, *_, at in socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
        address = parse(str(at[0]))
        if address.version == 4:
            found[socket.AF_INET, (str(address), port)] = None
        else:
            found[family, at] = None
        if str(address) == "::":
            # Elsewhere that means both families, and nobody who writes it means IPv6 alone.
            found[socket.AF_INET, ("0.0.0.0", port)] = None
    return list(found)


def _listen_on(addresses: list[Address]) -> list[socket.socket]:
    """Return a socket for each of ``addresses`` that this machine has, all of one port. Raises OSError."""
    for _ in range(_PORT_TRIES):
        try:
            return _listen_once(addresses)
        except OSError as error:
            chosen = addresses[0][1][1] != 0
            if chosen or not _is_taken(error):
                raise
            taken = error
    raise taken


def _listen_once(addresses: list[Address]) -> list[socket.socket]:
    listening: list[socket.socket] = []
    missing: dict[str, OSError] = {}
    try:
        for family, (host, port, *link) in addresses:
            if port == 0 and listening:
                port = listening[0].getsockname()[1]
            try:
                listening.append(socket.create_server((host, port, *link), family=family))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing[host] = error
        if not listening:
            raise next(iter(missing.values()))
    except OSError:
        for one in listening:
            one.close()
        raise
    for host, cause in missing.items():
        log.warning("not listening at an address that this machine does not have", address=host, reason=_reason(cause))
    return listening


def _reason(error: OSError | UnicodeError) -> str:
    # `create_server` adds its arguments to the system's words; a resolver's errors have numbers of their own.
    if isinstance(error, UnicodeError):
        return "that can be no name"
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _is_taken(error: OSError | UnicodeError) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def open_connections(settings: Settings) -> Connections:
    """Return the register of connections that ``settings`` want."""
    return Connections(settings.max_connections, settings.max_connections_per_address, settings.trusted_proxies)


def hypercorn_config(
    settings: Settings, listening: list[socket.socket], connections: Connections, tls: ssl.SSLContext | None
) -> HardConfig:
    """Return Hypercorn's configuration; it takes ``listening`` over, and closes them."""
    config = HardConfig(connections, settings.send_timeout_s, tls)
    config.bind = [f"fd://{one.detach()}" for one in listening]
    config.websocket_max_message_size = TRANSPORT_LIMIT_BYTES
    config.websocket_ping_interval = PING_INTERVAL_S
    config.read_timeout = READ_TIMEOUT_S
    config.keep_alive_timeout = _IDLE_HTTP_S
    config.ssl_handshake_timeout = _IDLE_HTTP_S
    config.graceful_timeout = _GRACEFUL_S
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.loglevel = "WARNING"
    return config
