"""Calls of tools and counts of tokens, by the real SDK from a chat server on loopback."""

import json
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.engines.test_openai_chat import PROMPT, settings
from tests.sse_server import Reply, chunk, serve
from tests.streams import events_of
from voice_trio.engines.base import Alive, Finish, Prompt, TextDelta, Tool, ToolCall, Usage
from voice_trio.engines.openai_chat.model import open_chat_model
from voice_trio.engines.openai_chat.request import request_of

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
            assert (Alive("tool_call") in events) == any("tool" in line for line in lines)
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
    ],
    ids=["fragments", "two", "whole", "object", "no id", "no arguments", "broken arguments", "no name"],
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
