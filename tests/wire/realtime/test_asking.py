"""Client events -> commands, and what is wrong with those that are none."""

import base64
import json
from typing import Any

import pytest

from tests.wire.realtime.talking import OPENED
from voice_trio.core import messages as m
from voice_trio.core.items import FIRST, Reference, ToolOutput, ToolUse, Words
from voice_trio.core.tools import ThatTool, Tool
from voice_trio.wire.realtime.codec import RealtimeCodec
from voice_trio.wire.realtime.configuration import Configuration, Offered

OFFERED = Offered("ours", "Be brief.", ("one", "two"), ("en", "de"))


@pytest.fixture
def codec():
    """A connection that has settled."""
    codec = RealtimeCodec(OFFERED, Configuration(), expires_at=1)
    ask(codec, "output_audio_buffer.clear")
    return codec


def ask(codec, kind, **fields):
    return list(codec.decode(json.dumps({"type": kind, **fields})))


def wrong(codec, kind, **fields):
    """Return the error that answers an event."""
    [answer] = ask(codec, kind, event_id="mine", **fields)
    event = json.loads(answer.body)
    assert event["type"] == "error"
    assert event["error"]["event_id"] == "mine"
    assert event["error"]["message"].endswith(".")
    return event["error"]["code"], event["error"]["param"]


def test_the_first_message_has_the_session_go_by_the_defaults():
    codec = RealtimeCodec(OFFERED, Configuration(), expires_at=1)
    hands_free = m.Start(
        mode="hands_free",
        silence_ms=500,
        endpointing="fixed",
        threshold=0.5,
        pre_roll_ms=300,
        barge_in="confirm",
        reply=True,
    )
    configured = m.Configure(speed=1.0, tools=(), tool_choice="auto", aloud=True)
    assert ask(codec, "input_audio_buffer.clear") == [configured, m.Listen(start=hands_free), m.Clear()]
    assert ask(codec, "input_audio_buffer.clear") == [m.Clear()]


def test_an_update_is_settled_before_it_is_answered(codec):
    session = {
        "instructions": "Be kind.",
        "output_modalities": ["text"],
        "tools": [{"type": "function", "name": "f", "description": "d"}, {"type": "mcp", "server_label": "x"}],
        "tool_choice": {"type": "function", "name": "f"},
        "audio": {
            "input": {
                "transcription": {"model": "whisper-1", "language": "de-DE"},
                "turn_detection": {"type": "semantic_vad", "eagerness": "high", "interrupt_response": False},
            },
            "output": {"voice": "two", "speed": 1.25},
        },
    }
    configure, listen, answer = ask(codec, "session.update", session=session)
    assert configure == m.Configure(
        instructions="Be kind.",
        voice="two",
        language="de",
        speed=1.25,
        tools=(Tool("f", "d", {"type": "object"}),),
        tool_choice=ThatTool(name="f"),
        aloud=False,
    )
    assert listen == m.Listen(
        start=m.Start(
            mode="hands_free",
            silence_ms=400,
            endpointing="adaptive",
            threshold=0.5,
            pre_roll_ms=300,
            barge_in="wait",
            reply=True,
        )
    )
    assert json.loads(answer.body)["session"]["instructions"] == "Be kind."


def test_speech_under_way_is_left_alone_by_an_update_of_something_else(codec):
    commands = ask(codec, "session.update", session={"instructions": "x"})
    assert [type(command) for command in commands] == [m.Configure, m.Answer]


def test_nobody_listens_where_the_client_says_when_a_turn_is_over(codec):
    commands = ask(codec, "session.update", session={"audio": {"input": {"turn_detection": None}}})
    assert commands[1] == m.Listen()


def test_a_turn_that_is_not_to_be_answered_is_not(codec):
    detection = {"type": "server_vad", "create_response": False}
    commands = ask(codec, "session.update", session={"audio": {"input": {"turn_detection": detection}}})
    assert commands[1].start.reply is False


