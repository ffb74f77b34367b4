"""The tools of all MCP servers that the settings name, for as long as our server lives."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import trio

from voice_trio.config import Settings
from voice_trio.environment import ConfigError
from voice_trio.log import hide
from voice_trio.mcp.config import read_servers
from voice_trio.mcp.server import Server
from voice_trio.toolbox.base import ServerTool
from voice_trio.waiting import alongside


class McpTools:
    """A `Toolbox`: the tools of those servers that are there."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = servers

    def tools(self) -> Sequence[ServerTool]:
        """Return them as they are by now; of two that would have one name, that of the server that is named first."""
        found: dict[str, ServerTool] = {}
        for server in self.servers:
            for one in server.tools:
                found.setdefault(one.tool.name, one)
        return [*found.values()]

    async def tried(self) -> None:
        """Wait until it is known of each server whether it can be had."""
        for server in self.servers:
            await server.tried.wait()


@asynccontextmanager
async def open_mcp(settings: Settings) -> AsyncIterator[McpTools]:
    """Have the servers of the file that `Settings.mcp` names, while the block lasts. Nobody waits for them.

    Raises `ConfigError` where the file cannot be used, or the package is missing that they are spoken to with.
    """
    configs = read_servers(settings.mcp, os.environ) if settings.mcp else []
    if not configs:
        yield McpTools(())
        return
    if _package() != "2":
        raise ConfigError("STREAM_MCP needs version 2 of the package mcp: `pip install 'voice-trio[mcp]'` installs it.")
    hide(secret for config in configs for secret in config.secrets)
    servers = [Server(config) for config in configs]
    async with alongside(partial(_run, servers)):
        yield McpTools(servers)


def _package() -> str | None:
    """Return the major version of the protocol's package; None if it is not installed."""
    try:
        return version("mcp").split(".")[0]
    except PackageNotFoundError:
        return None


async def _run(servers: Sequence[Server]) -> None:
    # It takes seconds on a small machine, and few have MCP servers.
    load = partial(import_module, "voice_trio.mcp.connection")
    connection = await trio.to_thread.run_sync(load, abandon_on_cancel=True)
    async with trio.open_nursery() as nursery:
        for server in servers:
            nursery.start_soon(server.run, connection.connect)
