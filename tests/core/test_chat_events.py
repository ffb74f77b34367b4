"""The forms of a chat completion's events, as servers that resemble one another spell them."""

import json

import pytest

from voice_trio.core.chat_events import (
    MAX_VALUES,
    ChatEvents,
    Done,
    Failed,
    Finished,
    Said,
    Thought,
    ToolCall,
    Unreadable,
)
from voice_trio.core.tools import Fragment


def choice(finish=None, **fields):
    return {"choices": [{"index": 0, **fields, "finish_reason": finish}]}


def delta(**fields):
    return choice(delta=fields)


NOON = [Said("It is noon.")]
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
PART = {"type": "text", "text": "It is noon."}

FORMS = [
    # Where the text is.
    (delta(content="It is noon."), NOON),
    (delta(content=[PART]), NOON),
    (delta(content=[{"type": "text", "text": "It is "}, "noon."]), [Said("It is "), Said("noon.")]),
    (delta(content=PART), NOON),
    (delta(content=[{"type": "output_text", "text": {"value": "It is noon.", "annotations": []}}]), NOON),
    (choice(message={"role": "assistant", "content": "It is noon."}), NOON),
    (choice(delta="It is noon."), NOON),
    (choice(text="It is noon."), NOON),
    ({"choices": [{"delta": {"content": "It is noon."}}]}, NOON),
    ({"message": {"role": "assistant", "content": "It is noon."}, "done": False}, NOON),
    ({"message": {"role": "assistant", "content": ""}, "done": True}, [Finished("stop")]),
    # A refusal is what the model answers.
    (delta(content=None, refusal="I cannot help with that."), [Said("I cannot help with that.")]),
    (delta(content=[{"type": "refusal", "refusal": "No."}]), [Said("No.")]),
    # Thinking, wherever it is told from the text.
    (delta(content=None, reasoning_content="Hm."), [Thought()]),
    (delta(content="", reasoning="Hm."), [Thought()]),
    (delta(reasoning_details=[{"type": "reasoning.text", "text": "Hm."}]), [Thought()]),
    (delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]), [Thought()]),
    (delta(content="It is noon.", reasoning_content="Hm."), [Thought(), *NOON]),
    # Tools.
    (delta(content=None, tool_calls=[CALL]), [ToolCall(Fragment(0, "call_1", "look", "{}"))]),
    (delta(function_call={"name": "look", "arguments": ""}), [ToolCall(Fragment(0, name="look"))]),
    (delta(content=[{"type": "tool_use", "name": "look"}]), [ToolCall(Fragment(name="look"))]),
    # The end.
    (choice("stop", delta={}), [Finished("stop")]),
    (choice("length", delta={"content": "So"}), [Said("So"), Finished("length")]),
    (choice("content_filter", delta=None), [Finished("content_filter")]),
    (choice("", delta={"content": "So"}), [Said("So")]),
    (choice("null", delta={}), []),
    (
        {"object": "chat.completion", **choice("stop", message={"content": "So"})},
        [Said("So"), Finished("stop"), Done()],
    ),
    ("[DONE]", [Done()]),
    (" [done]", [Done()]),
    # An error instead.
    ({"error": {"message": "overloaded", "code": 502}}, [Failed()]),
    ({"error": "Unexpected endpoint or method. (POST /chat/completions)"}, [Failed()]),
    ({"detail": "Not Found"}, [Failed()]),
    ({"detail": [{"loc": ["body"], "msg": "field required"}]}, [Failed()]),
    ({"message": "no Route matched with those values"}, [Failed()]),
    ({"object": "error", "message": "no such model", "code": 404}, [Failed()]),
    ({"type": "error", "code": 500}, [Failed()]),
    ({"error": "gone", **choice("error", delta={"content": ""})}, [Failed(), Failed()]),
    # Nothing.
    ({"choices": []}, []),
    ({"choices": None, "error": None}, []),
    ({"choices": [], "usage": {"total_tokens": 3}}, []),
    ({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, []),
    (choice(delta=None), []),
    (delta(role="assistant", content=""), []),
    (delta(content=None, tool_calls=[], refusal=None, reasoning_content=""), []),
    (delta(content=[None, 3, [PART], {"type": "text"}, {"text": 3}]), []),
    (delta(content=3), []),
    (delta(content={"a": {"text": "x"}}), []),
    ({"choices": [3, None, [], "x"]}, []),
    ({"choices": [{"index": 1, "delta": {"content": "another"}}]}, []),
    ({"choices": {"0": {}}}, []),
    ({"type": "ping"}, []),
    ({}, []),
    ("null", []),
    ("[]", []),
    ("4", []),
    ("", []),
    ("  ", []),
]


@pytest.mark.parametrize(
    ("event", "parts"), FORMS, ids=lambda one: json.dumps(one)[:60] if isinstance(one, dict) else None
)
def test_a_form(event, parts):
    data = event if isinstance(event, str) else json.dumps(event)
    assert [*ChatEvents().read(data)] == parts


def test_a_message_behind_pieces_is_not_said_again():
    events = ChatEvents()
    whole = choice("stop", message={"content": "It is noon."})
    assert [*events.read(json.dumps(delta(content="It is noon.")))] == NOON
    assert [*events.read(json.dumps(whole))] == [Finished("stop")]


@pytest.mark.parametrize(
    "data",
    [
        '{"choices": [',
        "no json",
        "{}{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        "[" + "0," * MAX_VALUES + "0]",
        '"' + "x" * 100,
        "1" * 5000,
    ],
    ids=lambda data: data[:8],
)
def test_what_cannot_be_read(data):
    with pytest.raises(Unreadable) as caught:
        [*ChatEvents().read(data)]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
