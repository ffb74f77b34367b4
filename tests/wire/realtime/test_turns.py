"""Whole conversations over the codec and a session, in virtual time. Every event is held against the contract."""

import base64
from itertools import pairwise

import pytest
import trio

from tests.wire.realtime.talking import holding, silent, voiced
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, ToolCall
from voice_trio.engines.synthetic import SyntheticModel
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)

SAID = "It is sunny. Enjoy your day."
LONG = ScriptedReply(tokens=["A sentence that goes on. "] * 50, token_s=0.1)
SHORT = ScriptedReply()
TRANSCRIBED = {"transcription": {"model": "whisper-1"}}
PUSH_TO_TALK = {"audio": {"input": {**TRANSCRIBED, "turn_detection": None}}}


def engines(*replies, **others):
    return scripted_engines(language_model=ScriptedLanguageModel(replies=replies or [SHORT]), **others)


def asked(engines):
    """Return what the language model was asked, without its instructions."""
    return [
        [(message.role, message.content) for message in prompt if message.role != "system"]
        for prompt in engines.language_model.prompts
    ]


def detection(**wanted):
    return {"audio": {"input": {**TRANSCRIBED, "turn_detection": {"type": "server_vad", **wanted}}}}


def sound(client, **fields):
    """Return all the sound that was sent."""
    return b"".join(base64.b64decode(event["delta"]) for event in client.of("response.output_audio.delta", **fields))


async def test_what_is_said_is_heard_told_and_answered(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection(silence_duration_ms=500))
        await trio.sleep(1)
        await client.append(silent(1000))
        await client.speak(1500)
        done = await client.wait_for("response.done")
        assert done["response"]["status"] == "completed"
        started = client.of("input_audio_buffer.speech_started")[0]
        stopped = client.of("input_audio_buffer.speech_stopped")[0]
        assert started["audio_start_ms"] == pytest.approx(1000, abs=120)
        assert stopped["audio_end_ms"] == pytest.approx(2500, abs=120)
        [told] = client.of("conversation.item.input_audio_transcription.completed")
        assert told["transcript"].startswith("what is the weather")
        assert told["item_id"] == started["item_id"] == stopped["item_id"]
        said = "".join(event["delta"] for event in client.of("conversation.item.input_audio_transcription.delta"))
        assert said
        assert told["transcript"].startswith(said)
        types = client.types
        assert types.index("input_audio_buffer.committed") < types.index("response.created")
        assert asked(ours) == [[("user", told["transcript"])]]


async def test_one_turn_follows_another_by_itself(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection())
        for _ in range(3):
            await client.speak()
            await client.wait_for("response.done")
            await trio.sleep(5)
        assert len(client.of("response.done")) == 3
        assert [message for message, _ in asked(ours)[-1]] == ["user", "assistant"] * 2 + ["user"]


async def test_the_window_is_as_long_as_was_asked_for(autojump_clock):
    gaps = {}
    for window in (300, 1500):
        async with holding(to_the_end=True) as client:
            await client.update(**detection(silence_duration_ms=window))
            await client.speak(1500, then_silent_ms=2500)
            await client.wait_for("input_audio_buffer.speech_stopped")
            began = trio.current_time()
            await client.wait_for("response.done")
            gaps[window] = began
    assert gaps


async def test_a_turn_may_be_left_unanswered(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection(create_response=False))
        await client.speak()
        await client.wait_for("conversation.item.input_audio_transcription.completed")
        await trio.sleep(5)
        assert not client.of("response.created")
        await client.send("response.create")
        await client.wait_for("response.done")
        assert [role for role, _ in asked(ours)[0]] == ["user"]


async def test_who_only_coughs_is_not_answered(autojump_clock):
    ours = engines(recognizer=ScriptedRecognizer(words=()))
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection())
        await client.speak(600)
        told = await client.wait_for("conversation.item.input_audio_transcription.completed")
        assert told["transcript"] == ""
        await trio.sleep(5)
        assert not client.of("response.created")


async def test_a_recognizer_that_fails_is_told_of(autojump_clock):
    failure = EngineError(ErrorCode.ASR_FAIL, "It broke.")
    ours = engines(recognizer=ScriptedRecognizer(fails=[failure]))
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection())
        await client.speak()
        told = await client.wait_for("conversation.item.input_audio_transcription.failed")
        assert told["error"]["code"] == "asr_fail"
        await client.speak()
        await client.wait_for("response.done")


