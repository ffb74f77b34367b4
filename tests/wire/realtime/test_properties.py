"""Whatever a client asks, legal or not: what it is told is as the contract has it, and all that is begun is ended."""

import base64
import os

import trio
import trio.testing
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.wire.realtime.talking import holding, silent, voiced
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, ToolCall
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

EXAMPLES = int(os.environ.get("EXAMPLES", "60"))

IDS = ["a", "b", "c", "said_1", "reply_1", "reply_2", "call_1_0", "newest"]
"""Items that a client may name: its own, what turns make or might, and the one that came last."""

DETECTIONS = [
    None,
    {"type": "server_vad"},
    {"type": "server_vad", "silence_duration_ms": 200, "create_response": False},
    {"type": "server_vad", "interrupt_response": False},
    {"type": "server_vad", "idle_timeout_ms": 2000, "threshold": 0.9, "prefix_padding_ms": 1500},
    {"type": "semantic_vad", "eagerness": "high"},
    {"type": "nonsense"},
]
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}


def text(words, role="user", **more):
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": words}], **more}


def sound(ms):
    """Return a message of so much speech."""
    audio = base64.b64encode(voiced(ms)).decode()
    return {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}


ITEMS = st.one_of(
    st.builds(lambda key: text("Hello.", id=key), st.sampled_from(["a", "b", "c", "said_1", "reply_9"])),
    st.builds(lambda role: text("Hello.", role), st.sampled_from(["user", "system", "assistant"])),
    st.just({"type": "function_call_output", "call_id": "call_1_0", "output": "5"}),
    st.just({"type": "function_call", "call_id": "x", "name": "f", "arguments": "{}"}),
    st.just({"type": "mystery"}),
    st.builds(lambda key, ms: {**sound(ms), "id": key}, st.sampled_from(["a", "b"]), st.sampled_from([60, 600, 9000])),
    st.just(text("Look.", id="c") | {"content": [{"type": "input_image", "image_url": "data:x"}]}),
)
RESPONSES = st.fixed_dictionaries(
    {},
    optional={
        "conversation": st.sampled_from(["auto", "none", "none", "x"]),
        "output_modalities": st.sampled_from([["text"], ["audio"]]),
        "instructions": st.just("Be kind."),
        "tools": st.just([TOOL]),
        "metadata": st.just({"a": "b"}),
        "input": st.lists(st.one_of(ITEMS, st.just({"type": "item_reference", "id": "a"})), max_size=2),
    },
)
UPDATES = st.fixed_dictionaries(
    {},
    optional={
        "output_modalities": st.sampled_from([["text"], ["audio"]]),
        "tools": st.sampled_from([[], [TOOL]]),
        "audio": st.fixed_dictionaries(
            {},
            optional={
                "input": st.fixed_dictionaries(
                    {},
                    optional={
                        "turn_detection": st.sampled_from(DETECTIONS),
                        "transcription": st.sampled_from([None, {"model": "x"}]),
                        "format": st.sampled_from([{"type": "audio/pcm"}, {"type": "audio/pcmu"}, {"type": "x"}]),
                    },
                ),
                "output": st.just({"format": {"type": "audio/pcma"}}),
            },
        ),
    },
)
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.1, 0.7, 3.0, 12.0])),
    st.tuples(st.just("voice"), st.sampled_from([30, 300, 900, 2000])),
    st.tuples(st.just("silence"), st.sampled_from([100, 800, 3000])),
    st.tuples(st.just("speak"), st.sampled_from([300, 900])),
    st.tuples(st.just("input_audio_buffer.commit"), st.just({})),
    st.tuples(st.just("input_audio_buffer.clear"), st.just({})),
    st.tuples(st.just("session.update"), st.builds(lambda session: {"session": session}, UPDATES)),
    st.tuples(
        st.just("conversation.item.create"),
        st.builds(
            lambda item, after: {"item": item, **after},
            ITEMS,
            st.sampled_from([{}, {"previous_item_id": "root"}, *({"previous_item_id": key} for key in IDS)]),
        ),
    ),
    st.tuples(st.just("conversation.item.retrieve"), st.builds(lambda key: {"item_id": key}, st.sampled_from(IDS))),
    st.tuples(st.just("conversation.item.delete"), st.builds(lambda key: {"item_id": key}, st.sampled_from(IDS))),
    st.tuples(
        st.just("conversation.item.truncate"),
        st.builds(
            lambda key, end_ms: {"item_id": key, "content_index": 0, "audio_end_ms": end_ms},
            st.sampled_from(IDS),
            st.sampled_from([0, 120, 900, 99_999, -1]),
        ),
    ),
    st.tuples(st.just("response.create"), st.builds(lambda response: {"response": response}, RESPONSES)),
    st.tuples(st.just("response.create"), st.just({})),
    st.tuples(st.just("response.create"), st.just({"response": {"conversation": "none"}})),
    st.tuples(st.just("response.cancel"), st.sampled_from([{}, {"response_id": "x"}, {"response_id": "newest"}])),
    st.tuples(st.just("raw"), st.sampled_from(["", "{", "[]", b"\0", '{"type": 3}', '{"type": "x"}'])),
)
REPLIES = [
    ScriptedReply(),
    ScriptedReply(tokens=["A sentence that goes on. "] * 8, token_s=0.1),
    ScriptedReply(tokens=["Let me see. ", ToolCall("x", "weather", "{}")], finish="tool_calls"),
    ScriptedReply(tokens=[ToolCall("x", "weather", "{}"), ToolCall("y", "weather", "{}")], finish="tool_calls"),
    ScriptedReply(tokens=["It ", EngineError(ErrorCode.LLM_FAIL, "It broke.")]),
    ScriptedReply(tokens=[]),
    ScriptedReply(tokens=[6.0, "Late."]),
]


