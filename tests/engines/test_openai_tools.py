"""Calls of tools and counts of tokens, by the real SDK from a chat server on loopback."""

import json
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.engines.test_openai_chat import PROMPT, settings
from tests.sse_server import Reply, chunk, serve
from tests.streams import events_of
from voice_trio.core import messages as m
from voice_trio.engines.base import Alive, Finish, Prompt, TextDelta, Tool, ToolCall, Usage
from voice_trio.engines.openai_chat.model import open_chat_model
from voice_trio.engines.openai_chat.request import request_of
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedSynthesizer, ScriptedTool, scripted_engines

pytestmark = pytest.mark.real

LOOK = Tool("look", "Looks at something.", {"type": "object", "properties": {"at": {"type": "integer"}}})
ASKING = replace(PROMPT, tools=[LOOK])
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def part(index: int | None = None, number: str | None = None, name: str | None = None, arguments: Any = None):
    """Return a fragment of a call, with only what is given."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    call = {"index": index, "id": number, "function": function}
    return {key: value for key, value in call.items() if value is not None}


def calling(*calls: dict[str, Any]) -> str:
    return chunk({"tool_calls": [*calls]})


def counted(usage: Any) -> str:
    return json.dumps({"object": "chat.completion.chunk", "choices": [], "usage": usage})


async def answer(*lines: str, prompt: Prompt = ASKING, **reply: Any):
    """Return the events of one reply, signs of life apart, and the body of the request."""
    with trio.fail_after(60):
        async with serve(Reply(raw=lines, **reply)) as server, open_chat_model(settings(server.base_url)) as model:
            async with model.stream(prompt) as stream:
                events = [event async for event in events_of(stream)]
            assert (Alive("tool_call") in events) == any("tool" in line or "function_call" in line for line in lines)
            return [event for event in events if not isinstance(event, Alive)], server.requests[0].body


async def test_tools_are_offered_as_the_api_spells_them():
    _, body = await answer("")
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "look", "description": "Looks at something.", "parameters": LOOK.parameters},
        }
    ]
    _, body = await answer("", prompt=PROMPT)
    assert {*body} == {"model", "messages", "stream"}


def test_only_openai_itself_is_asked_for_what_others_may_refuse():
    assert request_of(PROMPT, "m", is_openai=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in request_of(PROMPT, "m", is_openai=False)


def test_how_much_may_be_written_goes_by_the_name_that_each_knows():
    prompt = replace(PROMPT, max_tokens=20)
    assert request_of(prompt, "m", is_openai=True)["max_completion_tokens"] == 20
    assert request_of(prompt, "m", is_openai=False)["max_tokens"] == 20
    assert not {"max_tokens", "max_completion_tokens"} & request_of(PROMPT, "m", is_openai=True).keys()


@pytest.mark.parametrize(
    ("lines", "calls"),
    [
        (
            [calling(part(0, "a", "look", "")), calling(part(0, arguments='{"at"')), calling(part(0, arguments=":1}"))],
            [ToolCall("a", "look", '{"at":1}')],
        ),
        (
            [
                calling(part(0, "a", "look"), part(1, "b", "look")),
                calling(part(1, arguments='{"at":2}')),
                calling(part(0, arguments="{}")),
            ],
            [ToolCall("a", "look", "{}"), ToolCall("b", "look", '{"at":2}')],
        ),
        ([calling(part(0, "a", "look", '{"at":1}'))], [ToolCall("a", "look", '{"at":1}')]),
        ([calling(part(0, "a", "look", {"at": 1}))], [ToolCall("a", "look", '{"at": 1}')]),
        ([calling(part(name="look", arguments="{}"))], [ToolCall("call_0", "look", "{}")]),
        ([calling(part(0, "a", "look"))], [ToolCall("a", "look", "{}")]),
        ([calling(part(0, "a", "look", '{"at":'))], [ToolCall("a", "look", '{"at":')]),
        ([calling(part(0, "a"))], []),
        (
            [calling(part(0, "a", "look", "{}")), calling(part(0, "b", "look", '{"at":2}'))],
            [ToolCall("a", "look", "{}"), ToolCall("b", "look", '{"at":2}')],
        ),
        (
            [calling(part(None, "a", "look")), calling(part(arguments='{"at"')), calling(part(arguments=":1}"))],
            [ToolCall("a", "look", '{"at":1}')],
        ),
        (
            [calling(part(name="look", arguments="{}"), part(name="look", arguments='{"at":2}'))],
            [ToolCall("call_0", "look", "{}"), ToolCall("call_1", "look", '{"at":2}')],
        ),
        (
            [calling(part(0, "a", "look", '{"at"')), calling(part(0, "a", "look", ":1}"))],
            [ToolCall("a", "look", '{"at":1}')],
        ),
        ([calling(part(0, "", "look", "{}"))], [ToolCall("call_0", "look", "{}")]),
        (
            [
                chunk({"function_call": {"name": "look", "arguments": '{"at"'}}),
                chunk({"function_call": {"arguments": ":1}"}}),
            ],
            [ToolCall("call_0", "look", '{"at":1}')],
        ),
        (
            [chunk({"content": [{"type": "tool_use", "id": "a", "name": "look", "input": {"at": 1}}]})],
            [ToolCall("a", "look", '{"at": 1}')],
        ),
        ([chunk({"tool_calls": [part(0, "a", "look", "{}")]}, "stop")], [ToolCall("a", "look", "{}")]),
        (
            [chunk({"tool_calls": [None, "look", {"function": None}, part(0, "a", "look", "{}")]})],
            [ToolCall("a", "look", "{}")],
        ),
        ([calling(part(0, "a", "look", "no JSON at all"))], [ToolCall("a", "look", "no JSON at all")]),
        ([calling(part(0, "a", "unknown", "{}"))], [ToolCall("a", "unknown", "{}")]),
    ],
    ids=[
        "fragments",
        "two",
        "whole",
        "object",
        "no id",
        "no arguments",
        "broken arguments",
        "no name",
        "two of one index",
        "no index",
        "two without index and id",
        "everything in each fragment",
        "empty id",
        "as they once were",
        "among the content",
        "with the end",
        "among nonsense",
        "no JSON",
        "unknown",
    ],
)
async def test_calls_come_whole_and_before_the_end(lines, calls):
    events, _ = await answer(*lines, finish="tool_calls")
    assert events == [*calls, Finish("tool_calls")]


async def test_what_is_said_comes_before_the_calls():
    events, _ = await answer(calling(part(0, "a", "look", "{}")), tokens=["Let me see."], finish="tool_calls")
    assert events == [TextDelta("Let me see."), ToolCall("a", "look", "{}"), Finish("tool_calls")]


@pytest.mark.parametrize("usage", [USAGE, {**USAGE, "prompt_tokens_details": {"cached_tokens": 3}}])
async def test_what_the_server_counts_is_told(usage):
    events, _ = await answer(chunk({}, "stop"), counted(None), counted(usage), tokens=["Yes."])
    assert events == [TextDelta("Yes."), Finish("stop", Usage(9, 4))]


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "9", "completion_tokens": 4}, [], {"prompt_tokens": 1}])
async def test_what_is_no_count_is_none(usage):
    events, _ = await answer(counted(usage), tokens=["Yes."])
    assert events == [TextDelta("Yes."), Finish("stop")]


async def test_a_call_without_an_end_is_one_where_the_server_says_that_all_is_said():
    events, _ = await answer(calling(part(0, "a", "look", "{}")), "[DONE]", finish=None)
    assert events == [ToolCall("a", "look", "{}"), Finish("stop")]


# --- through a whole turn ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([calling(part(0, "a", "look", '{"what"')), calling(part(0, arguments=':"1"}'))], ["It is noon."]),
        ([calling(part(name="look", arguments="{}"), part(name="look", arguments="{}"))], ["It is noon."] * 2),
        ([calling(part(0, "a", "look", '{"what":'))], ["The arguments are no object in JSON."]),
        ([calling(part(0, "a", "look", {"what": "1"}))], ["It is noon."]),
        ([chunk({"function_call": {"name": "gaze", "arguments": ""}})], ["There is no tool 'gaze'; there are look."]),
    ],
    ids=["fragments", "two without ids", "broken", "an object", "unknown, as they once were"],
)
async def test_a_turn_asks_again_with_what_the_tools_said(lines, told):
    script = Reply(tokens=["Let me see."], raw=lines, finish="tool_calls"), Reply(tokens=["It ", "is noon."])
    tool = ScriptedTool("look")
    with trio.fail_after(60):
        async with serve(*script) as server, open_chat_model(settings(server.base_url)) as model:
            engines = scripted_engines(language_model=model, synthesizer=ScriptedSynthesizer(char_ms=1))
            async with conversation(engines=engines, tools=[tool.tool]) as talk:
                await talk.ask(m.Text(text="What time is it?"))
                done = await talk.wait_for(m.Done)
    assert (done.outcome, talk.reply(1)) == (m.Outcome.COMPLETED, "Let me see.\nIt is noon.")
    first, second = (request.body for request in server.requests)
    assert second["messages"][: len(first["messages"])] == first["messages"]
    asked, *answers = second["messages"][len(first["messages"]) :]
    assert (asked["role"], asked["content"]) == ("assistant", "Let me see.")
    assert [one["tool_call_id"] for one in answers] == [one["id"] for one in asked["tool_calls"]]
    assert [one["content"] for one in answers] == told
    # Servers read them, and some of them fail where they are no JSON.
    assert all(isinstance(json.loads(one["function"]["arguments"]), dict) for one in asked["tool_calls"])
    assert second["tools"] == first["tools"]


async def test_a_model_that_is_forced_to_ask_is_forced_once():
    script = Reply(raw=[calling(part(0, "a", "look", "{}"))], finish="tool_calls"), Reply(tokens=["Noon."])
    with trio.fail_after(60):
        async with serve(*script) as server, open_chat_model(settings(server.base_url)) as model:
            engines = scripted_engines(language_model=model, synthesizer=ScriptedSynthesizer(char_ms=1))
            async with conversation(engines=engines, tools=[ScriptedTool("look").tool]) as talk:
                await talk.ask(m.Configure(tool_choice="required"))
                await talk.ask(m.Text(text="What time is it?"))
                await talk.wait_for(m.Done)
    assert [request.body.get("tool_choice") for request in server.requests] == ["required", None]
