from contextlib import suppress

import pytest
from hypothesis import given, strategies as st
from openai.types.realtime import RealtimeSessionCreateRequest

from voice_trio.wire.realtime.configuration import Configuration, Offered
from voice_trio.wire.realtime.errors import Wrong
from voice_trio.wire.realtime.turn_detection import TurnDetection

OFFERED = Offered("ours", "Be brief.", ("one", "two"), ("en",))


def told(wanted):
    return wanted.told(OFFERED, session="sess_1", expires_at=1)


def after(*updates):
    """Return what is told after these updates."""
    wanted = Configuration()
    for update in updates:
        wanted = wanted.merged(update)
    session = told(wanted)
    RealtimeSessionCreateRequest.model_validate(session, strict=True)
    return session


def test_nothing_asked_is_told_as_the_defaults():
    assert after() == {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": "ours",
        "expires_at": 1,
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                    "idle_timeout_ms": None,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "one", "speed": 1.0},
        },
    }


FIRST_UPDATES = [
    # openai-agents, Python
    {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "gpt-4o-mini-transcribe"},
                "turn_detection": {"type": "semantic_vad", "interrupt_response": True},
            },
            "output": {"voice": "ash"},
        },
        "tools": [],
    },
    {"type": "realtime", "model": "gpt-realtime-2.1", "tracing": "auto"},
    # @openai/agents
    {
        "type": "realtime",
        "audio": {
            "input": {"noise_reduction": None, "turn_detection": {"type": "semantic_vad"}},
            "output": {"speed": 1},
        },
    },
    {"type": "realtime", "tracing": {"workflow_name": "x"}},
    # livekit
    {
        "type": "realtime",
        "audio": {
            "input": {"noise_reduction": None, "turn_detection": {"type": "semantic_vad", "eagerness": "medium"}}
        },
        "max_output_tokens": "inf",
        "tool_choice": "auto",
        "tracing": None,
    },
    # older consoles, and fields that are nobody's
    {"instructions": "x", "temperature": 0.8, "input_audio_format": "pcm16", "reasoning": {"effort": "low"}},
]


@pytest.mark.parametrize("update", FIRST_UPDATES)
def test_what_clients_send_first_is_taken(update):
    after(update)


def test_an_update_is_merged_field_by_field():
    first = {"instructions": "x", "audio": {"input": {"transcription": {"model": "m", "delay": 3}}}}
    session = after(first, {"audio": {"output": {"voice": "two"}}}, {"tool_choice": "none"})
    assert session["instructions"] == "x"
    assert session["audio"]["input"]["transcription"] == {"model": "m"}
    assert session["audio"]["output"]["voice"] == "two"
    assert session["tool_choice"] == "none"


def test_the_inner_objects_are_replaced():
    detection = {"type": "server_vad", "silence_duration_ms": 900, "create_response": False}
    session = after({"audio": {"input": {"turn_detection": detection}}})
    assert session["audio"]["input"]["turn_detection"] == {**TurnDetection().told(), **detection}
    again = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
    assert after({"audio": {"input": {"turn_detection": detection}}}, again) == after()


def test_null_clears_what_can_be_cleared_and_is_absent_elsewhere():
    everything = {
        "instructions": "x",
        "tools": [{"type": "function", "name": "f"}],
        "tracing": "auto",
        "prompt": {"id": "p"},
        "audio": {
            "input": {"transcription": {"model": "m"}, "noise_reduction": {"type": "near_field"}},
            "output": {"voice": "two", "speed": 1.2, "format": {"type": "audio/pcmu"}},
        },
    }
    nulls = {
        "instructions": None,
        "tools": None,
        "tracing": None,
        "prompt": None,
        "audio": {
            "input": {"transcription": None, "noise_reduction": None, "turn_detection": None, "format": None},
            "output": {"voice": None, "speed": None, "format": None},
        },
    }
    session = after(everything, nulls)
    assert (session["instructions"], session["tools"]) == ("x", everything["tools"])
    assert (session["tracing"], session["prompt"]) == (None, None)
    heard = session["audio"]["input"]
    assert (heard["transcription"], heard["noise_reduction"], heard["turn_detection"]) == (None, None, None)
    assert session["audio"]["output"] == {"voice": "two", "speed": 1.2, "format": {"type": "audio/pcmu"}}
    cleared = after(everything, {"instructions": "", "tools": []})
    assert (cleared["instructions"], cleared["tools"]) == ("", [])


