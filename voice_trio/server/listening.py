"""The listening socket, and what Hypercorn is told to do with its connections."""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl

from voice_trio.config import ConfigError, Settings
from voice_trio.core.messages import MAX_MESSAGE_BYTES
from voice_trio.server.access import is_loopback
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


class CannotListen(Exception):
    """The address cannot be listened on; the message says which, why, and what to do."""


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where ``settings`` say. Raises `CannotListen`."""
    where = f"{settings.host} port {settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        if not (is_loopback(str(address[0])) or settings.auth_token or settings.insecure):
            raise CannotListen(
                f"Cannot listen on {where} without a token, because others can reach that address: set "
                "STREAM_AUTH_TOKEN to a long random text, or say --insecure to let everybody in."
            )
        listening = socket.create_server(address[:2], family=family)
    except OSError as error:
        # `create_server` adds its arguments to the system's words; a resolver's errors have numbers of their own.
        if error.errno is None or isinstance(error, socket.gaierror):
            reason = error.strerror or str(error)
        else:
            reason = os.strerror(error.errno)
        instead = ", or end the program that uses this one" if error.errno == errno.EADDRINUSE else ""
        raise CannotListen(
            f"Cannot listen on {where}: {reason}. Choose another address with STREAM_HOST and STREAM_PORT{instead}."
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Connections inherit it from the socket that accepts them.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
    return listening


def open_connections(settings: Settings) -> Connections:
    """Return the register of connections that ``settings`` want. Raises `ConfigError`."""
    try:
        return Connections(settings.max_connections, settings.max_connections_per_address, settings.trusted_proxies)
    except ValueError as error:
        raise ConfigError(f"STREAM_TRUSTED_PROXIES is {settings.trusted_proxies!r}: {error}.") from None


def hypercorn_config(
    settings: Settings, listening: socket.socket, connections: Connections, tls: ssl.SSLContext | None
) -> HardConfig:
    """Return Hypercorn's configuration; it takes ``listening`` over, and closes it."""
    config = HardConfig(connections, settings.send_timeout_s, tls)
    config.bind = [f"fd://{listening.detach()}"]
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
