"""What the life of an MCP server needs of a connection to it, and how one fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from voice_trio.mcp.config import ServerConfig

MOST_BYTES: Final = 16_000_000
"""Of one message of a server's: what is longer is not held."""


class Lost(Exception):
    """There is no connection to the server, or none any more. The message says why, in words that follow "it"."""


class Declined(Exception):
    """The server answered a request with an error, and lives on. The message is the server's own."""


class Connection(Protocol):
    """A server that has shaken hands."""

    async def wait_changed(self) -> None:
        """Wait until the server says that its tools are others, if it did not since this was last waited for."""

    async def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a request, which is whatever object the server made of it.

        Cancelling it tells the server so, and waits for nothing. Raises `Lost` and `Declined`.
        """

    def kill(self) -> None:
        """Have it end at once, without a goodbye: a program is killed, and a connection lost. For faults on purpose."""


Connect = Callable[[ServerConfig], AbstractAsyncContextManager[Connection]]
"""Opens a connection and holds it. What its block raises, and what ends it, comes out, in groups or alone."""
