"""MCP servers for tests: opened as the server opens them, and called as a reply calls them."""

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from voice_trio.config import Settings
from voice_trio.mcp.open import open_mcp

HERE = Path(__file__).parent


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
            with trio.fail_after(60):
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


async def until(true):
    """Wait until ``true()`` is: another process does it, and says nothing of it."""
    with trio.fail_after(60):
        while not true():  # noqa: ASYNC110
            await trio.sleep(0.01)
