"""What Hypercorn is told, what our subclasses of it share, and how a connection is ended from inside."""

from __future__ import annotations

import ssl
from copy import copy
from typing import Any

import trio
from hypercorn.config import Config

from voice_trio.core.rate import TokenBucket
from voice_trio.server.allowance import Allowance, Allowances
from voice_trio.server.connections import Connections

_LOG_LINES_PER_S = 5.0
"""Failed connections that are logged one by one; the counter has them all."""


class HardConfig(Config):
    """Hypercorn's settings and ours."""

    allowance: Allowance
    """Of the connection that this copy is for: all that Hypercorn hands from one of its classes to the next."""

    def __init__(self, connections: Connections, send_timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        self.connections = connections
        self.allowances = Allowances()
        self.send_timeout_s = send_timeout_s
        self.failure_lines = TokenBucket(_LOG_LINES_PER_S, _LOG_LINES_PER_S)
        self._tls = tls

    def copy_for(self, allowance: Allowance) -> HardConfig:
        """Return these settings for one connection."""
        config = copy(self)
        config.allowance = allowance
        return config

    @property
    def ssl_enabled(self) -> bool:
        """Whether the socket speaks TLS."""
        return self._tls is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        """Return our context, in which no HTTP/2 is offered."""
        return self._tls


class Violation(Exception):
    """The peer broke the rules, was told so where that is possible, and is to be cut off."""


def nursery_of(task_group: Any) -> trio.Nursery:
    """Return the nursery that holds all tasks of one connection."""
    nursery: trio.Nursery = task_group._nursery
    return nursery
