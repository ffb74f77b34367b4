"""A connection to an MCP server, by the official package: its handshake, its requests, and how its end is noticed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final

import trio
from mcp import MCPError
from mcp.client.session import ClientSession, IncomingMessage
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp_types import CONNECTION_CLOSED, METHOD_NOT_FOUND, Implementation

from voice_trio.mcp.base import Connection, Declined, Lost
from voice_trio.mcp.config import Command, ServerConfig
from voice_trio.mcp.http import open_http
from voice_trio.mcp.stdio import Kill, open_stdio

# The package logs a traceback for each message that it cannot read, as many as there are. What comes of them is told by
# who holds the connection.
for name in ("mcp", "client"):
    logging.getLogger(name).setLevel(logging.CRITICAL)

HANDSHAKE_S: Final = 30.0
"""Nobody waits for it; and what is started by npx or uvx is fetched first."""
PING_EVERY_S: Final = 30.0
PING_S: Final = 10.0


@dataclass(slots=True, eq=False)
class _Request:
    """One request, and what became of it: neither of both if the connection ended."""

    method: str
    params: Mapping[str, Any]
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    over: trio.Event = field(default_factory=trio.Event)
    result: Mapping[str, Any] | None = None
    error: MCPError | None = None


class _Connection:
    """See `base.Connection`.

    A request is a task of the connection's, and not of whoever asks: the package, to tell a server that a request is
    cancelled, waits up to 5 s for it to read that, and a turn that ends waits for no server.

    Results are taken as they come. The package would check them against its models, by which one tool of a wrong shape
    costs its server all of them, and a long result the time of everybody.
    """

    def __init__(self, dispatcher: JSONRPCDispatcher, nursery: trio.Nursery, kill: Kill | None = None) -> None:
        """``kill`` ends the program that it is to; None where it is to none of ours."""
        self._changed = trio.Event()
        # Is set when a request failed: the server may be gone.
        self._doubt = trio.Event()
        self._dispatcher = dispatcher
        self._nursery = nursery
        self._kill = kill

    async def ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a request."""
        request = _Request(method, params)
        try:
            self._nursery.start_soon(self._send, request)
        except RuntimeError:
            raise Lost("it is gone") from None
        try:
            await request.over.wait()
        finally:
            request.scope.cancel()
        if request.result is not None:
            return request.result
        if request.error is None or request.error.code == CONNECTION_CLOSED:
            raise Lost("it is gone")
        raise Declined(request.error.message)

    async def _send(self, request: _Request) -> None:
        try:
            with request.scope:
                request.result = await self._dispatcher.send_raw_request(request.method, dict(request.params))
        except MCPError as error:
            request.error = error
            self._doubt.set()
        finally:
            request.over.set()

    def kill(self) -> None:
        """Have it end at once: the program, or all that we have of a server elsewhere."""
        if self._kill is not None:
            self._kill()
        else:
            self._nursery.start_soon(self._lose)

    async def _lose(self) -> None:
        await trio.lowlevel.checkpoint()
        raise Lost("it was lost on purpose")

    async def heed(self, message: IncomingMessage) -> None:
        """Take what the server says unasked."""
        if getattr(message, "method", None) == "notifications/tools/list_changed":
            self._changed.set()

    async def wait_changed(self) -> None:
        """Wait until it said that its tools are others."""
        await self._changed.wait()
        self._changed = trio.Event()

    async def watch(self, session: ClientSession) -> None:
        """Notice that a server is gone that does not say so. Raises `Lost`."""
        while True:
            with trio.move_on_after(PING_EVERY_S):
                await self._doubt.wait()
            self._doubt = trio.Event()
            try:
                with trio.fail_after(PING_S):
                    await session.send_ping()
            except trio.TooSlowError:
                raise Lost(f"it did not answer for {PING_S:g} s") from None
            except MCPError as error:
                if error.code != METHOD_NOT_FOUND:
                    raise Lost(f"it does not know us any more: {error.message}") from None


@asynccontextmanager
async def connect(config: ServerConfig) -> AsyncIterator[Connection]:
    """Open a connection to a server, shake hands within `HANDSHAKE_S`, and hold it: a `base.Connect`."""
    at = config.at
    transport: AbstractAsyncContextManager[tuple[Any, Kill | None]]
    transport = open_stdio(config.name, at) if isinstance(at, Command) else open_http(at)
    async with transport as ((read, write), kill):
        dispatcher = JSONRPCDispatcher(read, write)
        async with trio.open_nursery() as nursery:
            connection = _Connection(dispatcher, nursery, kill)
            us = Implementation(name="voice-trio", version=version("voice-trio"))
            async with ClientSession(dispatcher=dispatcher, message_handler=connection.heed, client_info=us) as session:
                try:
                    with trio.fail_after(HANDSHAKE_S):
                        await session.initialize()
                except trio.TooSlowError:
                    raise Lost(f"it did not shake hands within {HANDSHAKE_S:g} s") from None
                except MCPError as error:
                    raise Lost(f"it refused us: {error.message}") from None
                if not isinstance(at, Command):
                    nursery.start_soon(connection.watch, session)
                yield connection
            nursery.cancel_scope.cancel()