def test_what_is_not_ours_is_told_as_what_it_is():
    session = after({"model": "gpt-realtime", "audio": {"output": {"voice": {"id": "voice_1"}, "speed": 9}}})
    assert session["model"] == "ours"
    assert session["audio"]["output"]["voice"] == "one"
    assert session["audio"]["output"]["speed"] == 1.5


def test_both_modalities_are_audio():
    assert after({"output_modalities": ["text", "audio"]})["output_modalities"] == ["audio"]
    assert after({"output_modalities": ["text"]})["output_modalities"] == ["text"]


def test_silence_that_cannot_be_waited_for_is_told_as_what_can():
    update = {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 10}}}}
    assert after(update)["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ("x", "session"),
        (None, "session"),
        ([], "session"),
        ({"type": "transcription"}, "session.type"),
        ({"instructions": 1}, "session.instructions"),
        ({"output_modalities": ["video"]}, "session.output_modalities"),
        ({"output_modalities": []}, "session.output_modalities"),
        ({"tools": {}}, "session.tools"),
        ({"tools": ["x"]}, "session.tools[0]"),
        ({"tools": [{"type": "function"}]}, "session.tools[0].name"),
        ({"tool_choice": "perhaps"}, "session.tool_choice"),
        ({"max_output_tokens": "many"}, "session.max_output_tokens"),
        ({"max_output_tokens": True}, "session.max_output_tokens"),
        ({"audio": "x"}, "session.audio"),
        ({"audio": {"input": 1}}, "session.audio.input"),
        ({"audio": {"input": {"format": {"type": "audio/mp3"}}}}, "session.audio.input.format.type"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}, "session.audio.input.format.rate"),
        ({"audio": {"input": {"turn_detection": {"type": "x"}}}}, "session.audio.input.turn_detection.type"),
        ({"audio": {"input": {"turn_detection": "server_vad"}}}, "session.audio.input.turn_detection"),
        (
            {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "very"}}}},
            "session.audio.input.turn_detection.eagerness",
        ),
        ({"audio": {"input": {"transcription": "whisper"}}}, "session.audio.input.transcription"),
        ({"audio": {"output": {"voice": 3}}}, "session.audio.output.voice"),
        ({"audio": {"output": {"speed": "fast"}}}, "session.audio.output.speed"),
    ],
)
def test_what_is_wrong_is_named(update, param):
    with pytest.raises(Wrong) as caught:
        Configuration().merged(update)
    assert (caught.value.code, caught.value.param) == ("invalid_value", param)


NAMES = st.sampled_from(
    [
        "type",
        "audio",
        "input",
        "output",
        "format",
        "rate",
        "transcription",
        "model",
        "language",
        "turn_detection",
        "eagerness",
        "voice",
        "id",
        "speed",
        "tools",
        "name",
        "tool_choice",
        "instructions",
        "output_modalities",
        "max_output_tokens",
        "tracing",
        "prompt",
        "include",
        "truncation",
        "x",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(NAMES, ANYTHING, max_size=6), max_size=4))
def test_whatever_comes_is_taken_whole_or_not_at_all(updates):
    wanted = Configuration()
    for update in updates:
        with suppress(Wrong):
            wanted = wanted.merged(update)
        assert told(wanted).keys() >= told(Configuration()).keys()


def test_a_session_that_grows_update_by_update_ends_at_what_clients_take():
    wanted = Configuration().merged({"tracing": {"a": "a" * 200_000}})
    with pytest.raises(Wrong) as refusal:
        wanted.merged({"prompt": {"id": "a" * 100_000}})
    assert refusal.value.param == "session"
    assert wanted.merged({"prompt": {"id": "a" * 10_000}}).passed["prompt"]
