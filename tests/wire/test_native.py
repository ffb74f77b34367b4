import json
import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from voice_trio.core import messages as m
from voice_trio.core.items import Reference, ToolOutput, ToolUse, Words
from voice_trio.core.tools import ThatTool, Tool
from voice_trio.session.link import Malformed
from voice_trio.wire import native
from voice_trio.wire.native import NativeCodec
from voice_trio.wire.resumable import ResumableCodec

COMMANDS = [
    m.Audio(b"\1\2" * 480),
    m.Start(),
    m.Start(mode="hold", conversation="c", language="en", voice="v", speed=1.5, silence_ms=500, echo="none"),
    m.Start(endpointing="adaptive"),
    m.Start(barge_in="confirm", reply=False),
    m.Text(text="héllo 👋"),
    m.Stop(),
    m.Cancel(),
    m.Cancel(turn=3),
    m.Cancel(turn=3, samples=4096),
    m.Played(turn=1, samples=4096),
    m.Sounding(),
    m.Sounding(turn=2, sample=4096, at=17),
    m.Mark(turn=1, marks={"first_audio": 812.5}),
]
EVENTS = [
    m.SessionOpened(
        session="s",
        conversation="c",
        features=("tap",),
        sample_rate=16000,
        max_utterance_ms=30000,
        silence_ms=700,
        asr="a",
        llm="l",
        voices=("v", "w"),
        languages=(),
    ),
    m.StateChanged(turn=1, state=m.State.CAPTURING),
    m.Partial(turn=1, keep=3, text="x", stable=2),
    m.Final(turn=1, text="hello", language="en"),
    m.Final(turn=1, text=""),
    m.Token(turn=1, text=" a"),
    m.TtsPhrase(turn=1, phrase=0, start=0, end=5, sample_rate=22050),
    m.TtsChunk(turn=1, phrase=0, seq=7, first_sample=2205, pcm=b"\1\0\2\0"),
    m.TtsPhraseDone(turn=1, phrase=0, samples=22050),
    m.Done(turn=1, outcome=m.Outcome.EMPTY, remembered=False, heard=0, latency=m.Latency(t_first_audio_ms=12)),
    m.Error(code=m.ErrorCode.TTS_FAIL, message="no", recoverable=True, turn=1, phrase=2),
    m.Info(code=m.InfoCode.SHUTTING_DOWN, message="bye", grace_s=2.5),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: type(c).__name__)
def test_a_command_survives_the_wire(command):
    assert native.decode_command(native.encode_command(command)) == command


WORDS = Words(id="a", by="assistant", text="Hé 👋", heard=2)
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
OTHERS = [
    m.Configure(),
    m.Configure(instructions="", voice="v", tools=(LOOK,), tool_choice=ThatTool(name="look"), aloud=False),
    m.Listen(),
    m.Listen(start=m.Start(mode="hands_free", silence_ms=500, barge_in="wait")),
    m.Commit(),
    m.Clear(),
    m.Respond(),
    m.Respond(instructions="Be brief.", tools=(), tool_choice="none", aloud=False, items=(), out_of_band=True),
    m.Respond(items=(WORDS, Reference(id="b"), ToolUse(id="c", call="c", name="look", arguments="{}"))),
    m.CancelReply(),
    m.AddItem(item=WORDS),
    m.AddItem(item=Words(id="a", by="person"), after=""),
    m.AddItem(item=ToolOutput(id="d", call="c", output="rain"), after="c"),
    m.ReadItem(item="a"),
    m.DeleteItem(item="a"),
    m.CutItem(item="a", samples=24_000),
    m.Answer(body='{"type":"session.updated"}'),
    m.Detached(),
    m.Attached(),
    m.Attached(sounds=((3, 2400, 0), (4, 0, 2))),
]


@pytest.mark.parametrize("command", OTHERS, ids=lambda c: type(c).__name__)
def test_a_command_of_another_wire_is_spelled_for_session_logs_and_not_read(command):
    data = native.encode_command(command)
    assert isinstance(data, str)
    assert native.decode_text(data, native.OTHERS) == command
    with pytest.raises(Malformed, match="unknown message type"):
        native.decode_command(data)


def test_what_is_no_message_here_is_left_unsaid():
    for event in (m.Cleared(), m.SpeechStarted(utterance=1, sample=0), m.ItemAdded(item=WORDS, after=None)):
        assert NativeCodec().encode(event) == ()
    assert {type(command) for command in OTHERS} == {*native.OTHERS.values()}


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_survives_the_wire(event):
    assert native.decode_event(native.encode_event(event)) == event


def test_texts_bear_the_number_of_each_message_where_a_session_can_be_resumed():
    codec = ResumableCodec(40)
    token, chunk = m.Token(turn=1, text="a"), m.TtsChunk(turn=1, phrase=0, seq=0, first_sample=0, pcm=b"\1\0")
    said = [message for event in (token, chunk, m.Cleared(), token) for message in codec.encode(event)]
    assert [json.loads(said[0]), json.loads(said[2])] == [
        {"type": "token", "turn": 1, "text": "a", "seq": 41},
        {"type": "token", "turn": 1, "text": "a", "seq": 43},
    ]
    assert said[1] == native.encode_event(chunk)
    assert len(said) == 3