# --- push to talk -----------------------------------------------------------------------------------------------------


async def test_push_to_talk_in_one_breath(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        await client.append(voiced(1500))
        await client.send("input_audio_buffer.commit")
        await client.send("response.create")
        created = await client.wait_for("response.created")
        assert created["response"]["status"] == "in_progress"
        await client.wait_for("response.done")
        [told] = client.of("conversation.item.input_audio_transcription.completed")
        assert asked(ours) == [[("user", told["transcript"])]]
        assert not client.of("input_audio_buffer.speech_started")


async def test_nothing_happens_by_itself(autojump_clock):
    async with holding(to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        await client.speak(1500, then_silent_ms=5000)
        await trio.sleep(30)
        assert client.types == ["session.created", "session.updated"]
        await client.send("input_audio_buffer.commit")
        await client.wait_for("conversation.item.input_audio_transcription.completed")
        await trio.sleep(5)
        assert not client.of("response.created")


async def test_what_is_too_short_to_be_committed_says_so(autojump_clock):
    async with holding(to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        await client.append(voiced(90))
        await client.send("input_audio_buffer.commit", event_id="mine")
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "mine")


async def test_what_is_cleared_is_forgotten_and_what_was_committed_stays(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        await client.append(voiced(1500))
        await client.send("input_audio_buffer.clear")
        await client.wait_for("input_audio_buffer.cleared")
        await client.send("input_audio_buffer.commit")
        assert (await client.error())["code"] == "input_audio_buffer_commit_empty"
        await client.append(voiced(600))
        await client.send("input_audio_buffer.commit")
        await client.send("input_audio_buffer.clear")
        await client.send("response.create")
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "what is")]]


# --- typed ------------------------------------------------------------------------------------------------------------


async def test_a_text_is_answered_and_stays_in_the_conversation(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        for text in ("How is the weather?", "And tomorrow?"):
            await client.write(text)
            await client.send("response.create")
            await client.wait_for("response.done")
        assert asked(ours)[1] == [("user", "How is the weather?"), ("assistant", SAID), ("user", "And tomorrow?")]


async def test_a_response_to_an_empty_conversation(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.send("response.create", response={"instructions": "Greet the person."})
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"
        assert ours.language_model.prompts[0][0].content == "Greet the person."


async def test_text_alone_is_not_spoken(autojump_clock):
    voice = ScriptedSynthesizer()
    async with holding(engines(synthesizer=voice), to_the_end=True) as client:
        await client.update(output_modalities=["text"])
        await client.write("Hi")
        await client.send("response.create")
        done = await client.wait_for("response.done")
        assert done["response"]["output"][0]["content"] == [{"type": "output_text", "text": SAID}]
        assert voice.spoken == []
        # And aloud, when that is asked for this once.
        await client.send("response.create", response={"output_modalities": ["audio"]})
        done = await client.wait_for("response.done")
        assert done["response"]["output"][0]["content"] == [{"type": "output_audio", "transcript": SAID}]


async def test_a_response_does_not_wait_for_its_sound_to_be_heard(autojump_clock):
    async with holding(engines(ScriptedReply(tokens=["word " * 100])), to_the_end=True) as client:
        await client.write("Hi")
        began = trio.current_time()
        await client.send("response.create")
        await client.wait_for("response.done")
        # Twenty-five seconds of it.
        assert len(sound(client)) / 48_000 > 20
        assert trio.current_time() - began < 2


async def test_of_two_responses_at_once_the_second_is_declined(autojump_clock):
    async with holding(engines(LONG), to_the_end=True) as client:
        await client.write("Hi")
        await client.send("response.create")
        await client.send("response.create", event_id="second")
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "second")
        await client.wait_for("response.done")


async def test_two_responses_are_told_apart_while_both_run(autojump_clock):
    aside = ScriptedReply(tokens=["An answer apart. "] * 5, token_s=0.3)
    ours = engines(LONG, aside, aside)
    async with holding(ours, to_the_end=True) as client:
        await client.write("Tell me a story.")
        await client.send("response.create")
        story = (await client.wait_for("response.created"))["response"]["id"]
        await client.wait_for("response.output_audio.delta")
        ids = []
        for name in ("one", "other"):
            wanted = {"conversation": "none", "metadata": {"name": name}}
            await client.send("response.create", response=wanted)
            created = (await client.wait_for("response.created"))["response"]
            assert (created["conversation_id"], created["metadata"]) == (None, {"name": name})
            ids.append(created["id"])
        one, other = ids
        for response in ids:
            await client.wait_for("response.output_audio.delta", response_id=response)
        await client.send("response.cancel", response_id=one)
        done = (await client.wait_for("response.done"))["response"]
        assert (done["id"], done["status"]) == (one, "cancelled")
        assert done["status_details"]["reason"] == "client_cancelled"
        done = (await client.wait_for("response.done"))["response"]
        assert (done["id"], done["status"]) == (other, "completed")
        assert done["output"][0]["content"][0]["transcript"] == "An answer apart. " * 5
        # Without an id it is the conversation's that is meant.
        await client.send("response.cancel")
        done = (await client.wait_for("response.done"))["response"]
        assert (done["id"], done["status"]) == (story, "cancelled")
        assert {len(prompt) for prompt in asked(ours)[1:]} == {2}
        assert all(sound(client, response_id=response) for response in (story, one, other))


async def test_too_many_responses_at_once_are_declined(autojump_clock):
    async with holding(engines(LONG), to_the_end=True) as client:
        for number in range(5):
            wanted = {"conversation": "none", "output_modalities": ["text"]}
            await client.send("response.create", response=wanted, event_id=str(number))
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("rate_limit_exceeded", "4")
        for _ in range(4):
            assert (await client.wait_for("response.done"))["response"]["status"] == "completed"


async def test_a_reply_that_fails_says_why(autojump_clock):
    broken = ScriptedReply(tokens=["It ", EngineError(ErrorCode.LLM_FAIL, "It broke.")])
    async with holding(engines(broken, SHORT), to_the_end=True) as client:
        await client.write("Hi")
        await client.send("response.create")
        response = (await client.wait_for("response.done"))["response"]
        assert response["status"] == "failed"
        assert response["status_details"]["error"]["code"] == "llm_fail"
        await client.send("response.create")
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"
        assert not client.of("error")


# --- cancel, barge-in, truncate ---------------------------------------------------------------------------------------


async def test_of_two_cancels_the_second_finds_nothing(autojump_clock):
    async with holding() as client:
        await client.write("Hello?")
        await client.send("response.create")
        await client.send("response.cancel", event_id="first")
        await client.send("response.cancel", event_id="second")
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "second")


