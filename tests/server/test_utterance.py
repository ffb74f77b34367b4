"""An upload in, an answer out: what is asked for, what comes of it, and what is refused. In virtual time."""

import io
import wave
from typing import Any, cast

import pytest
import trio

from tests.server.uploading import WAV, PlainDecoder, request
from voice_trio import config
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.core.errors import Refused
from voice_trio.core.history import Record
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.engines.base import EngineError
from voice_trio.memory.in_process import InProcessStore
from voice_trio.server.json_http import HttpError
from voice_trio.server.sessions import NO_ROOM, Sessions
from voice_trio.server.upload.utterance import Utterances
from voice_trio.session.farewell import DRAINED
from voice_trio.testing import scripted

REPLY = "It is sunny. Enjoy your day."


class Server:
    """As much of a server as answers uploads."""

    def __init__(self, engines=None, decoder=None, store=None, **settings):
        self.settings = config.load(log_latency=False, **settings)
        self.engines: Any = engines or scripted.scripted_engines()
        self.store = store or InProcessStore()
        self.sessions = Sessions(self.settings, lambda: self.engines, self.store)
        self.utterances = Utterances(self.settings, self.sessions, cast(Any, decoder or PlainDecoder()))

    async def answer(self, *args, **kwargs):
        with trio.fail_after(600):
            return await self.utterances.answer(request(*args, **kwargs))

    async def refusal(self, *args, **kwargs):
        with pytest.raises(HttpError) as caught:
            await self.answer(*args, **kwargs)
        assert len(self.sessions) == 0
        return caught.value.status, caught.value.error.code


def writing(*tokens):
    return scripted.ScriptedLanguageModel(replies=[scripted.ScriptedReply(tokens=tokens)])


# --- what comes of it -------------------------------------------------------------------------------------------------


async def test_the_answer_has_all_of_a_turn(autojump_clock):
    server = Server()
    answer = await server.answer()
    assert list(answer) == [
        "conversation",
        "turn",
        "outcome",
        "transcript",
        "language",
        "reply",
        "heard",
        "remembered",
        "latency",
        "audio",
        "errors",
        "infos",
    ]
    assert (answer["turn"], answer["outcome"], answer["errors"]) == (1, "completed", [])
    assert (answer["transcript"], answer["language"]) == ("what is the weather like", "en")
    assert (answer["reply"], answer["heard"], answer["remembered"]) == (REPLY, len(REPLY), True)
    assert answer["latency"].keys() == {
        "t_first_partial_ms",
        "t_final_transcript_ms",
        "t_first_token_ms",
        "t_first_audio_ms",
        "total_reply_ms",
    }
    (record,) = await server.store.recall(answer["conversation"])
    assert (record.said, record.reply, record.heard) == (answer["transcript"], REPLY, len(REPLY))
    assert len(server.sessions) == 0


