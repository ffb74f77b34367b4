"""The Agents SDK for node against a real server with scripted engines."""

import pytest
import trio

from tests.server.in_node import need, talk as talk_in_node
from tests.server.openai_asking import serving
from tests.wire.realtime.contract import check
from tests.wire.realtime.order import check_order
from voice_trio.engines.base import ToolCall
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

need("@openai/agents-realtime")

SAID = "It is sunny. Enjoy your day."
LONG = ScriptedReply(tokens=["A sentence that goes on. "] * 50, token_s=0.1)
SHORT = ScriptedReply()


async def talk(scenario, *replies, key="any", **settings):
    """Return what came of ``scenario``, who said what in the SDK's view, and what the language model was asked."""
    model = ScriptedLanguageModel(replies=replies or [SHORT])
    with trio.fail_after(90):
        async with serving(scripted_engines(language_model=model), **settings) as (running, _):
            url = f"ws{running.url.removeprefix('http')}/v1/realtime"
            events = await talk_in_node("agents_talking.mjs", scenario, url, key)
    check_order([check(event) for event in events if not event["type"].startswith("agents.")], to_the_end=False)
    assert not of(events, "agents.passed_over")
    history = [
        (item["role"], "".join(part.get("text") or part.get("transcript") or "" for part in item["content"]))
        for event in of(events, "agents.history")
        for item in event["history"]
        if item["type"] == "message"
    ]
    return events, history, [[(one.role, one.content) for one in prompt] for prompt in model.prompts]


def of(events, kind):
    return [event for event in events if event["type"] == kind]


def untroubled(events):
    return not of(events, "error") and not of(events, "agents.error")


async def test_a_typed_message_is_answered():
    events, history, [prompt] = await talk("typed")
    assert untroubled(events)
    assert history == [("user", "How is the weather?"), ("assistant", SAID)]
    assert prompt == [("system", "Be brief."), ("user", "How is the weather?")]


@pytest.mark.parametrize("detection", ["semantic_vad", "server_vad"])
async def test_a_spoken_one_too(detection):
    events, history, _ = await talk(detection)
    assert untroubled(events)
    [(who, heard), answer] = history
    assert (who, answer) == ("user", ("assistant", SAID))
    assert heard.startswith("what is the weather")
    assert of(events, "session.updated")[-1]["session"]["audio"]["input"]["turn_detection"]["type"] == detection


async def test_a_button_ends_what_is_said():
    events, history, _ = await talk("push_to_talk")
    assert untroubled(events)
    assert not of(events, "input_audio_buffer.speech_started")
    assert history[-1] == ("assistant", SAID)


async def test_of_a_reply_that_is_stopped_no_more_is_remembered_than_was_heard():
    events, history, prompts = await talk("stopped", LONG, SHORT)
    assert untroubled(events)
    assert len(of(events, "agents.audio_interrupted")) == 1
    [remembered] = [words for role, words in prompts[1] if role == "assistant"] or [""]
    # It was stopped at its first sound.
    assert len(remembered) < 100
    assert [who for who, _ in history] == ["user", "assistant", "user", "assistant"]
    assert len(history[1][1]) < 100
    assert history[-1] == ("assistant", SAID)


async def test_who_speaks_into_the_reply_is_heard():
    events, history, prompts = await talk("interrupted", LONG, SHORT)
    assert untroubled(events)
    assert len(of(events, "agents.audio_interrupted")) == 1
    assert len(of(events, "conversation.item.truncated")) == 1
    assert len(prompts) == 2
    assert history[-1] == ("assistant", SAID)


async def test_a_tool_is_called_and_its_answer_is_spoken():
    call = ScriptedReply(tokens=[ToolCall("1", "weather", '{"place": "sea"}')], finish="tool_calls")
    events, history, prompts = await talk("called", call, SHORT)
    assert untroubled(events)
    assert [event["place"] for event in of(events, "agents.called")] == ["sea"]
    assert prompts[1][-1] == ("tool", "sunny")
    assert history[-1] == ("assistant", SAID)


async def test_one_agent_hands_over_to_another():
    call = ScriptedReply(tokens=[ToolCall("1", "transfer_to_Expert", "{}")], finish="tool_calls")
    events, history, prompts = await talk("handed_over", call, SHORT)
    assert untroubled(events)
    assert [event["to"] for event in of(events, "agents.handed_over")] == ["Expert"]
    assert [prompt[0] for prompt in prompts] == [("system", "Be brief."), ("system", "Be exact.")]
    assert prompts[1][-1] == ("tool", '{"assistant":"Expert"}')
    assert history[-1] == ("assistant", SAID)


async def test_a_history_is_rewritten():
    events, history, prompts = await talk("rewritten")
    assert untroubled(events)
    assert len(of(events, "conversation.item.deleted")) == 1
    asked = ("user", "How is the weather?")
    assert prompts[1][1:] == [asked, asked]
    assert history == [asked, asked, ("assistant", SAID)]


async def test_a_picture_is_passed_over_and_is_no_trouble():
    events, history, [prompt] = await talk("shown")
    assert untroubled(events)
    assert prompt[1:] == [("user", "How is the weather?")]
    assert history[-1] == ("assistant", SAID)


async def test_an_answer_may_be_text_alone():
    events, history, _ = await talk("text_only")
    assert untroubled(events)
    assert not of(events, "agents.audio_start")
    assert history[-1] == ("assistant", SAID)


async def test_an_aside_stays_out_of_the_conversation():
    events, _, prompts = await talk("aside")
    assert untroubled(events)
    assert [event["response"]["conversation_id"] is None for event in of(events, "response.done")] == [True, False]
    # The SDK itself has it in its history.
    assert prompts[1] == [("system", "Be brief."), ("user", "How is the weather?")]


async def test_garbage_is_told_of_and_ends_nothing():
    events, history, _ = await talk("garbage")
    [error] = of(events, "error")
    assert (error["error"]["code"], error["error"]["event_id"]) == ("invalid_value", "mine")
    assert history[-1] == ("assistant", SAID)


async def test_a_wrong_key_is_told_of():
    events, *_ = await talk("refused", key="wrong", auth_token="right")
    [error] = of(events, "error")
    assert error["error"]["code"] == "invalid_api_key"
    assert of(events, "agents.disconnected")
