"""Our classes in the place of Hypercorn's."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import version

from voice_trio.server.hypercorn.connection import HardTaskGroup, HardTCPServer
from voice_trio.server.hypercorn.http import HardH11Protocol, HardHTTPStream
from voice_trio.server.hypercorn.websocket import HardWSStream

_HYPERCORN = "0.18."


class UnsupportedHypercorn(Exception):
    """Another version than the one whose insides are known here."""


REPLACED: Mapping[tuple[str, str], type] = {
    ("hypercorn.trio.run", "TCPServer"): HardTCPServer,
    ("hypercorn.trio.tcp_server", "TaskGroup"): HardTaskGroup,
    ("hypercorn.protocol", "H11Protocol"): HardH11Protocol,
    ("hypercorn.protocol.h11", "HTTPStream"): HardHTTPStream,
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