async def test_the_audio_is_the_whole_reply_in_a_wav(autojump_clock):
    answer = await Server().answer()
    with wave.open(io.BytesIO(answer["audio"]["wav"])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        pcm = file.readframes(file.getnframes())
    assert answer["audio"]["sample_rate"] == SAMPLE_RATE
    # The voice takes 50 ms for each sign, without the space between the sentences.
    assert pcm == scripted.voiced(50) * (len(REPLY) - 1)


async def test_nobody_waits_for_the_reply_to_be_played(autojump_clock):
    server = Server(engines=scripted.scripted_engines(language_model=writing(*["A sentence that goes on. "] * 50)))
    began = trio.current_time()
    answer = await server.answer()
    assert len(answer["audio"]["wav"]) > 50 * 32_000
    assert trio.current_time() - began < 5


async def test_the_choices_are_those_of_start(autojump_clock):
    engines = scripted.scripted_engines(synthesizer=scripted.ScriptedSynthesizer(voices=("one", "two")))
    server = Server(engines=engines)
    usual = await server.answer()
    fast = await server.answer(language="de", voice="two", speed="2")
    assert fast["language"] == "de"
    assert len(fast["audio"]["wav"]) < len(usual["audio"]["wav"]) * 0.6
    # What a form leaves empty, and what is none of them.
    assert (await server.answer(voice="", speed="", mode="tap", silence_ms="x", more="y"))["outcome"] == "completed"


async def test_a_conversation_goes_on_in_the_next_request(autojump_clock):
    server = Server()
    first = await server.answer()
    second = await server.answer(conversation=first["conversation"])
    assert second["conversation"] == first["conversation"]
    assert second["turn"] == 1
    assert [message.content for message in server.engines.language_model.prompts[1]][1:] == [
        first["transcript"],
        REPLY,
        second["transcript"],
    ]
    assert len(await server.store.recall(first["conversation"])) == 2
    assert (await server.answer())["conversation"] != first["conversation"]


async def test_silence_is_an_empty_turn(autojump_clock):
    answer = await Server().answer(wav_of(scripted.silent(3000), SAMPLE_RATE))
    assert (answer["outcome"], answer["transcript"], answer["reply"]) == ("empty", "", "")
    assert (answer["heard"], answer["remembered"], answer["audio"], answer["errors"]) == (0, False, None, [])


async def test_what_goes_wrong_in_the_turn_is_listed_in_the_answer(autojump_clock):
    broken = writing("It is a sunny day. ", "And ", EngineError(ErrorCode.LLM_FAIL, "The reply broke off."))
    answer = await Server(engines=scripted.scripted_engines(language_model=broken)).answer()
    assert (answer["outcome"], answer["reply"]) == ("failed", "It is a sunny day. And ")
    assert answer["audio"] is not None
    assert answer["errors"] == [
        {"code": "LLM_FAIL", "message": "The reply broke off.", "recoverable": True, "turn": 1},
    ]


async def test_a_recogniser_that_fails_leaves_no_words(autojump_clock):
    deaf = scripted.ScriptedRecognizer(fails=[EngineError(ErrorCode.ASR_FAIL, "Not understood.")])
    answer = await Server(engines=scripted.scripted_engines(recognizer=deaf)).answer()
    assert (answer["outcome"], answer["transcript"], answer["audio"]) == ("failed", "", None)
    assert [error["code"] for error in answer["errors"]] == ["ASR_FAIL"]


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        # More than the longest utterance; the same after a while; and what is longer than is read of it at all.
        (scripted.voiced(9000), 7),
        (scripted.silent(3000) + scripted.voiced(9000), 7),
        (scripted.silent(6000) + scripted.voiced(2500) + scripted.silent(9000), 3),
    ],
)
async def test_too_long_an_upload_is_answered_as_far_as_it_is_heard(autojump_clock, recording, words):
    engines = scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(words=[f"word{n}" for n in range(99)]))
    answer = await Server(engines=engines, max_utterance_ms=2000).answer(wav_of(recording, SAMPLE_RATE))
    assert answer["outcome"] == "completed"
    assert abs(len(answer["transcript"].split()) - words) <= 1
    assert [error["code"] for error in answer["errors"]] == ["MAX_DURATION_EXCEEDED"]
    assert "2 seconds" in answer["errors"][0]["message"]


async def test_recognising_may_take_longer_than_for_what_came_as_it_was_spoken(autojump_clock):
    slow = scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(settle_s=40.0))
    server = Server(engines=slow, asr_timeout_s=15, max_utterance_ms=30_000)
    assert (await server.answer())["outcome"] == "completed"
    server.engines.recognizer.settle_s = 46.0
    answer = await server.answer()
    assert (answer["outcome"], [error["code"] for error in answer["errors"]]) == ("timed_out", ["ASR_TIMEOUT"])


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["", "text/plain", "audio/amr", "multipart/form-data; boundary=x", "webm"])
async def test_only_sound_in_a_form_that_is_read_is_taken(autojump_clock, content_type):
    assert await Server().refusal(content_type=content_type) == (415, ErrorCode.PROTOCOL_VIOLATION)


