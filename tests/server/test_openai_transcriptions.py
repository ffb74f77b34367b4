"""Transcriptions for OpenAI's client with scripted engines: what is refused, what fails, and who leaves."""

import random
from contextlib import AsyncExitStack
from typing import Any

import openai
import pytest
import trio

from tests.server.openai_asking import (
    TWO,
    WAV,
    begun,
    client,
    field,
    file_part,
    form,
    left,
    plain,
    sent_until_end,
    serving,
    sync_client,
    told,
)
from tests.server.serving import eventually
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.testing.scripted import ScriptedRecognizer, scripted_engines, silent, voiced

pytestmark = pytest.mark.real

FIVE = "what is the weather like"
FAILS = EngineError(ErrorCode.ASR_FAIL, "The recognizer failed.")


def transcribed(asking, file=WAV, **options):
    return asking.audio.transcriptions.create(**{"file": ("some.wav", file), "model": "whisper-1", **options})


async def refusal(call):
    """Return what the client is told that makes ``call``."""
    with pytest.raises(openai.APIStatusError) as caught:
        await call
    return told(caught.value)


# --- what comes of it -------------------------------------------------------------------------------------------------


async def test_what_is_said_between_long_pauses_is_a_segment_each_and_streamed_as_such():
    with trio.fail_after(60):
        async with serving() as (running, asking):
            whole = await transcribed(asking, TWO, response_format="verbose_json")
            # A pause and the soft beginning of a word are heard as well.
            assert [segment.text.split()[:3] for segment in whole.segments] == [["what", "is", "the"]] * 2
            first, second = whole.segments
            assert (first.start, first.end) == pytest.approx((0, 1.5), abs=0.1)
            assert (second.start, second.end) == pytest.approx((3.0, 3.9), abs=0.1)
            assert whole.text == f"{first.text} {second.text}"
            said = [event async for event in await transcribed(asking, TWO, stream=True)]
            assert [event.type for event in said] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
            assert [event.delta for event in said[:-1]] == [first.text, f" {second.text}"]
            assert said[-1].text == whole.text
            await left(running)


async def test_silence_is_no_words():
    with trio.fail_after(60):
        async with serving() as (_, asking):
            quiet = wav_of(silent(2000), SAMPLE_RATE)
            assert (await transcribed(asking, quiet)).text == ""
            assert await transcribed(asking, quiet, response_format="srt") == ""
            assert (await transcribed(asking, quiet, response_format="verbose_json")).segments == []
            assert [event.text async for event in await transcribed(asking, quiet, stream=True)] == [""]


async def test_what_changes_nothing_is_taken():
    with trio.fail_after(60):
        async with serving() as (running, asking):
            more: dict[str, Any] = {"temperature": 0.5, "prompt": "Names.", "language": "en"}
            more |= {
                "include": ["logprobs"],
                "chunking_strategy": "auto",
                "timestamp_granularities": ["word", "segment"],
            }
            assert (await transcribed(asking, model="none of ours", **more, extra_body={"new": "x"})).text == FIVE
            assert running.engines.recognizer.asked_for == ["en"]


# --- what is refused --------------------------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"response_format": "docx"}, "response_format"),
    ({"temperature": 3}, "temperature"),
    ({"extra_body": {"temperature": "nan"}}, "temperature"),
    ({"extra_body": {"temperature": "hot"}}, "temperature"),
    ({"language": "klingon"}, "language"),
    ({"language": "de"}, "language"),
    ({"timestamp_granularities": ["letter"]}, "timestamp_granularities[]"),
    ({"extra_body": {"stream": "perhaps"}}, "stream"),
    ({"stream": True, "response_format": "srt"}, "stream"),
    ({"file": b""}, "file"),
    ({"file": b"no recording at all"}, "file"),
]


async def test_wrong_values_are_refused_by_name():
    with trio.fail_after(60):
        async with serving() as (running, asking):
            for wrong, param in WRONG:
                assert await refusal(transcribed(asking, **wrong)) == (400, "invalid_value", param)
            assert (await refusal(transcribed(asking, prompt="x" * 20_000)))[:2] == (400, "string_above_max_length")
            assert running.engines.recognizer.utterances == 0