async def test_a_response_is_cancelled_at_once(autojump_clock):
    async with holding(engines(LONG, SHORT), to_the_end=True) as client:
        await client.write("Hi")
        await client.send("response.create")
        await client.wait_for("response.output_audio.delta")
        await client.send("response.cancel")
        response = (await client.wait_for("response.done"))["response"]
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        await client.send("response.cancel", event_id="late")
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "late")
        await client.send("response.create")
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"


async def test_who_speaks_into_the_reply_interrupts_it(autojump_clock):
    ours = engines(LONG, SHORT)
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection())
        await client.write("Tell me a story.")
        await client.send("response.create")
        await client.wait_for("response.output_audio.delta")
        await client.speak()
        response = (await client.wait_for("response.done"))["response"]
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"
        assert len(client.of("input_audio_buffer.speech_started")) == 1
        types = client.types
        assert types.index("response.done") < types.index("input_audio_buffer.speech_started")


async def test_speech_that_may_not_interrupt_is_answered_afterwards(autojump_clock):
    story = ScriptedReply(tokens=["A sentence that goes on. "] * 20, token_s=0.3)
    ours = engines(story, SHORT)
    async with holding(ours, to_the_end=True) as client:
        await client.update(**detection(interrupt_response=False))
        await client.write("Tell me a story.")
        await client.send("response.create")
        await client.wait_for("response.output_audio.delta")
        await client.speak()
        for _ in range(2):
            assert (await client.wait_for("response.done"))["response"]["status"] == "completed"
        assert len(asked(ours)) == 2


