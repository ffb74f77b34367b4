"""Servers that do wrong over HTTP: whatever they answer costs a call, or the connection, and nothing else."""

import gzip
import json
from functools import partial

import pytest
import trio

from tests.mcp.opening import OVER_HTTP, call, named, names, opened, served, until
from voice_trio.mcp import connection, http, server
from voice_trio.toolbox.base import ToolError

pytestmark = OVER_HTTP

NAMES = ["echo", "huge", "packed", "garbage", "page", "refused", "accepted", "hang", "list"]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What is waited for between two tries is not what is tested here; and a megabyte is long."""
    monkeypatch.setattr(server, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(http, "MOST_BYTES", 1_000_000)


class App:
    """An MCP server that is asked for one thing a time, and answers without a stream."""

    def __init__(self):
        self.handshakes = 0
        self.cancelled = trio.Event()
        self.headers = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        self.headers = dict(scope["headers"])
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        await self._answer(json.loads(body or "{}"), send)

    async def _answer(self, message, send):
        async def answer(status=200, data=b"", kind=b"application/json", *more):
            headers = [(b"content-type", kind), *more]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": data})

        async def result(result):
            await answer(200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())

        match message:
            case {"method": "initialize", "params": {"protocolVersion": version}}:
                self.handshakes += 1
                info = {"name": "app", "version": "1"}
                await result({"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info})
            case {"method": "ping"}:
                await result({})
            case {"method": "tools/list"}:
                await result({"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in NAMES]})
            case {"method": "tools/call", "params": {"name": "echo"}}:
                await result({"content": [{"type": "text", "text": "Here."}]})
            case {"method": "tools/call", "params": {"name": "huge"}}:
                await result({"content": [{"type": "text", "text": "x" * 2_000_000}]})
            case {"method": "tools/call", "params": {"name": "packed"}}:
                await answer(200, gzip.compress(b"[" * 100_000), b"application/json", (b"content-encoding", b"gzip"))
            case {"method": "tools/call", "params": {"name": "garbage"}}:
                await answer(200, b"{]")
            case {"method": "tools/call", "params": {"name": "page"}}:
                await answer(200, b"<h1>Welcome</h1>", b"text/html")
            case {"method": "tools/call", "params": {"name": "refused"}}:
                await answer(500, b"broken", b"text/plain")
            case {"method": "tools/call", "params": {"name": "list"}}:
                await answer(200, b"[]")
            case {"method": "tools/call", "params": {"name": "hang"}}:
                await trio.sleep_forever()
            case {"method": "notifications/cancelled"}:
                self.cancelled.set()
                await answer(202)
            case _:
                await answer(202)


@pytest.mark.parametrize("tool", ["huge", "garbage", "page", "refused", "accepted", "list"])
async def test_an_answer_that_is_none_costs_its_call(tmp_path, tool):
    app = App()
    async with served(app) as url, opened(tmp_path, {"s": {"url": url}}) as toolbox:
        assert len(names(toolbox)) == len(NAMES)
        with pytest.raises(ToolError):
            await call(toolbox, f"s__{tool}")
        assert await call(toolbox, "s__echo") == "Here."
    assert app.handshakes == 1


async def test_an_answer_that_is_packed_costs_the_connection(tmp_path):
    """A few kilobytes could unpack to gigabytes, so it is not looked at."""
    app = App()
    async with served(app) as url, opened(tmp_path, {"s": {"url": url}}) as toolbox:
        assert "ended during the call" in await call(toolbox, "s__packed")
        await until(toolbox.tools)
        assert await call(toolbox, "s__echo") == "Here."
    assert app.handshakes == 2


async def test_a_connection_that_is_lost_on_purpose_costs_its_call_and_is_opened_anew(tmp_path):
    app = App()
    async with served(app) as url, opened(tmp_path, {"s": {"url": url}}) as toolbox:
        hang, answers = named(toolbox, "s__hang"), []

        async def use():
            answers.append(await hang.use({}, None))

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(use)
                await trio.testing.wait_all_tasks_blocked()
                hang.crash()
        assert answers == ["The MCP server s ended during the call. It may be done all the same."]
        assert toolbox.tools() == []
        hang.crash()
        await until(toolbox.tools)
        assert await call(toolbox, "s__echo") == "Here."
    assert app.handshakes == 2


async def test_a_call_that_is_cancelled_says_so(tmp_path):
    app = App()
    async with served(app) as url, opened(tmp_path, {"s": {"url": url}}) as toolbox:
        with trio.move_on_after(0.1):
            await call(toolbox, "s__hang")
        with trio.fail_after(60):
            await app.cancelled.wait()
        assert await call(toolbox, "s__echo") == "Here."
    assert app.handshakes == 1


async def test_headers_of_the_file_go_along(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "for the shop")
    app = App()
    entry = {"headers": {"Authorization": "Bearer ${SHOP_TOKEN}"}}
    async with served(app) as url, opened(tmp_path, {"s": entry | {"url": url}}) as toolbox:
        assert await call(toolbox, "s__echo") == "Here."
    assert app.headers[b"authorization"] == b"Bearer for the shop"
    assert app.headers[b"accept-encoding"] == b"identity"


async def test_one_that_says_nothing_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "HANDSHAKE_S", 0.5)

    async def say_nothing(stream):
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, say_nothing, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        async with opened(tmp_path, {"s": {"url": f"http://127.0.0.1:{port}/mcp"}}) as toolbox:
            assert toolbox.servers[0].trouble == "it did not shake hands within 0.5 s"
        nursery.cancel_scope.cancel()