async def test_what_only_begins_as_a_recording_is_refused():
    noise = random.Random(1).randbytes(5000)
    beginnings = [WAV[:12], b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"ID3\x04", b"\0\0\0\x20ftypisom"]
    beginnings += [b"\xff\xfb", b"\xff\xf1"]
    with trio.fail_after(120):
        async with serving() as (running, asking):
            for beginning in beginnings:
                assert (await refusal(transcribed(asking, beginning + noise)))[0] == 400, beginning
            assert (await transcribed(asking)).text == FIVE
            await left(running)


async def test_forms_that_are_none_are_refused():
    good, headers = form(file_part(WAV))
    with trio.fail_after(60):
        async with serving() as (running, _), plain(running) as http:

            async def status_of(body, headers):
                answer = await http.post("/audio/transcriptions", content=body, headers=headers)
                if answer.is_error:
                    error = answer.json()["error"]
                    assert error.keys() == {"message", "type", "param", "code"}
                return answer.status_code

            assert await status_of(good, headers) == 200
            for body, wrong in [
                (b"", headers),
                (good, {"Content-Type": "application/json"}),
                (good, {}),
                (good, {"Content-Type": "multipart/form-data"}),
                (good, {"Content-Type": "multipart/form-data; boundary=other"}),
                (good, {"Content-Type": "multipart/form-data; boundary=\xe4".encode("latin-1")}),
                (good[:-20], headers),
                (good[:60], headers),
                (form()[0], headers),
                (form(field("model", "x"))[0], headers),
                (form(file_part(WAV, "recording"))[0], headers),
                (form(field("file", "no name"))[0], headers),
                (form(*[field("model", "x")] * 5_000, file_part(WAV))[0], headers),
                (form(*[file_part(b"", f"file{n}") for n in range(200)])[0], headers),
                (b"--xyz\r\n" + b"X: y\r\n" * 100_000, headers),
                (b"--xyz\r\n" + b"\r" * 1_000_000, headers),
            ]:
                assert await status_of(body, wrong) == 400, body[:100]
            # Fields after the file, and bytes that are no text.
            last = form(file_part(WAV), ('name="prompt"', b"\xff\xfe\0"), field("response_format", "text"))
            assert await status_of(*last) == 200
            await left(running)


async def test_keys():
    with trio.fail_after(60):
        async with serving(auth_token="a token") as (running, wrong):
            assert await refusal(transcribed(wrong)) == (401, "invalid_api_key", None)
            assert await refusal(wrong.models.list()) == (401, "invalid_api_key", None)
            assert await refusal(wrong.audio.speech.create(input="Hi.", model="x", voice="x")) == (
                401,
                "invalid_api_key",
                None,
            )
            async with client(running, "a token") as right:
                assert (await transcribed(right)).text == FIVE
        async with serving() as (_, asking):
            assert (await transcribed(asking)).text == FIVE, "without a token any key is good"


async def test_no_room_is_said_with_a_time_to_come_back():
    with trio.fail_after(60):
        async with serving(max_sessions=1) as (running, asking), connect(running.ws_url) as other:
            await other.wait_for(m.SessionOpened)
            with pytest.raises(openai.InternalServerError) as caught:
                await transcribed(asking)
            assert told(caught.value) == (503, "server_overloaded", None)
            assert caught.value.response.headers["retry-after"] == "15"


async def test_what_is_too_large_or_too_long():
    with trio.fail_after(60):
        async with serving(max_upload_bytes=100_000, max_utterance_ms=2_000) as (running, asking):
            long = wav_of(voiced(2500), SAMPLE_RATE)
            assert await refusal(transcribed(asking, long)) == (413, "audio_too_long", "file")
            assert (await refusal(transcribed(asking, bytes(200_000))))[0] == 413
            await left(running)


async def test_a_drop_at_a_time_is_not_for_ever():
    body, headers = form(file_part(WAV))
    with trio.fail_after(60):
        async with serving(upload_timeout_s=0.3) as (running, _):
            stream = await begun(running, "/audio/transcriptions", b"", {**headers, "Content-Length": str(len(body))})
            answer = await sent_until_end(stream)
            assert b" 408 " in answer
            await left(running)