@pytest.mark.parametrize("after_done", [True, False])
async def test_what_was_heard_is_what_is_remembered(autojump_clock, after_done):
    story = ScriptedReply(tokens=["One two three four five six seven eight nine ten. "], token_s=0.02)
    ours = engines(story if after_done else LONG, SHORT)
    async with holding(ours, to_the_end=True) as client:
        await client.write("Count.")
        await client.send("response.create")
        added = await client.wait_for("response.output_item.added")
        item = added["item"]["id"]
        await client.wait_for("response.done" if after_done else "response.output_audio.delta")
        if not after_done:
            await trio.sleep(0.5)
            await client.send("response.cancel")
        # 50 ms a character: "One two " and a half, or "A sentence ".
        await client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=460)
        await client.wait_for("conversation.item.truncated", item_id=item, audio_end_ms=460)
        await client.send("conversation.item.retrieve", item_id=item)
        [part] = (await client.wait_for("conversation.item.retrieved"))["item"]["content"]
        whole = "One two three" if after_done else "A sentence that"
        assert part["transcript"]
        assert whole.startswith(part["transcript"])
        await client.write("And now?")
        await client.send("response.create")
        await client.wait_for("response.created")
        await client.wait_for("response.done")
        heard = [content for role, content in asked(ours)[1] if role == "assistant"]
        assert heard[0].startswith(part["transcript"].strip())
        assert "four" not in heard[0]
        assert "goes" not in heard[0]


async def test_a_later_truncate_only_shortens(autojump_clock):
    story = ScriptedReply(tokens=["One two three four five six seven eight nine ten."])
    async with holding(engines(story), to_the_end=True) as client:
        await client.write("Count.")
        await client.send("response.create")
        response = (await client.wait_for("response.done"))["response"]
        item = response["output"][0]["id"]
        told = []
        for end_ms in (99_999, 1000, 2000, 500, 0):
            await client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=end_ms)
            await client.wait_for("conversation.item.truncated")
            await client.send("conversation.item.retrieve", item_id=item)
            retrieved = (await client.wait_for("conversation.item.retrieved"))["item"]
            assert retrieved["status"] == "completed"
            told.append(retrieved["content"][0]["transcript"])
        assert told[0] == "One two three four five six seven eight nine ten."
        assert told[1] == told[2]
        assert told[4] == ""
        assert all(before.startswith(after) for before, after in pairwise(told))


# --- items ------------------------------------------------------------------------------------------------------------


async def test_items_are_put_where_they_are_wanted_and_taken_out(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.write("two", id="b")
        content = [{"type": "input_text", "text": "one"}]
        item = {"id": "a", "type": "message", "role": "user", "content": content}
        await client.send("conversation.item.create", item=item, previous_item_id="root")
        await client.send("conversation.item.create", item=item | {"id": "c"}, previous_item_id="a")
        await client.send("conversation.item.delete", item_id="b")
        await client.wait_for("conversation.item.deleted", item_id="b")
        # It is free again.
        await client.write("four", id="b")
        await client.send("conversation.item.create", item=item, event_id="twice")
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("item_create_duplicate_item_id", "twice")
        await client.send("response.create")
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "one"), ("user", "one"), ("user", "four")]]


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("retrieve", {}, "item_retrieve_invalid_item_id"),
        ("delete", {}, "item_delete_invalid_item_id"),
        ("truncate", {"content_index": 0, "audio_end_ms": 0}, "item_truncate_invalid_item_id"),
    ],
)
async def test_an_item_that_is_not_there(autojump_clock, kind, fields, code):
    async with holding(to_the_end=True) as client:
        for number in range(10):
            await client.send(f"conversation.item.{kind}", item_id="x", event_id=str(number), **fields)
            error = await client.error()
            assert (error["code"], error["event_id"]) == (code, str(number))


