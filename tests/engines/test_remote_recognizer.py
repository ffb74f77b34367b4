"""A recognizer on another machine, over real connections: what it is asked, and what comes of whatever it answers."""

import io
import wave
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from tests.engines.far_end import Answer, far_server, unused_url, words
from tests.engines.far_recognizer import SECOND, recognizer, utterance_of
from voice_trio.core.breaker import MOST_FAILURES
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Transcript
from voice_trio.engines.remote.http import retry_after_s
from voice_trio.testing.scripted import ScriptedRecognizer

pytestmark = pytest.mark.real


async def test_it_is_sent_a_wav_file_and_answers_with_the_words():
    async with utterance_of(words(" It is noon. "), remote_asr_model="tiny", asr_api_key="k-1") as (server, utterance):
        assert await utterance.settle(16_000) == Transcript("It is noon.", "en")
        [asked] = server.asked
        assert utterance.compute_s > 0
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["authorization"] == "Bearer k-1"
    begin = asked.body.index(b"RIFF")
    with wave.open(io.BytesIO(asked.body[begin:])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.readframes(16_000) == SECOND
    for name, value in {b"model": b"tiny", b"response_format": b"json", b"language": b"en"}.items():
        assert b'name="' + name + b'"\r\n\r\n' + value + b"\r\n" in asked.body


async def test_the_language_that_it_found_is_told():
    async with utterance_of(words("Es ist Mittag.", language="de"), language=None) as (server, utterance):
        assert await utterance.settle(16_000) == Transcript("Es ist Mittag.", "de")
        assert b'name="language"' not in server.asked[0].body


@pytest.mark.parametrize("language", ["a language", 7, "\ud800x", "e1"])
async def test_what_is_no_code_of_a_language_is_passed_over(language):
    async with utterance_of(words("Hi.", language=language), language=None) as (_, utterance):
        assert await utterance.settle(16_000) == Transcript("Hi.", None)


HTML = Answer(mimetype="text/html", parts=[b"<html>secret-of-theirs</html>"])
GARBAGE = {
    "html": (HTML, "text/html"),
    "html that says it is json": (Answer(parts=[b"<html>secret-of-theirs"]), "without a text"),
    "no json": (Answer(parts=[b"\xff\xfe\0secret-of-theirs"]), "without a text"),
    "a list": (Answer(parts=[b'["secret-of-theirs"]']), "without a text"),
    "no text": (Answer(parts=[b'{"words": "secret-of-theirs"}']), "without a text"),
    "text that is none": (Answer(parts=[b'{"text": ["secret-of-theirs"]}']), "without a text"),
    "deep": (Answer(parts=[b"[" * 200_000]), "without a text"),
    "endless": (Answer(parts=[b"x" * 60_000] * 6), "more than 256,000 bytes"),
    "packed": (Answer(headers=[("Content-Encoding", "gzip")], parts=[b"secret-of-theirs"]), "packs"),
    "no http": (Answer(raw=b"secret-of-theirs\r\n\r\n"), "broke off"),
    "nothing": (Answer(raw=b""), "broke off"),
    "endless head": (Answer(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), "broke off"),
    "half a body": (Answer(parts=[b'{"text": "secret-of-theirs'], breaks_off=True), "broke off"),
    "500": (Answer(status=500, parts=[b"secret-of-theirs"]), "HTTP 500"),
    "401": (Answer(status=401, parts=[b"secret-of-theirs"]), "STREAM_ASR_API_KEY"),
    "404": (Answer(status=404), "STREAM_ASR_URL and STREAM_REMOTE_ASR_MODEL"),
    "422": (Answer(status=422, parts=[b"secret-of-theirs"]), "HTTP 422"),
}


@pytest.mark.parametrize(("answer", "told"), GARBAGE.values(), ids=GARBAGE)
async def test_whatever_else_it_answers_is_one_clear_sentence(answer, told):
    async with utterance_of(answer, asr_timeout_s=0.5) as (server, utterance):
        with pytest.raises(EngineError) as caught:
            await utterance.settle(16_000)
        place = server.url.removeprefix("http://")
    error = caught.value
    assert error.code is ErrorCode.ASR_FAIL
    assert told in error.message
    assert place in error.message
    assert "secret-of-theirs" not in error.message
    assert error.message.endswith(".")
    assert "\n" not in error.message


@pytest.mark.parametrize("answer", [one for one, _ in GARBAGE.values()], ids=GARBAGE)
async def test_where_another_stands_by_it_hears_the_utterance_from_its_beginning(answer):
    local = ScriptedRecognizer(words=["what", "is", "that"])
    async with utterance_of(answer, local=local) as (_, utterance):
        assert (await utterance.settle(16_000)).text == "what is that"
    assert local.utterances == 1


@pytest.mark.parametrize(
    "answer", [Answer(hangs=True), Answer(parts=[b'{"text":'], stalls=True)], ids=["hangs", "stalls"]
)
async def test_one_that_does_not_answer_in_its_time_is_given_up(answer):
    local = ScriptedRecognizer(words=["what", "is", "that"])
    async with utterance_of(answer, local=local, remote_attempt_s=0.05) as (server, utterance):
        assert (await utterance.settle(16_000)).text == "what is that"
        for asked in server.asked:
            await asked.left.wait()
        assert len(server.asked) == MOST_FAILURES


async def test_one_that_is_not_there_is_told_and_the_next_is_asked():
    async with (
        far_server(words("Yes.")) as server,
        recognizer(await unused_url(), server.url) as remote,
        remote.open("en") as utterance,
    ):
        utterance.feed(SECOND)
        assert (await utterance.settle(16_000)).text == "Yes."
    async with recognizer(await unused_url(), asr_timeout_s=0.3) as remote, remote.open("en") as utterance:
        utterance.feed(SECOND)
        with pytest.raises(EngineError, match="cannot be reached"):
            await utterance.settle(16_000)


async def test_a_redirect_is_not_followed_and_no_key_goes_to_another_host():
    async with far_server(words("Stolen.")) as thief:
        location = ("Location", f"{thief.url}/v1/audio/transcriptions")
        async with utterance_of(Answer(status=307, headers=[location]), remote_api_key="k-1") as (server, utterance):
            with pytest.raises(EngineError, match=r"another address \(HTTP 307\): put the right one into STREAM_A"):
                await utterance.settle(16_000)
            assert len(server.asked) == 1
        assert thief.asked == []


async def test_a_server_that_has_no_room_is_asked_again_when_it_says():
    busy = Answer(status=503, headers=[("Retry-After", "0")])
    limited = Answer(status=429, headers=[("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")])
    async with utterance_of(busy, limited, words("Yes.")) as (server, utterance):
        assert (await utterance.settle(16_000)).text == "Yes."
        assert len(server.asked) == 3


NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        (" 120 ", 120.0),
        ("9" * 400, 999_999_999.0),
        ("Thu, 26 Nov 2026 12:00:05 GMT", 5.0),
        ("Thu, 26 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_a_server_says_when_to_come_again_in_seconds_or_by_a_date(value, seconds):
    assert retry_after_s(value, NOON) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{5,9} [+-]?[0-9GMT]{1,9}"))
def test_whatever_it_says_is_a_time_or_none(value):
    seconds = retry_after_s(value, NOON)
    assert seconds is None or 0 <= seconds < 1e12


async def test_no_cookie_is_kept():
    cookie = Answer(parts=[b'{"text": "Yes."}'], headers=[("Set-Cookie", "a=1; Path=/")])
    async with utterance_of(cookie) as (server, utterance):
        for end in (8_000, 16_000):
            await utterance.settle(end)
        assert len(server.asked) == 2
        assert all("cookie" not in asked.headers for asked in server.asked)


async def test_its_name_says_where_it_is_and_nothing_more():
    async with recognizer("http://gpu.lan:9000/v1", "https://10.0.0.7/asr", "http://[fd00::1]:80") as remote:
        assert remote.name == "remote recognizer (gpu.lan:9000, 10.0.0.7, [fd00::1])"
        assert [end.url for end in remote.ends] == [
            "http://gpu.lan:9000",
            "https://10.0.0.7/asr",
            "http://[fd00::1]:80",
        ]
        assert remote.ready
