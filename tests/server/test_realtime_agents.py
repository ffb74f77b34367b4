"""OpenAI's Agents SDK for Python against a real server with scripted engines."""

import json
import os
import sys
from pathlib import Path

import pytest
import trio

from tests.server.openai_asking import serving
from voice_trio.engines.base import ToolCall
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
LONG = ScriptedReply(tokens=["A sentence that goes on. "] * 50, token_s=0.1)
SHORT = ScriptedReply()


async def talk(scenario, *replies):
    """Return what the SDK says came of ``scenario``, and what the language model was asked."""
    model = ScriptedLanguageModel(replies=replies or [SHORT])
    with trio.fail_after(90):
        async with serving(scripted_engines(language_model=model)) as (running, _):
            url = f"ws{running.url.removeprefix('http')}/v1/realtime"
            done = await trio.run_process(
                [sys.executable, "-m", "tests.server.agents_talking", scenario, url],
                cwd=ROOT,
                env={**os.environ, "NO_PROXY": "127.0.0.1", "OPENAI_AGENTS_DISABLE_TRACING": "1"},
                capture_stdout=True,
            )
    found = json.loads(done.stdout)
    assert found["errors"] == []
    return found, model.prompts


def said(history):
    """Return who said what."""
    return [
        (item["role"], "".join(part.get("text") or part.get("transcript") or "" for part in item["content"]))
        for item in history
        if item["type"] == "message"
    ]


async def test_a_typed_message_is_answered():
    found, [prompt] = await talk("typed")
    assert said(found["history"]) == [("user", "How is the weather?"), ("assistant", "It is sunny. Enjoy your day.")]
    assert (prompt[0].content, prompt[-1].content) == ("Be brief.", "How is the weather?")


async def test_a_spoken_one_too():
    found, _ = await talk("spoken")
    [(who, heard), (_, answer)] = said(found["history"])
    assert (who, answer) == ("user", "It is sunny. Enjoy your day.")
    assert heard.startswith("what is the weather")


async def test_a_tool_is_called_and_its_answer_is_spoken():
    call = ScriptedReply(tokens=[ToolCall("1", "weather", '{"place": "sea"}')], finish="tool_calls")
    found, prompts = await talk("calling", call, SHORT)
    assert found["calls"] == ["sea"]
    assert [message.content for message in prompts[1] if message.role == "tool"] == ["sunny"]


async def test_who_speaks_into_the_reply_is_heard():
    found, prompts = await talk("interrupted", LONG, SHORT)
    assert found["types"].count("audio_interrupted") == 1
    assert len(prompts) == 2
    assert said(found["history"])[-1] == ("assistant", "It is sunny. Enjoy your day.")


async def test_of_a_reply_that_is_stopped_no_more_is_remembered_than_was_heard():
    found, prompts = await talk("stopped", LONG, SHORT)
    assert said(found["history"])[-1] == ("assistant", "It is sunny. Enjoy your day.")
    # It was stopped at its first sound, though the SDK itself keeps what comes later.
    remembered = [message.content for message in prompts[1] if message.role == "assistant"]
    assert all(len(content) < 100 for content in remembered)