def test_what_says_that_a_session_goes_on_has_no_number():
    codec = ResumableCodec(40)
    opened = next(event for event in EVENTS if isinstance(event, m.SessionOpened))
    (again,) = codec.encode(replace(opened, resumed=True, received=7))
    assert "seq" not in json.loads(again)
    (first,) = ResumableCodec(0).encode(replace(opened, resumed=False))
    assert json.loads(first)["seq"] == 1


def test_a_chunk_is_sixteen_bytes_little_endian_and_then_the_audio():
    data: Any = native.encode_event(m.TtsChunk(turn=3, phrase=2, seq=5, first_sample=70000, pcm=b"\x01\x80"))
    assert struct.unpack("<BBHIII", data[:16]) == (1, 1, 2, 3, 5, 70000)
    assert data[16:] == b"\x01\x80"


def test_an_optional_field_is_left_out_and_a_latency_says_null():
    assert json.loads(native.encode_event(m.Final(turn=1, text="a"))) == {"type": "final", "turn": 1, "text": "a"}
    done = json.loads(native.encode_event(m.Done(turn=1, outcome=m.Outcome.EMPTY, remembered=False, heard=0)))
    assert set(done["latency"].values()) == {None}


def test_unknown_fields_and_unknown_events_are_ignored():
    assert native.decode_command('{"type":"stop","why":"x"}') == m.Stop()
    assert native.decode_event('{"type":"tomorrow"}') is None
    assert native.decode_event(struct.pack("<BBHIII", 1, 9, 0, 1, 0, 0)) is None


def test_an_empty_binary_message_says_nothing():
    assert native.decode_command(b"") is None
    assert NativeCodec().decode(b"") == ()


def test_a_message_is_one_command_and_an_event_one_message():
    assert NativeCodec().decode('{"type":"stop"}') == (m.Stop(),)
    assert NativeCodec().encode(m.Token(turn=1, text="a")) == ('{"type":"token","turn":1,"text":"a"}',)


def test_a_command_of_other_wires_is_not_known_on_this_one():
    """A session log has it all the same."""
    said = m.Configure(instructions="Be brief.", voice="v")
    text = native.encode_command(said)
    assert isinstance(text, str)
    assert json.loads(text) == {"type": "configure", "instructions": "Be brief.", "voice": "v"}
    with pytest.raises(Malformed, match="unknown message type 'configure'; known are start, text, stop, "):
        native.decode_command(text)
    assert native.decode_text(text, {"configure": m.Configure}) == said


@pytest.mark.parametrize(
    ("data", "close_code", "says"),
    [
        ("", 1007, "not JSON"),
        ("{", 1007, "not JSON"),
        ("[" * 20000, 1007, "not JSON"),
        ('{"type":"played","turn":NaN,"samples":1}', 1007, "not JSON"),
        ("[1]", 1007, "object"),
        ('"start"', 1007, "object"),
        ("{}", 1007, "type"),
        ('{"type":7}', 1007, "type"),
        ('{"type":"sing"}', 1003, "sing"),
        ('{"type":"tts_chunk"}', 1003, "tts_chunk"),
        ('{"type":"start","mode":"loud"}', 1007, "mode"),
        ('{"type":"start","speed":9}', 1007, "speed"),
        ('{"type":"start","silence_ms":"700"}', 1007, "silence_ms"),
        ('{"type":"start","silence_ms":true}', 1007, "silence_ms"),
        ('{"type":"text"}', 1007, "text"),
        ('{"type":"text","text":""}', 1007, "text"),
        ('{"type":"text","text":"\\ud800"}', 1007, "text"),
        ('{"type":"cancel","turn":0}', 1007, "turn"),
        ('{"type":"played","turn":1,"samples":-1}', 1007, "samples"),
        ('{"type":"played","turn":1,"samples":99999999999999}', 1007, "samples"),
        ('{"type":"mark","turn":1,"marks":{"a":"b"}}', 1007, "marks"),
        ('{"type":"mark","turn":1,"marks":{"a":1e999}}', 1007, "marks"),
        (b"\0", 1007, "even"),
        (b"\0" * 65537, 1009, "65536"),
        ('{"type":"text","text":"' + "é" * 40000 + '"}', 1009, "65536"),
    ],
)
def test_what_is_no_command(data, close_code, says):
    with pytest.raises(Malformed) as caught:
        native.decode_command(data)
    assert NativeCodec().close_code(caught.value.farewell) == close_code
    assert says in caught.value.message


def test_the_largest_message_is_welcome():
    assert native.decode_command(b"\0" * 65536) == m.Audio(b"\0" * 65536)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def close_code(data):
    try:
        native.decode_command(data)
    except Malformed as error:
        return NativeCodec().close_code(error.farewell)
    return None


@given(st.text() | st.binary(max_size=200))
def test_nothing_a_client_sends_is_a_surprise(data):
    assert close_code(data) in (None, 1003, 1007, 1009)


@given(JSON)
def test_no_field_is_a_surprise(value):
    for name in native.COMMANDS:
        for field in ("text", "turn", "mode", "marks"):
            assert close_code(json.dumps({"type": name, field: value})) in (None, 1007)