@given(
    st.lists(STEPS, max_size=25),
    st.lists(st.sampled_from(REPLIES), min_size=1, max_size=6),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_client_asks(steps, replies, asr_fails, tts_fails):
    trio.run(talk, steps, replies, asr_fails, tts_fails, clock=trio.testing.MockClock(autojump_threshold=0))


async def talk(steps, replies, asr_fails, tts_fails):
    engines = scripted_engines(
        language_model=ScriptedLanguageModel(replies=replies),
        recognizer=ScriptedRecognizer(fails=[EngineError(ErrorCode.ASR_FAIL, "It broke.")] if asr_fails else []),
        synthesizer=ScriptedSynthesizer(fails=[EngineError(ErrorCode.TTS_FAIL, "It broke.")] if tts_fails else []),
    )
    async with holding(engines, to_the_end=True, log_latency=False) as client:
        for step, what in steps:
            if client.over.is_set():
                break
            await do(client, step, what)
        # Or there would be one reply to silence after another.
        await client.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        # No reply, no utterance and no limit of either lasts so long.
        await trio.sleep(300)
        assert not client.over.is_set(), client.link.memory.closed
        asked = len(client.of("session.updated"))
        await client.send("session.update", session={})
        await trio.sleep(1)
        assert len(client.of("session.updated")) == asked + 1


async def do(client, step, what):
    match step:
        case "wait":
            await trio.sleep(what)
        case "voice":
            await client.append(voiced(what))
        case "silence":
            await client.append(silent(what))
        case "speak":
            await client.speak(what)
        case "raw":
            await client.send_raw(what)
        case _:
            if what.get("item_id") == "newest":
                what = {**what, "item_id": newest(client)}
            if what.get("response_id") == "newest":
                created = client.of("response.created")
                what = {"response_id": created[-1]["response"]["id"]} if created else {}
            await client.send(step, **what)


def newest(client):
    added = client.of("conversation.item.added")
    return added[-1]["item"]["id"] if added else "none"