@pytest.mark.filterwarnings("ignore:deprecated")  # The client says so of translations.
async def test_a_path_that_is_none_of_the_apis():
    with trio.fail_after(60):
        async with serving() as (running, asking), plain(running) as http:
            answer = await http.get("/audio/transcriptions")
            assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
            assert "POST /v1/audio/transcriptions" in answer.json()["error"]["message"]
            assert await refusal(asking.embeddings.create(input="x", model="x")) == (404, "invalid_value", None)
            assert await refusal(asking.models.retrieve("../x")) == (404, "model_not_found", "model")
            assert await refusal(asking.audio.translations.create(file=("a.wav", WAV), model="x")) == (
                400,
                "unsupported_endpoint",
                None,
            )
            assert [model.id async for model in asking.models.list()] == ["scripted"]


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_a_recognizer_that_fails_before_anything_is_said():
    with trio.fail_after(60):
        for stream in (False, True):
            engines = scripted_engines(recognizer=ScriptedRecognizer(fails=[FAILS, KeyError("a defect")]))
            async with serving(engines) as (running, asking):
                assert await refusal(transcribed(asking, stream=stream)) == (500, "asr_fail", None)
                assert await refusal(transcribed(asking, stream=stream)) == (500, "server_error", None)
                await left(running)


async def test_a_recognizer_that_takes_for_ever():
    with trio.fail_after(60):
        engines = scripted_engines(recognizer=ScriptedRecognizer(settle_s=1000, word_ms=100))
        async with serving(engines, asr_timeout_s=0.1) as (running, asking):
            short = wav_of(voiced(300), SAMPLE_RATE)
            assert await refusal(transcribed(asking, short)) == (500, "asr_timeout", None)
            await left(running)


class FailsSecond(ScriptedRecognizer):
    """Fails at its second utterance."""

    def open(self, language):
        self.fails = [FAILS] * self.utterances
        return super().open(language)


async def test_a_recognizer_that_fails_in_the_middle():
    with trio.fail_after(60):
        async with serving(scripted_engines(recognizer=FailsSecond())) as (running, _):
            heard: list[str] = []
            await trio.to_thread.run_sync(hear_in_a_thread, running, heard)
            assert heard == ["transcript.text.delta"]
            await left(running)


def hear_in_a_thread(running, heard):
    with sync_client(running) as asking, pytest.raises(openai.APIError, match="recognizer failed"):
        heard += (event.type for event in transcribed(asking, TWO, stream=True))


@pytest.mark.parametrize("stream", [b"false", b"true"])
@pytest.mark.parametrize("after", ["half of it", "all of it"])
async def test_a_client_that_leaves_leaves_nothing(stream, after):
    body, headers = form(('name="stream"', stream), file_part(WAV))
    with trio.fail_after(60):
        async with serving(scripted_engines(recognizer=ScriptedRecognizer(settle_s=1000))) as (running, _):
            if after == "all of it":
                stream = await begun(running, "/audio/transcriptions", body, headers)
                await eventually(lambda: running.engines.recognizer.open_now)
            else:
                half = {**headers, "Content-Length": str(len(body))}
                stream = await begun(running, "/audio/transcriptions", b"", half)
                await stream.send_all(body[: len(body) // 2])
                await eventually(lambda: len(running.sessions.uploads_coming))
            await stream.aclose()
            await left(running)


async def test_a_server_that_stops_says_so():
    recognizer = ScriptedRecognizer(settle_s=1000)
    engines = scripted_engines(recognizer=recognizer)
    refused = []

    async def ask(asking):
        refused.append(await refusal(transcribed(asking)))

    with trio.fail_after(60):
        async with AsyncExitStack() as stack, trio.open_nursery() as nursery:  # noqa: SIM117  The server ends first.
            async with serving(engines, shutdown_grace_s=0.2) as (running, _):
                nursery.start_soon(ask, await stack.enter_async_context(client(running)))
                await eventually(lambda: recognizer.open_now)
    assert refused == [(503, "server_overloaded", None)]
