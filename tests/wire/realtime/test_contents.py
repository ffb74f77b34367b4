"""Messages that hold more than text: sound, which becomes words, and pictures, which are kept to be looked at."""

import base64

import pytest

from tests.wire.realtime.talking import holding, silent, voiced
from tests.wire.realtime.test_turns import PUSH_TO_TALK, SAID, asked, engines
from voice_trio.core.g711 import a_law, u_law
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.memory.in_process import InProcessStore
from voice_trio.testing.scripted import ScriptedRecognizer
from voice_trio.wire.realtime import shown


def recording(ms, form="audio/pcm", **more):
    pcm = voiced(ms, 24_000 if form == "audio/pcm" else 8000)
    data = {
        "audio/pcm": lambda: pcm,
        "audio/pcmu": lambda: u_law().encode(pcm),
        "audio/pcma": lambda: a_law().encode(pcm),
    }
    return {"type": "input_audio", "audio": base64.b64encode(data[form]()).decode(), **more}


def message(*content, role="user", **more):
    return {"type": "message", "role": role, "content": [*content], **more}


async def create(client, *content, **more):
    await client.send("conversation.item.create", item=message(*content, **more))
    return (await client.wait_for("conversation.item.added"))["item"]


async def retrieved(client, item):
    await client.send("conversation.item.retrieve", item_id=item)
    return (await client.wait_for("conversation.item.retrieved"))["item"]


@pytest.mark.parametrize("form", ["audio/pcm", "audio/pcmu", "audio/pcma"])
async def test_sound_in_an_item_is_recognised_and_answered(autojump_clock, form):
    ours = engines(recognizer=ScriptedRecognizer(settle_s=2.0))
    store = InProcessStore()
    async with holding(ours, store=store, to_the_end=True) as client:
        audio = {"input": {**PUSH_TO_TALK["audio"]["input"], "format": {"type": form}}}
        await client.update(audio=audio)
        added = await create(client, recording(900, form), id="a")
        assert added["content"] == [{"type": "input_audio", "transcript": None}]
        await client.send("response.create")
        # At once, though the words are yet to come.
        await client.wait_for("response.created")
        completed = await client.wait_for("conversation.item.input_audio_transcription.completed", item_id="a")
        assert completed["transcript"] == "what is the"
        done = (await client.wait_for("response.done"))["response"]
        assert done["output"][0]["content"][0]["transcript"] == SAID
        assert asked(ours) == [[("user", "what is the")]]
        item = await retrieved(client, "a")
        assert item["content"] == [{"type": "input_audio", "transcript": "what is the"}]
        # It is remembered as what the person said.
        records = await store.recall(client.session._turns.conversation.name)
        assert [record.said for record in records] == ["what is the"]


async def test_nobody_is_told_of_words_who_did_not_ask_for_them(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await create(client, recording(900))
        await client.send("response.create", response={"conversation": "none"})
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "what is the")]]
        assert not [kind for kind in client.types if "transcription" in kind]


async def test_what_fails_is_told_and_answered_without_it(autojump_clock):
    ours = engines(recognizer=ScriptedRecognizer(fails=[EngineError(ErrorCode.ASR_FAIL, "It broke.")]))
    async with holding(ours, to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        await create(client, recording(900), id="a")
        await client.write("Hello?")
        await client.send("response.create")
        failed = await client.wait_for("conversation.item.input_audio_transcription.failed", item_id="a")
        assert failed["error"] == {"type": "server_error", "code": "asr_fail", "message": "It broke."}
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "Hello?")]]
        assert (await retrieved(client, "a"))["content"] == [{"type": "input_audio", "transcript": ""}]