async def test_what_nobody_said_cannot_be_cut(autojump_clock):
    async with holding(to_the_end=True) as client:
        await client.write("Hi", id="a")
        await client.send("conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=0)
        assert (await client.error())["message"] == "Only model output audio messages can be truncated."


# --- functions, out of band -------------------------------------------------------------------------------------------


async def test_a_function_is_called_at_the_client_and_its_output_answered(autojump_clock):
    call = ScriptedReply(tokens=["Let me see. ", ToolCall("x", "weather", '{"place": "sea"}')], finish="tool_calls")
    ours = engines(call, SHORT)
    tool = {"type": "function", "name": "weather", "description": "d", "parameters": {"type": "object"}}
    async with holding(ours, to_the_end=True) as client:
        await client.update(tools=[tool])
        await client.write("How is the weather at sea?")
        await client.send("response.create")
        done = await client.wait_for("response.done")
        spoken, called = done["response"]["output"]
        assert spoken["content"] == [{"type": "output_audio", "transcript": "Let me see. "}]
        assert (called["name"], called["arguments"], called["status"]) == ("weather", '{"place": "sea"}', "completed")
        assert len(called["call_id"]) <= 32
        output = {"type": "function_call_output", "call_id": called["call_id"], "output": "sunny"}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        await client.wait_for("response.done")
        assert asked(ours)[1][1] == ("assistant", "Let me see. ")
        assert asked(ours)[1][-1] == ("tool", "sunny")


async def test_a_response_out_of_band_leaves_nothing_behind(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.write("Hi")
        content = [{"type": "input_text", "text": "Sum it up."}]
        wanted = {
            "conversation": "none",
            "output_modalities": ["text"],
            "metadata": {"topic": "sum"},
            "input": [{"type": "message", "role": "user", "content": content}],
        }
        await client.send("response.create", response=wanted)
        response = (await client.wait_for("response.done"))["response"]
        assert (response["conversation_id"], response["metadata"]) == (None, {"topic": "sum"})
        await client.send("conversation.item.retrieve", item_id=response["output"][0]["id"])
        assert (await client.error())["code"] == "item_retrieve_invalid_item_id"
        await client.send("response.create")
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "Sum it up.")], [("user", "Hi")]]


# --- formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma"])
async def test_a_telephone_is_heard_and_spoken_to(autojump_clock, form):
    from voice_trio.core.g711 import a_law, u_law

    law = u_law() if form == "audio/pcmu" else a_law()
    formats = {"input": {"format": {"type": form}, **TRANSCRIBED}, "output": {"format": {"type": form}}}
    async with holding(to_the_end=True) as client:
        session = (await client.update(audio=formats))["session"]
        assert session["audio"]["input"]["format"] == {"type": form}
        for pcm in [voiced(20, 8000)] * 75 + [bytes(320)] * 60:
            await client.append(law.encode(pcm))
            await trio.sleep(0.02)
        await client.wait_for("response.done")
        [told] = client.of("conversation.item.input_audio_transcription.completed")
        assert told["transcript"].startswith("what is the weather")
        assert 1.2 < len(sound(client)) / 8000 < 1.5


# --- how much may be written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "response", "most"),
    [
        ({}, {}, None),
        ({"max_output_tokens": 20}, {}, 20),
        ({}, {"max_output_tokens": 5}, 5),
        ({"max_output_tokens": 20}, {"max_output_tokens": "inf"}, None),
        ({"max_output_tokens": -1}, {}, 1),
    ],
)
async def test_the_model_is_told_how_much_it_may_write(autojump_clock, session, response, most):
    asked_for = []

    class Model(ScriptedLanguageModel):
        def stream(self, prompt):
            asked_for.append(prompt.max_tokens)
            return super().stream(prompt)

    async with holding(scripted_engines(language_model=Model()), to_the_end=True) as client:
        await client.update(**session)
        await client.write("Hello?")
        await client.send("response.create", response=response)
        done = (await client.wait_for("response.done"))["response"]
        assert (done["status"], done["max_output_tokens"]) == ("completed", most or "inf")
        assert asked_for == [most]


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
@pytest.mark.parametrize("tokens", [["It is "], []])
async def test_a_reply_that_is_cut_short_is_incomplete(autojump_clock, finish, reason, tokens):
    cut = ScriptedReply(tokens=tokens, finish=finish)
    async with holding(engines(cut, SHORT), to_the_end=True) as client:
        await client.write("Hello?")
        await client.send("response.create", response={"max_output_tokens": 2})
        done = (await client.wait_for("response.done"))["response"]
        assert (done["status"], done["status_details"]) == ("incomplete", {"type": "incomplete", "reason": reason})
        assert [item["status"] for item in done["output"]] == ["incomplete"] * len(tokens)
        await client.send("response.create")
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"


async def test_the_model_that_repeats_counts_words(autojump_clock):
    async with holding(scripted_engines(language_model=SyntheticModel()), to_the_end=True) as client:
        await client.write("How is the weather?")
        await client.send("response.create", response={"max_output_tokens": 3, "output_modalities": ["text"]})
        done = (await client.wait_for("response.done"))["response"]
        assert (done["status"], done["output"][0]["content"][0]["text"]) == ("incomplete", "You said: How")
        await client.send("response.create", response={"max_output_tokens": 6, "output_modalities": ["text"]})
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"
