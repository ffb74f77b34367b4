"""The life of a server whose connections are scripted: nothing of it takes time."""

import math
from contextlib import asynccontextmanager

import pytest
import structlog
import trio

from voice_trio.mcp.base import Declined, Lost
from voice_trio.mcp.config import Command, ServerConfig
from voice_trio.mcp.server import LIST_EVERY_S, LIST_S, Server
from voice_trio.toolbox.base import ToolError

AT = Command(argv=("x",), env={}, cwd=None)
TOOL = {"name": "a", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}


class Scripted:
    """Connections to one server, each with a script: how long it takes to fail, or to end once it was there."""

    def __init__(self, *, fails_after=None, ends_after=(), tools=(TOOL,), listed=trio.lowlevel.checkpoint, answer=None):
        self.opened_at = []
        self.lists = 0
        self.tools = tools
        self.changed = trio.Event()
        self._fails_after = fails_after
        self._ends_after = list(ends_after)
        self._listed = listed
        self._answer = answer

    @asynccontextmanager
    async def connect(self, config):
        self.opened_at.append(trio.current_time())
        if self._fails_after is not None:
            await trio.sleep(self._fails_after)
            raise Lost("it is out")
        async with trio.open_nursery() as nursery:

            async def end():
                await trio.sleep(self._ends_after.pop(0) if self._ends_after else math.inf)
                raise Lost("it fell over")

            nursery.start_soon(end)
            yield self
            nursery.cancel_scope.cancel()

    async def ask(self, method, params):
        if method == "tools/list":
            self.lists += 1
            await self._listed()
            return {"tools": list(self.tools)}
        return await self._answer(params)

    async def wait_changed(self):
        await self.changed.wait()
        self.changed = trio.Event()

    def waits(self):
        return [later - sooner for sooner, later in zip(self.opened_at, self.opened_at[1:], strict=False)]


@asynccontextmanager
async def living(script, **config):
    server = Server(ServerConfig(name="s", at=AT, **config))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run, script.connect)
        yield server
        nursery.cancel_scope.cancel()


async def test_waits_grow_to_a_minute_and_are_told_once(autojump_clock):
    script = Scripted(fails_after=0)
    with structlog.testing.capture_logs() as logs:
        async with living(script) as server:
            await trio.sleep(400)
            assert server.trouble == "it is out"
    assert script.waits() == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60])
    assert [log["log_level"] for log in logs] == ["warning"] + ["debug"] * 11


async def test_who_was_well_for_a_minute_is_waited_for_as_at_first(autojump_clock):
    script = Scripted(ends_after=[5, 5, 60, 5])
    async with living(script):
        await trio.sleep(300)
    assert script.waits() == pytest.approx([5 + 1, 5 + 2, 60 + 1, 5 + 2])


async def test_tools_are_there_while_it_is(autojump_clock):
    async with living(Scripted(ends_after=[5])) as server:
        await server.tried.wait()
        assert [tool.tool.name for tool in server.tools] == ["s__a"]
        await trio.sleep(5.5)
        assert server.tools == ()
        assert server.trouble == "it fell over"
        await trio.sleep(1)
        assert [tool.tool.name for tool in server.tools] == ["s__a"]
        assert server.trouble is None


async def test_one_that_says_all_the_time_that_its_tools_changed_is_asked_no_oftener(autojump_clock):
    script = Scripted()
    async with living(script) as server:
        for number in range(1000):
            script.tools = [{"name": f"t{number}", "inputSchema": {"type": "object"}}]
            script.changed.set()
            await trio.sleep(LIST_EVERY_S / 100)
        await trio.sleep(2 * LIST_EVERY_S)
        assert script.lists <= 13
        assert [tool.tool.name for tool in server.tools] == ["s__t999"]


async def test_a_list_that_never_comes_costs_the_connection(autojump_clock):
    async def listed():
        await trio.sleep_forever()

    async with living(Scripted(listed=listed)) as server:
        await server.tried.wait()
        assert server.trouble == f"it did not list its tools within {LIST_S:g} s"


async def test_one_without_tools_is_there(autojump_clock):
    async def listed():
        raise Declined("Method not found")

    async with living(Scripted(listed=listed)) as server:
        await server.tried.wait()
        assert server.trouble is None
        assert server.tools == ()


async def test_a_call_whose_connection_ends_is_an_error_only_if_it_can_be_made_again(autojump_clock):
    async def answer(params):
        raise Lost("it is gone")

    changes = {"name": "b", "inputSchema": {"type": "object"}}
    async with living(Scripted(tools=[TOOL, changes], answer=answer)) as server:
        await server.tried.wait()
        reads, writes = server.tools
        with pytest.raises(ToolError, match=r"^The MCP server s ended during the call, and is not running\.$"):
            await reads.use({}, None)
        assert await writes.use({}, None) == "The MCP server s ended during the call. It may be done all the same."


async def test_what_it_declines_is_told_in_its_words(autojump_clock):
    async def answer(params):
        raise Declined("x" * 10_000)

    async with living(Scripted(answer=answer)) as server:
        await server.tried.wait()
        with pytest.raises(ToolError, match=r"^x{3000,4000} \[the rest was cut off"):
            await server.tools[0].use({}, None)


async def test_tools_that_wait_for_a_yes_are_marked_and_missed(autojump_clock):
    with structlog.testing.capture_logs() as logs:
        async with living(Scripted(), confirm=frozenset({"a", "delete"})) as server:
            await server.tried.wait()
            assert server.tools[0].confirm
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert warning["event"] == "STREAM_MCP has tools wait for a yes that there are not"
    assert warning["tools"] == ["delete"]


async def test_an_end_in_the_moment_of_a_failure_is_an_end(autojump_clock):
    """What fails as it is cancelled must not come out of the nursery that holds it."""

    @asynccontextmanager
    async def connect(config):
        try:
            yield Scripted()
        finally:
            raise Lost("it fell over")

    server = Server(ServerConfig(name="s", at=AT))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run, connect)
        await server.tried.wait()
        nursery.cancel_scope.cancel()