async def test_what_is_deleted_is_not_recognised_and_not_waited_for(autojump_clock):
    recognizer = ScriptedRecognizer(settle_s=30.0)
    async with holding(engines(recognizer=recognizer), to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        await create(client, recording(900), id="a")
        await create(client, recording(900), id="b")
        await client.send("response.create")
        await client.wait_for("response.created")
        recognizer.settle_s = 0.1
        await client.send("conversation.item.delete", item_id="a")
        await client.send("conversation.item.create", item=message(recording(600), id="a"))
        await client.wait_for("conversation.item.added")
        texts = {}
        for _ in range(2):
            event = await client.wait_for("conversation.item.input_audio_transcription.completed")
            texts[event["item_id"]] = event["transcript"]
        assert texts == {"a": "what is", "b": "what is the"}
        assert recognizer.open_now == 0
        assert (await client.wait_for("response.done"))["response"]["status"] == "completed"


async def test_too_little_and_too_much_sound(autojump_clock):
    recognizer = ScriptedRecognizer(settle_s=5.0)
    async with holding(engines(recognizer=recognizer), to_the_end=True, max_utterance_ms=3000) as client:
        await client.send("conversation.item.create", item=message(recording(60)), event_id="short")
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("invalid_value", "short")
        for number in range(3):
            # Each is the longest utterance, whatever comes before that.
            await client.send("conversation.item.create", item=message(recording(9000)), event_id=str(number))
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("rate_limit_exceeded", "2")
        assert len(client.of("conversation.item.added")) == 2


async def test_what_was_said_before_is_taken_at_its_word(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        added = await create(client, {"type": "input_audio", "transcript": "Hello?"}, id="a")
        assert added["content"] == [{"type": "input_audio", "transcript": "Hello?"}]
        assert (await retrieved(client, "a"))["content"] == added["content"]
        await client.send("response.create")
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "Hello?")]]


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (message({"type": "input_audio"}), "item.content[0].audio"),
        (message({"type": "input_audio", "audio": "?"}), "item.content"),
        (message({"type": "input_audio", "audio": "AAAA"}, role="assistant"), "item.content[0].type"),
        (message({"type": "input_text", "text": "Hi"}, {"type": "input_audio", "audio": "AAAA"}), "item.content"),
    ],
)
async def test_what_is_no_sound_of_a_person_is_refused(autojump_clock, item, param):
    async with holding(to_the_end=True) as client:
        await client.send("conversation.item.create", item=item)
        assert (await client.error())["param"] == param


async def test_sound_for_one_response_has_to_be_an_item_first(autojump_clock):
    async with holding(to_the_end=True) as client:
        await client.send("response.create", response={"conversation": "none", "input": [message(recording(900))]})
        assert (await client.error())["param"] == "response.input[0]"


# --- pictures ---------------------------------------------------------------------------------------------------------


def picture(chars=1000, **more):
    return {"type": "input_image", "image_url": "data:image/png;base64," + "A" * chars, **more}


async def test_a_picture_is_shown_to_who_looks_and_the_words_are_answered(autojump_clock):
    ours = engines()
    async with holding(ours, to_the_end=True) as client:
        content = [{"type": "input_text", "text": "What is this?"}, picture(detail="low")]
        added = await create(client, *content, id="a")
        assert added["content"] == content[:1]
        assert (await retrieved(client, "a"))["content"] == content
        await create(client, picture(), id="b")
        await client.send("response.create")
        await client.wait_for("response.done")
        assert asked(ours) == [[("user", "What is this?")]]
        # Its id may be another's.
        await client.send("conversation.item.delete", item_id="a")
        await client.write("Hello?", id="a")
        assert (await retrieved(client, "a"))["content"] == [{"type": "input_text", "text": "Hello?"}]


async def test_of_many_pictures_the_latest_are_kept(autojump_clock):
    each = 400_000
    async with holding(to_the_end=True) as client:
        for number in range(7):
            text = {"type": "input_text", "text": str(number)}
            await create(client, text, picture(each), id=f"item_{number}")
        kept = [len((await retrieved(client, f"item_{number}"))["content"]) for number in range(7)]
        assert kept == [1] * 3 + [2] * (shown.MAX_BYTES // each - 1)


async def test_a_picture_too_long_to_be_told_is_passed_over(autojump_clock):
    async with holding(to_the_end=True) as client:
        text = {"type": "input_text", "text": "\x01" * 45_000}
        await create(client, text, picture(740_000), id="a")
        # It would be told with six characters for each of those.
        assert (await retrieved(client, "a"))["content"] == [text]


async def test_silence_is_an_item_without_words(autojump_clock):
    ours = engines(recognizer=ScriptedRecognizer(words=[""]))
    async with holding(ours, to_the_end=True) as client:
        await client.update(**PUSH_TO_TALK)
        sound = {"type": "input_audio", "audio": base64.b64encode(silent(900)).decode()}
        await create(client, sound, id="a")
        completed = await client.wait_for("conversation.item.input_audio_transcription.completed", item_id="a")
        assert completed["transcript"] == ""


async def test_a_picture_of_many_megabytes_is_passed_over(autojump_clock):
    async with holding(to_the_end=True) as client:
        text = {"type": "input_text", "text": "Look."}
        await create(client, text, picture(9_000_000), id="a")
        assert (await retrieved(client, "a"))["content"] == [text]
