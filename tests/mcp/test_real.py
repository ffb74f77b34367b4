"""MCP servers made with the protocol's own package, over both transports."""

import sys
from contextlib import asynccontextmanager
from functools import partial

import pytest
import structlog
import trio

from tests.mcp import real_server
from tests.mcp.opening import OVER_HTTP, call, named, names, opened, served, until
from voice_trio.mcp import connection, server
from voice_trio.toolbox.base import ToolError

pytestmark = OVER_HTTP

STDIO = {"command": sys.executable, "args": [real_server.__file__]}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What is waited for between two tries is not what is tested here."""
    monkeypatch.setattr(server, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(server, "LIST_EVERY_S", 0.01)
    # The package takes seconds to import, and more on a busy machine.
    monkeypatch.setattr(connection, "HANDSHAKE_S", 120.0)


@asynccontextmanager
async def serving(bind="127.0.0.1:0", **options):
    """Serve a real MCP server over HTTP, and yield its address."""
    async with served(real_server.make().streamable_http_app(**options), bind) as url:
        yield f"{url}/mcp"


@asynccontextmanager
async def by_stdio(folder):
    async with opened(folder, {"real": STDIO}) as toolbox:
        yield toolbox


@asynccontextmanager
async def by_http(folder, **options):
    async with serving(**options) as url, opened(folder, {"real": {"type": "http", "url": url}}) as toolbox:
        yield toolbox


@pytest.mark.parametrize(
    "way", [by_stdio, by_http, partial(by_http, json_response=True)], ids=["stdio", "http", "json"]
)
async def test_it_does_what_it_says(tmp_path, way):
    async with way(tmp_path) as toolbox:
        assert toolbox.servers[0].trouble is None
        assert names(toolbox) == ["real__add", "real__fail", "real__wait", "real__learn"]
        add = named(toolbox, "real__add")
        assert not add.has_effects
        assert add.tool.description == "Add two numbers."
        assert add.tool.parameters["required"] == ["a", "b"]
        assert await call(toolbox, "real__add", a=1, b=2) == "3"
        with pytest.raises(ToolError, match=r"The shop is closed\."):
            await call(toolbox, "real__fail")
        with pytest.raises(ToolError, match="a"):
            await call(toolbox, "real__add", a="one")
        with trio.move_on_after(0.1):
            await call(toolbox, "real__wait")
        assert await call(toolbox, "real__add", a=2, b=2) == "4"
        assert await call(toolbox, "real__learn") == "Learned."


@pytest.mark.parametrize("way", [by_stdio, by_http], ids=["stdio", "http"])
async def test_tools_that_it_learns_are_offered(tmp_path, way):
    async with way(tmp_path) as toolbox:
        await call(toolbox, "real__learn")
        await until(lambda: "real__learned" in names(toolbox))
        assert await call(toolbox, "real__learned") == "This is new."


async def test_one_that_is_gone_is_missed_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "PING_EVERY_S", 0.1)
    async with serving() as url:
        address = url.removeprefix("http://").removesuffix("/mcp")
    with structlog.testing.capture_logs() as logs:
        async with opened(tmp_path, {"real": {"url": url}}) as toolbox:
            assert toolbox.tools() == []
            assert "ConnectError" in toolbox.servers[0].trouble
            for _ in range(2):
                async with serving(address):
                    await until(toolbox.tools)
                    assert await call(toolbox, "real__add", a=1, b=2) == "3"
                await until(lambda: toolbox.servers[0].trouble)
                assert toolbox.tools() == []
    assert [log["event"] for log in logs if log["log_level"] == "warning"] == ["an MCP server is not there"] * 3


async def test_a_call_notices_that_it_is_gone(tmp_path):
    over, gone = trio.Event(), trio.Event()

    async def serve(*, task_status):
        async with serving() as url:
            task_status.started(url)
            await over.wait()
        gone.set()

    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve)
        async with opened(tmp_path, {"real": {"url": url}}) as toolbox:
            add = named(toolbox, "real__add")
            over.set()
            await gone.wait()
            with pytest.raises(ToolError, match=r"^The MCP server real ended during the call, and is not running\.$"):
                await add.use({"a": 1, "b": 2}, None)
            await until(lambda: not toolbox.tools())


async def test_what_is_no_mcp_server_is_none(tmp_path):
    async with serving() as url, opened(tmp_path, {"real": {"url": url + "/elsewhere"}}) as toolbox:
        assert toolbox.servers[0].trouble == "it refused us: Not Found"
