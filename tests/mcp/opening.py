"""MCP servers for tests: opened as the server opens them, and called as a reply calls them."""

import json
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import hypercorn.trio
import pytest
import trio

from voice_trio import config
from voice_trio.config import Settings
from voice_trio.mcp.open import open_mcp
from voice_trio.server.gate import Gate
from voice_trio.server.hypercorn.install import install
from voice_trio.server.listening import hypercorn_config, listen, open_connections

HERE = Path(__file__).parent

OVER_HTTP = [
    pytest.mark.real,
    # The package reads events no further than to the one it waits for, and leaves their iterators to the collector.
    pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning"),
]
"""The marks of tests that talk with servers so."""


def faulty(mode):
    """Return the entry of a server that does wrong in the way ``mode``."""
    return {"command": sys.executable, "args": ["-I", "-S", str(HERE / "faulty.py"), mode]}


@asynccontextmanager
async def opened(folder, servers, *, tried=True):
    """Yield the tools of ``servers``, as a file in ``folder`` names them, once each server was tried."""
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": servers}))
    async with open_mcp(Settings(mcp=str(file))) as toolbox:
        if tried:
            with trio.fail_after(120):
                await toolbox.tried()
        yield toolbox


def named(toolbox, name):
    """Return the tool ``name``."""
    return next(tool for tool in toolbox.tools() if tool.tool.name == name)


def names(toolbox):
    """Return the names of all tools."""
    return [tool.tool.name for tool in toolbox.tools()]


async def call(toolbox, name, **arguments):
    """Return the answer of a tool, which sees nothing of the circumstances of its call."""
    with trio.fail_after(60):
        return await named(toolbox, name).use(arguments, None)


@asynccontextmanager
async def served(app, bind="127.0.0.1:0"):
    """Serve an ASGI application, and yield its address; at the end it is gone at once.

    By Hypercorn with our classes in it: in a process in which a server of ours has run, those are what there is.
    """
    install()
    host, _, port = bind.rpartition(":")
    settings = config.load(host=host, port=int(port))
    connections, listening = open_connections(settings), listen(settings)
    hypercorn_settings = hypercorn_config(settings, listening, connections, None)
    hypercorn_settings.graceful_timeout = 0
    async with trio.open_nursery() as nursery:
        [url] = await nursery.start(partial(hypercorn.trio.serve, Gate(app, connections), hypercorn_settings))
        yield url
        connections.abort_all()
        nursery.cancel_scope.cancel()


async def until(true):
    """Wait until ``true()`` is: another process does it, and says nothing of it."""
    with trio.fail_after(60):
        while not true():  # noqa: ASYNC110
            await trio.sleep(0.01)