def test_sound_is_handed_on_and_the_end_of_it_at_a_commit(codec):
    pcm = bytes(4800)
    first = ask(codec, "input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
    rest = ask(codec, "input_audio_buffer.commit")
    assert [type(command) for command in (*first, *rest)] == [m.Audio, m.Audio, m.Commit]
    assert len(first[0].pcm + rest[0].pcm) == 3200


def test_of_one_message_the_latest_half_minute_is_heard(codec):
    minute = base64.b64encode(bytes(60 * 48_000)).decode()
    [audio] = ask(codec, "input_audio_buffer.append", audio=minute)
    assert 29.9 < len(audio.pcm) / 32_000 < 30.01
    # What is left out counts where positions are told.
    codec.encode(OPENED)
    [started] = codec.encode(m.SpeechStarted(utterance=1, sample=16_000))
    assert json.loads(started)["audio_start_ms"] == 31_000


def test_another_format_begins_another_stream(codec):
    ask(codec, "input_audio_buffer.append", audio=base64.b64encode(bytes(4800)).decode())
    commands = ask(codec, "session.update", session={"audio": {"input": {"format": {"type": "audio/pcmu"}}}})
    assert [type(command) for command in commands] == [m.Configure, m.Audio, m.Answer]
    first = ask(codec, "input_audio_buffer.append", audio=base64.b64encode(b"\xff" * 800).decode())
    rest = ask(codec, "input_audio_buffer.commit")
    assert sum(len(command.pcm) for command in (*first, *rest) if isinstance(command, m.Audio)) == 3200


ITEMS = [
    (
        {"id": "i", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        Words(id="i", by="person", text="Hi"),
    ),
    (
        {"id": "i", "type": "message", "role": "system", "content": [{"type": "input_text", "text": "Hi"}]},
        Words(id="i", by="system", text="Hi"),
    ),
    (
        {"id": "i", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        Words(id="i", by="assistant", text="Hi"),
    ),
    (
        {
            "id": "i",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_image", "image_url": "data:x"}, {"type": "input_text", "text": "\ud83d\udc4b"}],
        },
        Words(id="i", by="person", text="\U0001f44b"),
    ),
    (
        {"id": "i", "type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"},
        ToolUse(id="i", call="c", name="f", arguments="{}"),
    ),
    (
        {"id": "i", "type": "function_call_output", "call_id": "c", "output": ""},
        ToolOutput(id="i", call="c", output=""),
    ),
]


@pytest.mark.parametrize(("item", "wanted"), ITEMS)
def test_an_item_is_added_where_it_is_wanted(codec, item, wanted):
    for place, after in [({}, None), ({"previous_item_id": ""}, None), ({"previous_item_id": "root"}, FIRST)]:
        assert ask(codec, "conversation.item.create", item=item, **place) == [m.AddItem(item=wanted, after=after)]
    assert ask(codec, "conversation.item.create", item=item, previous_item_id="a")[0].after == "a"


def test_an_item_without_an_id_gets_one(codec):
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    ids = {ask(codec, "conversation.item.create", item=item)[0].item.id for _ in range(10)}
    assert len(ids) == 10


def test_items_are_read_deleted_and_cut(codec):
    assert ask(codec, "conversation.item.retrieve", item_id="a") == [m.ReadItem(item="a")]
    assert ask(codec, "conversation.item.delete", item_id="a") == [m.DeleteItem(item="a")]
    # It has made no sound: nothing of it can have been heard.
    assert ask(codec, "conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=700) == [
        m.CutItem(item="a", samples=0)
    ]


def test_a_cut_is_counted_in_the_samples_of_the_reply(codec):
    for event in (
        OPENED,
        m.StateChanged(turn=1, state=m.State.THINKING),
        m.TtsPhrase(turn=1, phrase=0, start=0, end=2, sample_rate=22_050),
    ):
        codec.encode(event)
    [cut] = ask(codec, "conversation.item.truncate", item_id="reply_1", content_index=0, audio_end_ms=1000)
    assert cut == m.CutItem(item="reply_1", samples=22_050)


def test_a_response_is_as_the_session_has_it_but_for_what_it_says(codec):
    ask(codec, "session.update", session={"instructions": "Be kind.", "audio": {"output": {"voice": "two"}}})
    configured = m.Respond(
        instructions="Be kind.",
        voice="two",
        tools=(),
        tool_choice="auto",
        max_tokens="inf",
        aloud=True,
        items=None,
        out_of_band=False,
    )
    nothing: dict[str, Any]
    for nothing in ({}, {"response": None}, {"response": {}}):
        assert ask(codec, "response.create", **nothing) == [configured]
    wanted = {
        "instructions": "Be quick.",
        "output_modalities": ["text"],
        "audio": {"output": {"voice": "nobody's"}},
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}],
        "tool_choice": "required",
        "max_output_tokens": 30,
        "conversation": "none",
        "metadata": {"a": "b"},
        "input": [{"type": "item_reference", "id": "i"}, ITEMS[0][0]],
    }
    assert ask(codec, "response.create", response=wanted) == [
        m.Respond(
            instructions="Be quick.",
            voice=None,
            tools=(Tool("f", "", {"type": "object", "properties": {}}),),
            tool_choice="required",
            max_tokens=30,
            aloud=False,
            items=(Reference(id="i"), Words(id="i", by="person", text="Hi")),
            out_of_band=True,
        )
    ]


def test_a_response_is_cancelled_by_its_name_or_without_one(codec):
    assert ask(codec, "response.cancel") == [m.CancelReply()]
    codec.encode(OPENED)
    [created] = codec.encode(m.StateChanged(turn=1, state=m.State.THINKING))
    response = json.loads(created)["response"]["id"]
    assert ask(codec, "response.cancel", response_id=response) == [m.CancelReply(reply=1)]
    assert wrong(codec, "response.cancel", response_id="resp_x") == ("response_cancel_not_active", "response_id")


MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}


