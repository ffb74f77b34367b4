"""A session of this wire is recorded and lived again as any other: the log has its commands, spelled as /ws would."""

import base64
from contextlib import nullcontext
from functools import partial
from typing import Any

import trio
import trio.testing

from tests.journal.conversations import difference, spelled
from tests.wire.realtime.talking import holding, voiced
from tests.wire.realtime.test_turns import LONG, PUSH_TO_TALK, SHORT, detection, engines
from voice_trio.engines.base import ToolCall
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.testing.scripted import ScriptedReply

CALL = ScriptedReply(tokens=["Let me see. ", ToolCall("x", "weather", "{}")], finish="tool_calls")
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}


async def by_voice(client):
    await client.update(**detection())
    await client.speak()
    await client.wait_for("response.done")
    await client.speak()
    await client.wait_for("response.output_audio.delta")
    await client.speak()
    await client.wait_for("response.done")
    await client.wait_for("response.done")


async def with_items(client):
    await client.update(**PUSH_TO_TALK, tools=[TOOL])
    await client.write("How is the weather?", id="a")
    await client.send("response.create")
    [*_, call] = (await client.wait_for("response.done"))["response"]["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    await client.send("conversation.item.create", item=output)
    await client.send("response.create", response={"instructions": "Be kind.", "metadata": {"a": "b"}})
    item = (await client.wait_for("response.output_item.added"))["item"]["id"]
    await trio.sleep(0.4)
    await client.send("response.cancel")
    # Which of two that come at one instant is first, no log tells.
    await client.wait_for("response.done")
    await trio.sleep(0.1)
    await client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=300)
    await client.wait_for("conversation.item.truncated")
    await client.send("conversation.item.delete", item_id="a")
    await client.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
    await client.wait_for("response.done")
    await client.speak()
    await client.send("input_audio_buffer.commit")
    await client.send("response.create")
    await client.wait_for("response.done")


async def with_sound_and_asides(client):
    await client.update(**PUSH_TO_TALK, max_output_tokens=500)
    audio = base64.b64encode(voiced(900)).decode()
    message = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    await client.send("conversation.item.create", item=message)
    await client.send("response.create")
    await client.wait_for("response.output_audio.delta")
    await client.send("response.create", response={"conversation": "none", "max_output_tokens": "inf"})
    await trio.sleep(0.05)
    await client.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
    for _ in range(3):
        await client.wait_for("response.done")
    await client.update(**detection(idle_timeout_ms=3000, threshold=0.7, prefix_padding_ms=100))
    await client.speak()
    for _ in range(2):
        await client.wait_for("response.done")


def replayed(talk, *replies):
    """Return where the session of ``talk`` differs when it is lived again."""
    notes: list[Any] = []

    async def run():
        new_session = partial(RecordedSession, note=notes.append, keeping=nullcontext)
        async with holding(engines(*replies), new_session=new_session) as client:
            await talk(client)
            await trio.sleep(3)

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    assert len(notes) > 50
    return difference(spelled(notes))


def test_turns_by_voice():
    assert replayed(by_voice, SHORT, LONG, SHORT) is None


def test_items_functions_and_what_is_out_of_band():
    assert replayed(with_items, CALL, LONG, SHORT, SHORT) is None


def test_sound_in_items_responses_beside_each_other_and_silence():
    assert replayed(with_sound_and_asides, LONG, LONG, SHORT, SHORT, SHORT) is None