@pytest.mark.parametrize(
    "content_type",
    [
        "audio/webm;codecs=opus",
        'Audio/WebM; codecs="opus"',
        "video/webm",
        "audio/ogg; codecs=opus",
        "audio/mp4",
        "audio/mp4;codecs=mp4a.40.2",
        "audio/wav",
        "audio/x-wav",
        "audio/wave",
    ],
)
async def test_what_browsers_record_is_taken(autojump_clock, content_type):
    assert (await Server().answer(content_type=content_type))["outcome"] == "completed"


async def test_a_query_of_thousands_of_fields_is_not_taken_apart(autojump_clock):
    assert (await Server().answer(**{f"field{n}": "" for n in range(50)}))["outcome"] == "completed"
    refused = await Server().refusal(**{f"field{n}": "" for n in range(51)})
    assert refused == (400, ErrorCode.PROTOCOL_VIOLATION)


@pytest.mark.parametrize(
    "query",
    [
        {"speed": "9"},
        {"speed": "fast"},
        {"speed": "nan"},
        {"voice": "x" * 101},
        {"language": "x" * 101},
        {"conversation": "x" * 101},
        {"voice": "nobody"},
        {"conversation": "of somebody else"},
    ],
    ids=str,
)
async def test_choices_that_are_none(autojump_clock, query):
    server = Server()
    assert await server.refusal(**query) == (400, ErrorCode.PROTOCOL_VIOLATION)
    assert server.engines.language_model.prompts == []


async def test_a_conversation_in_use_is_not_free(autojump_clock):
    server = Server()
    conversation = (await server.answer())["conversation"]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: server.answer(conversation=conversation))
        await trio.sleep(0.1)
        with pytest.raises(HttpError, match="Another session") as caught:
            await server.answer(conversation=conversation)
        assert caught.value.status == 400


@pytest.mark.parametrize(("size", "welcome"), [(48_044, True), (48_045, False)])
async def test_the_largest_upload(autojump_clock, size, welcome):
    assert len(WAV) == 48_044
    server = Server(max_upload_bytes=size if welcome else size - 2)
    if welcome:
        assert (await server.answer())["outcome"] == "completed"
    else:
        assert await server.refusal(arrives_s=99) == (413, ErrorCode.PROTOCOL_VIOLATION)
        assert trio.current_time() < 1, "before anything of it is read"


@pytest.mark.parametrize("limit_s", [2.0, 9.0])
async def test_an_upload_has_to_arrive_in_time(autojump_clock, limit_s):
    # Who uploads is not idle.
    server = Server(upload_timeout_s=limit_s, idle_timeout_s=1)
    assert (await server.answer(arrives_s=limit_s - 0.1))["outcome"] == "completed"
    began = trio.current_time()
    assert await server.refusal(arrives_s=limit_s + 0.1) == (408, ErrorCode.PROTOCOL_VIOLATION)
    assert trio.current_time() - began == pytest.approx(limit_s)


async def test_nothing_is_no_upload(autojump_clock):
    assert await Server().refusal(b"") == (400, ErrorCode.PROTOCOL_VIOLATION)


@pytest.mark.parametrize(
    ("code", "status"),
    [(ErrorCode.PROTOCOL_VIOLATION, 422), (ErrorCode.SERVER_BUSY, 503), (ErrorCode.ASR_FAIL, 503)],
)
async def test_what_cannot_be_decoded(autojump_clock, code, status):
    error = EngineError if code is ErrorCode.ASR_FAIL else Refused
    server = Server(decoder=PlainDecoder(raises=error(code, "No.")))
    assert await server.refusal() == (status, code)


async def test_there_is_room_for_so_many(autojump_clock):
    server = Server(max_sessions=2)
    refused, outcomes = [], []

    async def ask(arrives_s):
        try:
            outcomes.append((await server.utterances.answer(request(arrives_s=arrives_s)))["outcome"])
        except HttpError as error:
            refused.append((error.status, error.error.code, error.error.retry_after_s))

    async with trio.open_nursery() as nursery:
        for n in range(5):
            nursery.start_soon(ask, 1.0 + n / 10)
    # Those who still upload have a place, too.
    assert outcomes == ["completed"] * 2
    assert refused == [(503, ErrorCode.SERVER_BUSY, 15)] * 3


