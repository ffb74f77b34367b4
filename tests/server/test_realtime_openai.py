"""OpenAI's own client for Python, with asyncio and without, against a real server with scripted engines."""

import base64
import threading

import pytest
import trio

from tests.server.openai_asking import serving, sync_client
from tests.server.realtime import asyncio_client, under_asyncio
from tests.wire.realtime.talking import silent, voiced
from voice_trio.engines.base import ToolCall
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines

pytestmark = pytest.mark.real

NO_PROXY = {"proxy": None}
SAID = "It is sunny. Enjoy your day."


def connect(client):
    return client.realtime.connect(model="gpt-realtime", websocket_connection_options=NO_PROXY)


def spoken(ms=1500, then_silent_ms=900):
    return base64.b64encode(voiced(ms) + silent(then_silent_ms)).decode()


def message(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def until(connection, kind):
    """Return the events up to the next one of that type."""
    events = []
    async for event in connection:
        events.append(event)
        if event.type == kind:
            return events
        assert event.type != "error", event
    raise AssertionError(f"the connection ended, and there was no {kind}")


def joined(events, kind):
    return "".join(event.delta for event in events if event.type == kind)


async def test_a_text_is_answered_in_text():
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            assert (await connection.recv()).session.id
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            await connection.conversation.item.create(item=message("How is the weather?"))
            await connection.response.create()
            events = await until(connection, "response.done")
            assert joined(events, "response.output_text.delta") == SAID
            assert events[-1].response.output[0].content[0].text == SAID
            assert events[-1].response.usage.output_token_details.audio_tokens == 0

    with trio.fail_after(60):
        async with serving() as (running, _):
            await under_asyncio(talk, running)
            [asked] = running.engines.language_model.prompts
            assert asked[-1].content == "How is the weather?"


async def test_a_text_is_answered_aloud():
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            await connection.conversation.item.create(item=message("How is the weather?"))
            await connection.response.create(response={"metadata": {"topic": "weather"}})
            events = await until(connection, "response.done")
            sound = b"".join(
                base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta"
            )
            # 50 ms a character, at 24 kHz; a phrase has no space at its end.
            assert 1.2 < len(sound) / 48_000 < 1.5
            assert joined(events, "response.output_audio_transcript.delta") == SAID
            assert events[-1].response.metadata == {"topic": "weather"}
            assert events[-1].response.usage.output_token_details.audio_tokens > 0

    with trio.fail_after(60):
        async with serving() as (running, _):
            await under_asyncio(talk, running)


@pytest.mark.parametrize("detection", ["server_vad", "semantic_vad"])
async def test_what_is_said_is_heard_and_answered(detection):
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            heard = {"transcription": {"model": "whisper-1"}, "turn_detection": {"type": detection}}
            await connection.session.update(session={"type": "realtime", "audio": {"input": heard}})
            await until(connection, "session.updated")
            await connection.input_audio_buffer.append(audio=spoken())
            events = await until(connection, "response.done")
            types = [event.type for event in events]
            for earlier, later in [
                ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
                ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
                ("input_audio_buffer.committed", "conversation.item.input_audio_transcription.completed"),
                ("input_audio_buffer.committed", "response.created"),
                ("response.created", "response.output_audio.delta"),
            ]:
                assert types.index(earlier) < types.index(later)
            [told] = [event for event in events if event.type.endswith("transcription.completed")]
            assert told.transcript.startswith("what is the weather")
            await connection.conversation.item.retrieve(item_id=told.item_id)
            [*_, item] = await until(connection, "conversation.item.retrieved")
            assert item.item.content[0].transcript == told.transcript

    with trio.fail_after(60):
        async with serving() as (running, _):
            await under_asyncio(talk, running)


async def test_a_response_is_cancelled():
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            await connection.conversation.item.create(item=message("Tell me a story."))
            await connection.response.create()
            await until(connection, "response.output_audio.delta")
            await connection.response.cancel()
            [*_, done] = await until(connection, "response.done")
            assert (done.response.status, done.response.status_details.reason) == ("cancelled", "client_cancelled")
            assert done.response.output[0].status == "incomplete"
            await connection.response.cancel(event_id="late")
            error = await connection.recv()
            assert (error.error.code, error.error.event_id) == ("response_cancel_not_active", "late")

    long = ScriptedReply(tokens=["A sentence that goes on. "] * 50)
    engines = scripted_engines(language_model=ScriptedLanguageModel(replies=[long]))
    with trio.fail_after(60):
        async with serving(engines) as (running, _):
            await under_asyncio(talk, running)


async def test_push_to_talk():
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            heard = {"transcription": {"model": "whisper-1"}, "turn_detection": None}
            await connection.session.update(session={"type": "realtime", "audio": {"input": heard}})
            await connection.input_audio_buffer.append(audio=spoken(then_silent_ms=0))
            await connection.input_audio_buffer.commit()
            await connection.response.create()
            events = await until(connection, "response.done")
            assert events[-1].response.status == "completed"
            types = [event.type for event in events]
            assert "input_audio_buffer.speech_started" not in types
            assert types.index("input_audio_buffer.committed") < types.index("response.created")

    with trio.fail_after(60):
        async with serving() as (running, _):
            await under_asyncio(talk, running)


async def test_speech_into_a_reply_ends_it_and_what_was_heard_of_it_is_kept():
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            await connection.conversation.item.create(item=message("Tell me a story."))
            await connection.response.create()
            events = await until(connection, "response.output_audio.delta")
            reply = events[-1].item_id
            await connection.input_audio_buffer.append(audio=spoken())
            [*_, done] = await until(connection, "response.done")
            assert done.response.status_details.reason == "turn_detected"
            await connection.conversation.item.truncate(item_id=reply, content_index=0, audio_end_ms=460)
            await until(connection, "conversation.item.truncated")
            await connection.conversation.item.retrieve(item_id=reply)
            [*_, retrieved] = await until(connection, "conversation.item.retrieved")
            # 50 ms a character: two words, or the first of them.
            assert retrieved.item.content[0].transcript.strip() in ("A", "A sentence")
            assert retrieved.item.status == "incomplete"

    long = ScriptedReply(tokens=["A sentence that goes on. "] * 50, token_s=0.1)
    engines = scripted_engines(language_model=ScriptedLanguageModel(replies=[long, ScriptedReply()]))
    with trio.fail_after(60):
        async with serving(engines) as (running, _):
            await under_asyncio(talk, running)


async def test_a_function_is_called_and_its_output_answered():
    tool = {"type": "function", "name": "weather", "description": "d", "parameters": {"type": "object"}}

    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            await connection.session.update(session={"type": "realtime", "tools": [tool]})
            await connection.conversation.item.create(item=message("How is the weather at sea?"))
            await connection.response.create()
            [*_, done] = await until(connection, "response.done")
            [call] = done.response.output
            assert (call.name, call.arguments) == ("weather", '{"place": "sea"}')
            output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
            await connection.conversation.item.create(item=output)
            await connection.response.create()
            events = await until(connection, "response.done")
            assert joined(events, "response.output_audio_transcript.delta") == SAID

    call = ScriptedReply(tokens=[ToolCall("1", "weather", '{"place": "sea"}')], finish="tool_calls")
    model = ScriptedLanguageModel(replies=[call, ScriptedReply()])
    with trio.fail_after(60):
        async with serving(scripted_engines(language_model=model)) as (running, _):
            await under_asyncio(talk, running)
            assert model.prompts[1][-1].content == "sunny"


async def test_a_response_out_of_band_leaves_nothing_behind():
    async def talk(running):
        async with asyncio_client(running) as client, connect(client) as connection:
            await connection.conversation.item.create(item=message("Hi"))
            wanted = {"conversation": "none", "output_modalities": ["text"], "input": [message("Sum it up.")]}
            await connection.response.create(response=wanted)
            events = await until(connection, "response.done")
            assert events[-1].response.conversation_id is None
            assert joined(events, "response.output_text.delta") == SAID
            await connection.response.create()
            await until(connection, "response.done")

    model = ScriptedLanguageModel()
    with trio.fail_after(60):
        async with serving(scripted_engines(language_model=model)) as (running, _):
            await under_asyncio(talk, running)
            assert [prompt[-1].content for prompt in model.prompts] == ["Sum it up.", "Hi"]
            assert len(model.prompts[1]) == 2


async def test_a_wrong_key_is_told_of():
    async def talk(running):
        async with asyncio_client(running, "wrong") as client, connect(client) as connection:
            assert (await connection.recv()).error.code == "invalid_api_key"

    with trio.fail_after(60):
        async with serving(auth_token="right") as (running, _):
            await under_asyncio(talk, running)


async def test_without_asyncio_it_is_the_same():
    def talk(running):
        with sync_client(running) as client, connect(client) as connection:
            assert connection.recv().type == "session.created"
            connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            connection.conversation.item.create(item=message("Hi"))
            connection.response.create()
            text = ""
            for event in connection:
                assert event.type != "error", event
                if event.type == "response.output_text.delta":
                    text += event.delta
                if event.type == "response.done":
                    break
            assert text == SAID
            assert threading.current_thread() is not threading.main_thread()

    with trio.fail_after(60):
        async with serving() as (running, _):
            await trio.to_thread.run_sync(talk, running, abandon_on_cancel=True)
