"""OpenAI's client for node against a real server with scripted engines. It speaks TLS alone."""

import base64

import pytest
import trio

from tests.server.in_node import need, talk as talk_in_node
from tests.server.openai_asking import serving
from tests.server.serving import certified
from tests.wire.realtime.contract import check
from tests.wire.realtime.order import check_order
from voice_trio.engines.base import ToolCall
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

need("openai")

SAID = "It is sunny. Enjoy your day."
LONG = ScriptedReply(tokens=["A sentence that goes on. "] * 50, token_s=0.1)
SHORT = ScriptedReply()


@pytest.fixture
def talk(tmp_path):
    """Return what plays a scenario, and returns what the client heard and what the language model was asked."""
    authority, certificate = certified(tmp_path)

    async def talk(scenario, *replies, key="any", fails=False, **settings):
        model = ScriptedLanguageModel(replies=replies or [SHORT])
        with trio.fail_after(90):
            async with serving(scripted_engines(language_model=model), **certificate, **settings) as (running, _):
                heard = await talk_in_node(
                    "openai_talking.mjs", scenario, f"{running.url}/v1", key, authority=authority
                )
        told = [check(event) for event in heard if not event["type"].startswith("client.")]
        if len(of(heard, "client.closed")) == 1:
            check_order(told, to_the_end=True)
        assert bool(of(heard, "client.error")) is fails
        return heard, [[(one.role, one.content) for one in prompt] for prompt in model.prompts]

    return talk


def of(events, kind):
    return [event for event in events if event["type"] == kind]


def joined(events, kind):
    return "".join(event["delta"] for event in of(events, kind))


def types_in_order(events, *kinds):
    types = [event["type"] for event in events]
    places = [types.index(kind) for kind in kinds]
    return places == sorted(places)


async def test_a_text_is_answered_aloud(talk):
    events, [prompt] = await talk("typed")
    assert prompt[-1] == ("user", "How is the weather?")
    assert joined(events, "response.output_audio_transcript.delta") == SAID
    sound = b"".join(base64.b64decode(event["delta"]) for event in of(events, "response.output_audio.delta"))
    # 50 ms a character, at 24 kHz; a phrase has no space at its end.
    assert 1.2 < len(sound) / 48_000 < 1.5
    [done] = of(events, "response.done")
    assert (done["response"]["status"], done["response"]["metadata"]) == ("completed", {"topic": "weather"})


async def test_or_in_text_alone(talk):
    events, _ = await talk("text_only")
    assert joined(events, "response.output_text.delta") == SAID
    assert not of(events, "response.output_audio.delta")


@pytest.mark.parametrize("detection", ["server_vad", "semantic_vad"])
async def test_what_is_said_is_heard_and_answered(talk, detection):
    events, [prompt] = await talk(detection)
    assert types_in_order(
        events,
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.created",
        "response.output_audio.delta",
        "response.done",
    )
    [told] = of(events, "conversation.item.input_audio_transcription.completed")
    [item] = of(events, "conversation.item.retrieved")
    assert told["transcript"].startswith("what is the weather")
    assert item["item"]["content"][0]["transcript"] == told["transcript"] == prompt[-1][1]


async def test_a_button_ends_what_is_said(talk):
    events, [prompt] = await talk("push_to_talk")
    assert not of(events, "input_audio_buffer.speech_started")
    assert prompt[-1] == ("user", "what is the weather like")
    assert joined(events, "response.output_audio_transcript.delta") == SAID


async def test_a_response_is_cancelled(talk):
    events, _ = await talk("cancelled", LONG)
    [done] = of(events, "response.done")
    assert (done["response"]["status"], done["response"]["status_details"]["reason"]) == (
        "cancelled",
        "client_cancelled",
    )
    [error] = of(events, "error")
    assert (error["error"]["code"], error["error"]["event_id"]) == ("response_cancel_not_active", "late")


async def test_who_speaks_into_the_reply_is_heard_and_what_was_played_is_remembered(talk):
    events, prompts = await talk("interrupted", LONG, SHORT)
    first, second = of(events, "response.done")
    assert (first["response"]["status"], second["response"]["status"]) == ("cancelled", "completed")
    assert first["response"]["status_details"]["reason"] == "turn_detected"
    [truncated] = of(events, "conversation.item.truncated")
    [kept] = of(events, "conversation.item.retrieved")
    assert truncated["audio_end_ms"] == 700
    # 50 ms a character.
    assert kept["item"]["content"][0]["transcript"].strip() == "A sentence"
    [remembered] = [words for role, words in prompts[1] if role == "assistant"]
    assert remembered == "A sentence [cut off by the person]"


async def test_a_function_is_called_and_its_answer_is_spoken(talk):
    call = ScriptedReply(tokens=[ToolCall("1", "weather", '{"place": "sea"}')], finish="tool_calls")
    events, prompts = await talk("called", call, SHORT)
    assert prompts[1][-1] == ("tool", "sunny at sea")
    assert joined(events, "response.output_audio_transcript.delta") == SAID


async def test_an_aside_stays_out_of_the_conversation(talk):
    events, prompts = await talk("aside")
    aside, answer = [event["response"] for event in of(events, "response.done")]
    assert (aside["conversation_id"], aside["metadata"]) == (None, {"topic": "yes"})
    assert aside["output"][0]["content"][0]["text"] == SAID
    assert answer["conversation_id"]
    spoken = [[words for role, words in prompt if role != "system"] for prompt in prompts]
    assert spoken == [["Which topic is it?"], ["How is the weather?"]]


async def test_garbage_is_answered_and_ends_nothing(talk):
    events, _ = await talk("garbage")
    assert [error["error"]["code"] for error in of(events, "error")] == [
        "invalid_json",
        "invalid_event",
        "invalid_value",
        "invalid_value",
    ]
    assert of(events, "error")[2]["error"]["event_id"] == "mine"
    assert joined(events, "response.output_text.delta") == SAID


async def test_a_wrong_key_is_told_of(talk):
    [error, closed], _ = await talk("refused", key="wrong", auth_token="right")
    assert error["error"]["code"] == "invalid_api_key"
    assert (closed["code"], closed["reason"]) == (3000, "invalid_request_error.invalid_api_key")


async def test_who_finds_no_room_is_told_so(talk):
    events, _ = await talk("crowded", fails=True, max_sessions=1)
    [error] = of(events, "client.error")
    assert "503" in error["message"]
    assert [event["code"] for event in of(events, "client.closed")] == [1006, 1000]


async def test_a_client_secret_is_a_key(talk):
    events, _ = await talk("secret", key="right", auth_token="right")
    [_, created] = of(events, "session.created")
    assert created["session"]["instructions"] == "Be kind."


async def test_models_speech_and_transcriptions_are_there_too(talk):
    events, _ = await talk("audio_api")
    [found] = of(events, "client.found")
    assert found["text"].startswith("what is the weather")
    assert found["bytes"] > 20_000
    assert "scripted" in found["models"]