@pytest.mark.parametrize(("others", "answered"), [("192.0.2.1", False), ("192.0.2.2", True), ("2001:db8::1", True)])
async def test_slow_uploads_of_one_address_keep_no_other_from_sending(autojump_clock, others, answered):
    server, ends = Server(max_sessions=4), []

    async def ask(address, arrives_s):
        try:
            ends.append((await server.utterances.answer(request(arrives_s=arrives_s, address=address)))["outcome"])
        except HttpError as error:
            ends.append(error.error.message)

    async with trio.open_nursery() as nursery:
        for n in range(4):
            nursery.start_soon(ask, "192.0.2.1", 20.0 + n)
            await trio.sleep(0.1)
        # An upload that is on its way is no session yet.
        assert len(server.sessions) == 0
        assert server.sessions.have_room("192.0.2.1")
        await ask(others, 0.1)
        if answered:
            assert ends == [DRAINED[InfoCode.PLACE_NEEDED].message, "completed"]
        else:
            assert ends == [NO_ROOM]
    assert ends[-3:] == ["completed"] * 3


async def test_who_is_sure_to_be_refused_sends_nothing(autojump_clock):
    server = Server(max_sessions=1)
    async with server.sessions.seat("192.0.2.2"):
        with pytest.raises(HttpError, match="no room"):
            await server.answer(arrives_s=20.0)
        assert trio.current_time() < 2


async def test_a_server_that_stops_takes_nothing_new(autojump_clock):
    server = Server()
    await server.sessions.drain()
    assert await server.refusal() == (503, ErrorCode.SERVER_BUSY)


@pytest.mark.parametrize(
    ("at_s", "answered"),
    [(0.5, False), (1.05, False), (1.3, True)],
    ids=["while it comes", "while it is listened to", "while it is answered"],
)
async def test_a_server_that_stops_lets_only_a_reply_finish(autojump_clock, at_s, answered):
    server, ends = Server(shutdown_grace_s=5), []

    async def ask():
        try:
            ends.append((await server.utterances.answer(request(arrives_s=1.0)))["outcome"])
        except HttpError as error:
            ends.append((error.status, error.error.code))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await trio.sleep(at_s)
        began = trio.current_time()
        await server.sessions.drain()
        assert trio.current_time() - began < 2
    assert ends == ["completed" if answered else (503, ErrorCode.SERVER_BUSY)]


async def test_the_longest_session_is_the_longest_request(autojump_clock):
    server = Server(
        scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(settle_s=9.0)),
        max_session_s=5,
        shutdown_grace_s=1,
    )
    with pytest.raises(HttpError, match="longest time") as caught:
        await server.answer()
    assert (caught.value.status, caught.value.error.code) == (503, ErrorCode.SERVER_BUSY)


class BrokenStore(InProcessStore):
    async def begin(self):
        raise KeyError("a secret")


@pytest.mark.parametrize(
    "what", [{"store": BrokenStore()}, {"decoder": PlainDecoder(raises=KeyError("a secret"))}], ids=("store", "decoder")
)
async def test_a_defect_is_an_incident(autojump_clock, what):
    with pytest.raises(HttpError) as caught:
        await Server(**what).answer()
    assert (caught.value.status, caught.value.error.code) == (500, ErrorCode.INTERNAL)
    assert caught.value.error.incident
    assert "secret" not in caught.value.error.message


# --- who goes away ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_s", [0.5, 1.005, 1.1, 1.15, 1.2, 1.25])
async def test_a_client_that_leaves_ends_its_turn(autojump_clock, at_s):
    class Notebook(InProcessStore):
        async def commit(self, record):
            records.append(record)

    records: list[Record] = []
    server = Server(store=Notebook())
    with trio.move_on_after(at_s) as leaving:
        await server.answer(arrives_s=1.0)
    assert leaving.cancelled_caught
    assert len(server.sessions) == 0
    assert server.engines.recognizer.open_now == 0
    assert server.engines.language_model.open_now == 0
    assert all((record.outcome, record.heard) == ("cancelled", 0) for record in records)
    assert bool(records) == (at_s > 1.1)
    assert (await server.answer())["outcome"] == "completed"
