"""Servers that do wrong: a real process each, which costs its own tools and nothing else."""

import json
import os
import sys

import pytest
import structlog
import trio

from tests.mcp.opening import call, faulty, named, names, opened, until
from tools.fault_matrix import OF_MCP
from voice_trio.core import messages as m
from voice_trio.core.called import CUT, MAX_CALL_CHARS
from voice_trio.core.faults import parse
from voice_trio.engines.base import ToolCall
from voice_trio.fault_tap import inject_tools
from voice_trio.faults import Faults
from voice_trio.mcp import connection, server, stdio
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines
from voice_trio.toolbox.base import ToolError

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What is waited for between two tries, or before a process is killed, is not what is tested here.

    What a busy machine makes longer has the time that it takes.
    """
    monkeypatch.setattr(server, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(server, "LIST_EVERY_S", 0.01)
    monkeypatch.setattr(stdio, "GRACE_S", 0.5)
    monkeypatch.setattr(stdio, "LAST_WORDS_S", 30.0)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that is dead, and that nobody has asked about yet, is still to be found.
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


async def test_a_call_is_answered(tmp_path):
    async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
        assert await call(toolbox, "odd__echo", city="Ulm") == '{"city": "Ulm"}'
        assert named(toolbox, "odd__echo").has_effects
        assert not named(toolbox, "odd__echo").confirm


@pytest.mark.parametrize("mode", ["hang", "deaf"])
async def test_one_that_never_shakes_hands_costs_itself_alone(tmp_path, monkeypatch, mode):
    monkeypatch.setattr(connection, "HANDSHAKE_S", 1.0)
    async with opened(tmp_path, {"bad": faulty(mode), "good": faulty("ok")}) as toolbox:
        bad, good = toolbox.servers
        assert bad.trouble == "it did not shake hands within 1 s"
        assert good.trouble is None
        assert await call(toolbox, "good__echo") == "{}"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"command": "/no/such/program"}, "it cannot be started: /no/such/program: No such file or directory"),
        ({"command": sys.executable, "cwd": "/no/such/folder"}, "it cannot be started: /no/such/folder"),
        (
            {"command": sys.executable, "args": ["-c", "import sys; sys.exit('no key')"]},
            "it ended with status 1: no key",
        ),
        ({"command": "/"}, "it cannot be started: /: Permission denied"),
    ],
)
async def test_one_that_cannot_start_says_why(tmp_path, entry, why):
    async with opened(tmp_path, {"bad": entry}) as toolbox:
        assert toolbox.servers[0].trouble.startswith(why)
        assert toolbox.tools() == []


@pytest.mark.parametrize("mode", ["garbage", "latin", "flood"])
async def test_what_is_no_message_of_use_is_passed_over(tmp_path, caplog, mode):
    async with opened(tmp_path, {"odd": faulty(mode)}) as toolbox:
        assert await call(toolbox, "odd__echo", a=1) == '{"a": 1}'
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_a_line_without_end_is_not_held(tmp_path):
    async with opened(tmp_path, {"bad": faulty("endless")}) as toolbox:
        assert toolbox.servers[0].trouble == "it wrote a message of more than 16 MB"


@pytest.mark.parametrize(
    ("tool", "why"),
    [("crash", "it was ended by SIGKILL"), ("quit", r"it ended with status 3: the disk is full\x1b[31m")],
)
async def test_one_that_dies_in_a_call_is_started_again(tmp_path, tool, why):
    with structlog.testing.capture_logs() as logs:
        async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
            old = named(toolbox, f"odd__{tool}")
            echo = named(toolbox, "odd__echo")
            answer = await call(toolbox, f"odd__{tool}")
            # It has effects, and nobody knows which it had: an error would have it done again.
            assert answer == "The MCP server odd ended during the call. It may be done all the same."
            assert toolbox.tools() == []
            with pytest.raises(ToolError, match=r"^The MCP server odd is not running\.$"):
                await echo.use({}, None)
            await until(toolbox.tools)
            assert await call(toolbox, "odd__echo") == "{}"
            # A prompt may have been written before.
            assert await echo.use({}, None) == "{}"
            assert old is not named(toolbox, f"odd__{tool}")
    assert [log["reason"] for log in logs if log["event"] == "an MCP server is not there"] == [why]


async def test_a_crash_on_purpose_comes_to_what_the_matrix_says(tmp_path):
    """A real process is killed while a turn uses its tool: the turn goes on, and the server is started anew."""
    asking = [ScriptedReply(tokens=[ToolCall("a", "home__echo", '{"a": 1}')]), ScriptedReply(tokens=["I see."])]
    model = ScriptedLanguageModel(replies=asking * 2)
    with structlog.testing.capture_logs() as logs, trio.fail_after(60):
        async with opened(tmp_path, {"home": faulty("ok")}) as toolbox:
            pids = json.loads(await call(toolbox, "home__pids"))
            tools = inject_tools(Faults(parse(OF_MCP.faults)), toolbox.tools())
            async with conversation(engines=scripted_engines(language_model=model), tools=tools) as talk:
                await talk.ask(m.Text(text="hello"))
                first = await talk.wait_for(m.Done)
                await until(lambda: toolbox.tools() and not any(map(alive, pids)))
                await talk.ask(m.Text(text="hello"))
                second = await talk.wait_for(m.Done, turn=2)
            assert json.loads(await call(toolbox, "home__pids")) != pids
    assert first.outcome is second.outcome is m.Outcome.COMPLETED
    ended = [(one.state, one.result) for one in talk.all(m.ToolCalled) if one.state is not m.CallState.STARTED]
    assert ended == [(OF_MCP.state, OF_MCP.told), (m.CallState.DONE, '{"a": 1}')]
    assert model.prompts[1][-1].content == OF_MCP.told
    assert [event for event in talk.heard if isinstance(event, m.Error)] == []
    assert [log["reason"] for log in logs if log["event"] == "an MCP server is not there"] == [
        "it was ended by SIGKILL"
    ]
    assert [log["fault"] for log in logs if log["event"] == "fault injected"] == [OF_MCP.faults]


async def test_one_that_reads_no_more_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(stdio, "WRITE_S", 0.2)
    with structlog.testing.capture_logs() as logs:
        async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
            with trio.move_on_after(0.1):
                await call(toolbox, "odd__doze")
            # More than a pipe holds.
            assert "ended during the call" in await call(toolbox, "odd__echo", long="x" * 1_000_000)
            await until(toolbox.tools)
            assert await call(toolbox, "odd__echo") == "{}"
    assert "it read nothing for 0.2 s" in [log.get("reason") for log in logs]


async def test_a_long_answer_is_cut(tmp_path):
    async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
        long = await call(toolbox, "odd__big")
        assert long.startswith("begin xxx")
        assert long.endswith(CUT)
        assert len(long) == MAX_CALL_CHARS
        assert await call(toolbox, "odd__echo") == "{}"


async def test_a_schema_that_no_model_accepts_leaves_its_tool_out(tmp_path):
    with structlog.testing.capture_logs() as logs:
        async with opened(tmp_path, {"odd": faulty("schemas")}) as toolbox:
            assert names(toolbox) == ["odd__good"]
    (warning,) = [log for log in logs if log["event"] == "tools of an MCP server are left out"]
    assert warning["tools"] == {
        "no_schema": "has a schema that is of no object",
        "a_number": "has a schema that is of no object",
        "an_array": "has a schema that is of no object",
        "any_of": "has anyOf at the root of its schema",
        "itself": "has a schema that contains itself",
        "elsewhere": "has a schema that refers to elsewhere",
        "nowhere": "has a schema that refers to what is not there",
        "deep": "has a schema of more than 12 levels",
        "big": "has a schema of more than 32 KB",
        "a tool without a name": "has no name",
    }


async def test_tools_are_asked_for_again_when_they_change(tmp_path):
    async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
        assert await call(toolbox, "odd__grow") == "grown"
        await until(lambda: "odd__grown" in names(toolbox))


async def test_too_many_tools_are_cut_off(tmp_path):
    async with opened(tmp_path, {"odd": faulty("many")}) as toolbox:
        found = names(toolbox)
        assert len(set(found)) == len(found) == 128
        assert found[0].startswith("odd__tool_0_")


async def test_pages_that_never_end_are_no_longer_turned(tmp_path):
    async with opened(tmp_path, {"odd": faulty("pages")}) as toolbox:
        assert "odd__echo" in names(toolbox)
        assert len(names(toolbox)) == 13


async def test_a_call_that_is_cancelled_says_so_and_breaks_nothing(tmp_path):
    async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call, toolbox, "odd__never")
            await trio.testing.wait_all_tasks_blocked(0.05)
            nursery.cancel_scope.cancel()
        assert await call(toolbox, "odd__echo", a=1) == '{"a": 1}'
        assert len(json.loads(await call(toolbox, "odd__cancelled"))) == 1


async def test_no_secret_of_ours_reaches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody-knows")
    monkeypatch.setenv("STREAM_AUTH_TOKEN", "nobody-knows")
    monkeypatch.setenv("WEATHER_KEY", "for-weather")
    monkeypatch.setenv("LANG", "C.UTF-8")
    entry = faulty("ok") | {"env": {"KEY": "<${WEATHER_KEY}>", "PLAIN": "$HOME {x}"}}
    async with opened(tmp_path, {"odd": entry}) as toolbox:
        seen = json.loads(await call(toolbox, "odd__environment"))
    assert {name: seen.get(name) for name in ("KEY", "PLAIN", "LANG", "PATH")} == {
        "KEY": "<for-weather>",
        "PLAIN": "$HOME {x}",
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
    }
    assert set(seen) <= {*stdio.KEPT_VARIABLES, "KEY", "PLAIN"}


@pytest.mark.parametrize("mode", ["ok", "stubborn"])
async def test_nothing_of_it_is_left_at_the_end(tmp_path, mode):
    async with opened(tmp_path, {"odd": faulty(mode)}) as toolbox:
        pids = json.loads(await call(toolbox, "odd__pids"))
        assert all(map(alive, pids))
    await until(lambda: not any(map(alive, pids)))


async def test_the_end_in_the_middle_of_all_leaves_nothing(tmp_path):
    async with opened(
        tmp_path, {"odd": faulty("ok"), "bad": faulty("hang"), "flood": faulty("flood")}, tried=False
    ) as toolbox:
        await until(lambda: "odd__never" in names(toolbox))
        pids = json.loads(await call(toolbox, "odd__pids"))
        with trio.move_on_after(0.05):
            await call(toolbox, "odd__never")
    await until(lambda: not any(map(alive, pids)))


async def test_an_error_of_the_tool_is_one(tmp_path):
    async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
        with pytest.raises(ToolError, match=r"^There is no such city\.$"):
            await call(toolbox, "odd__decline")


async def test_what_is_no_text_is_named(tmp_path):
    async with opened(tmp_path, {"odd": faulty("ok")}) as toolbox:
        assert await call(toolbox, "odd__blob") == "[an image]\n[a link: file:///a.txt]"
        assert await call(toolbox, "odd__data") == '{"degrees": 21}'