@pytest.mark.parametrize(
    ("kind", "fields", "code", "param"),
    [
        ("x.y", {}, "invalid_value", "type"),
        ("session.update", {}, "missing_required_parameter", "session"),
        ("input_audio_buffer.append", {}, "missing_required_parameter", "audio"),
        ("input_audio_buffer.append", {"audio": 3}, "invalid_value", "audio"),
        ("input_audio_buffer.append", {"audio": "~"}, "invalid_value", "audio"),
        ("conversation.item.create", {}, "missing_required_parameter", "item"),
        ("conversation.item.create", {"item": {}}, "missing_required_parameter", "item.type"),
        ("conversation.item.create", {"item": {"type": "mcp_call"}}, "invalid_value", "item.type"),
        ("conversation.item.create", {"item": MESSAGE | {"role": "tool"}}, "invalid_value", "item.role"),
        ("conversation.item.create", {"item": MESSAGE | {"content": ["x"]}}, "invalid_value", "item.content[0].type"),
        (
            "conversation.item.create",
            {"item": MESSAGE | {"content": [{"type": "input_audio", "audio": 3}]}},
            "invalid_value",
            "item.content[0].audio",
        ),
        ("conversation.item.create", {"item": MESSAGE | {"id": "x" * 201}}, "string_above_max_length", "item.id"),
        ("conversation.item.create", {"item": MESSAGE, "previous_item_id": 3}, "invalid_value", "previous_item_id"),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "output": "x"}},
            "missing_required_parameter",
            "item.call_id",
        ),
        ("conversation.item.retrieve", {}, "missing_required_parameter", "item_id"),
        ("conversation.item.retrieve", {"item_id": ""}, "invalid_value", "item_id"),
        ("conversation.item.delete", {"item_id": []}, "invalid_value", "item_id"),
        ("conversation.item.truncate", {"item_id": "a"}, "missing_required_parameter", "audio_end_ms"),
        ("conversation.item.truncate", {"item_id": "a", "audio_end_ms": -1}, "invalid_value", "audio_end_ms"),
        ("conversation.item.truncate", {"item_id": "a", "audio_end_ms": 1e305}, "invalid_value", "audio_end_ms"),
        (
            "conversation.item.truncate",
            {"item_id": "a", "audio_end_ms": 0, "content_index": 1},
            "invalid_value",
            "content_index",
        ),
        ("response.create", {"response": []}, "invalid_value", "response"),
        ("response.create", {"response": {"conversation": "x"}}, "invalid_value", "response.conversation"),
        ("response.create", {"response": {"input": {}}}, "invalid_value", "response.input"),
        ("response.create", {"response": {"input": [3]}}, "invalid_value", "response.input[0]"),
        ("response.create", {"response": {"metadata": {"a": 1}}}, "invalid_value", "response.metadata"),
        (
            "response.create",
            {"response": {"metadata": dict.fromkeys(map(str, range(17)), "")}},
            "invalid_value",
            "response.metadata",
        ),
        ("response.create", {"response": {"tools": [{"type": "function", "name": "a b"}]}}, "invalid_value", None),
    ],
)
def test_what_is_wrong_is_answered_and_goes_no_further(codec, kind, fields, code, param):
    found = wrong(codec, kind, **fields)
    assert found == (code, param or found[1])


@pytest.mark.parametrize("message", ["{", "", "[]", "3", "NaN", '{"a": Infinity}', "[" * 20_000])
def test_what_is_no_event_is_answered(codec, message):
    [answer] = codec.decode(message)
    assert json.loads(answer.body)["error"]["code"] == "invalid_json"


@pytest.mark.parametrize("message", ["[" * 20_001, '{"a": "' + "\\n" * 50_001 + '"}'])
def test_what_would_take_long_to_take_apart_is_not(codec, message):
    [answer] = codec.decode(message)
    assert json.loads(answer.body)["error"]["code"] == "invalid_value"


def test_half_a_character_is_made_whole_wherever_it_stands(codec):
    tools = [{"type": "function", "name": "f", "parameters": {"\udc00": ["\ud800"]}}]
    for command in ask(codec, "session.update", session={"instructions": "\ud83d", "tools": tools}):
        repr(command).encode()
    [answer] = ask(codec, "\ud800", event_id="\ud800")
    answer.body.encode()
