"""A voice on another machine, over real connections: what it is asked, and what comes of whatever it answers."""

import json
from contextlib import asynccontextmanager

import pytest
import trio

from tests.engines.far_end import Answer, far_server, sound, unused_url
from voice_trio import config
from voice_trio.core.breaker import MOST_FAILURES
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Speech
from voice_trio.engines.remote.address import far_ends, remote_of
from voice_trio.engines.remote.ends import FarEnds
from voice_trio.engines.remote.http import open_http
from voice_trio.engines.remote.sayings import HttpSayer
from voice_trio.engines.remote.voice import RemoteVoice, Voices
from voice_trio.entry_points import Kind
from voice_trio.testing.scripted import ScriptedSynthesizer

pytestmark = pytest.mark.real

TONE = bytes([1, 0]) * 1_000


@asynccontextmanager
async def voice(*urls, local=None, **options):
    """A remote voice of ``urls``."""
    settings = config.load(tts_url=",".join(urls), **{"remote_attempt_s": 5.0, **options})
    remote = remote_of(Kind.SYNTHESIZER, settings)
    async with open_http(remote, settings) as http:
        ends = FarEnds(far_ends(remote), attempt_s=settings.remote_attempt_s, stands_by=local is not None)
        yield RemoteVoice(Voices(ends, HttpSayer(http, remote.model), local, ("alloy", "nova"), settings.remote_rate))


@asynccontextmanager
async def voice_of(*script, **settings):
    """A voice at a far end that answers as ``script`` says."""
    with trio.fail_after(30):
        async with far_server(*script) as server, voice(server.url, **settings) as remote:
            yield server, remote


async def pieces_of(speaking):
    async with speaking as pieces:
        return await rest_of(pieces)


async def rest_of(pieces):
    said = []
    while (piece := await pieces.receive()) is not None:
        said.append(piece)
    return said


async def test_it_is_asked_for_samples_and_its_sound_comes_in_pieces():
    async with voice_of(sound(TONE, TONE, TONE), remote_tts_model="kokoro", tts_api_key="k-2") as (server, remote):
        said = await pieces_of(remote.speak("It is noon.", seconds=5))
        assert b"".join(piece.pcm for piece in said) == 3 * TONE
        assert {piece.sample_rate for piece in said} == {24_000}
        [asked] = server.asked
    assert (asked.path, asked.headers["authorization"]) == ("/v1/audio/speech", "Bearer k-2")
    assert json.loads(asked.body) == {
        "model": "kokoro",
        "input": "It is noon.",
        "voice": "alloy",
        "response_format": "pcm",
    }


async def test_a_voice_and_a_speed_are_asked_for():
    async with voice_of(sound(TONE)) as (server, remote):
        await remote.speak("It is noon.", seconds=5, voice="nova", speed=1.5)
        asked = json.loads(server.asked[0].body)
        assert (asked["voice"], asked["speed"]) == ("nova", 1.5)
        with pytest.raises(EngineError, match="no such voice"):
            await remote.speak("It is noon.", seconds=5, voice="heart")
        with pytest.raises(EngineError, match="too long"):
            await remote.speak("It is noon. " * 100, seconds=5)
        assert len(server.asked) == 1


async def test_sound_comes_before_the_last_of_it_is_made():
    async with voice_of(sound(TONE, stalls=True)) as (server, remote):
        async with remote.speak("It is noon.", seconds=5) as pieces:
            assert await pieces.receive() == Speech(TONE, 24_000)
        await server.asked[0].left.wait()


async def test_samples_that_are_cut_anywhere_come_whole():
    async with voice_of(sound(b"\1", b"\0\2", b"\0\3", b"\0")) as (_, remote):
        said = await pieces_of(remote.speak("It is noon.", seconds=5))
        assert b"".join(piece.pcm for piece in said) == b"\1\0\2\0\3\0"
        assert all(len(piece.pcm) % 2 == 0 for piece in said)


async def test_where_there_is_nothing_to_say_nobody_is_asked():
    async with voice_of(sound(TONE)) as (server, remote):
        assert (await remote.speak(" ... ", seconds=5)).samples == 0
        assert server.asked == []


GARBAGE = {
    "html": (Answer(mimetype="text/html", parts=[b"secret-of-theirs"]), "text/html"),
    "json": (Answer(parts=[b'{"error": "secret-of-theirs"}']), "application/json"),
    "a file": (Answer(mimetype="audio/wav", parts=[b"RIFFxxxxWAVE"]), "a WAV file where pcm"),
    "no sound": (sound(), "no sound"),
    "packed": (sound(TONE, headers=[("Content-Encoding", "br")]), "packs"),
    "no http": (Answer(raw=b"secret-of-theirs\r\n\r\n"), "broke off"),
    "500": (Answer(status=500, parts=[b"secret-of-theirs"]), "HTTP 500"),
    "403": (Answer(status=403, parts=[b"secret-of-theirs"]), "STREAM_TTS_API_KEY"),
    "302": (Answer(status=302, headers=[("Location", "http://example.invalid/")]), "STREAM_TTS_URL"),
}


@pytest.mark.parametrize(("answer", "told"), GARBAGE.values(), ids=GARBAGE)
async def test_whatever_else_it_answers_is_one_clear_sentence(answer, told):
    async with voice_of(answer) as (server, remote):
        with pytest.raises(EngineError) as caught:
            await remote.speak("It is noon.", seconds=0.5)
        place = server.url.removeprefix("http://")
    error = caught.value
    assert error.code is ErrorCode.TTS_FAIL
    assert told in error.message
    assert place in error.message
    assert "secret-of-theirs" not in error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize("answer", [one for one, _ in GARBAGE.values()], ids=GARBAGE)
async def test_where_another_stands_by_it_says_the_text_at_the_same_rate(answer):
    local = ScriptedSynthesizer(sample_rate=16_000)
    async with voice_of(answer, local=local) as (_, remote):
        said = await remote.speak("It is noon.", seconds=10)
    assert local.spoken == ["It is noon."]
    assert said.sample_rate == 24_000
    assert said.samples == len("It is noon.") * 50 * 24


LATE = {
    "a stall": (sound(TONE, stalls=True), "fell silent"),
    "half a sample": (sound(TONE + b"\1"), "in the middle of a sample"),
    "a break": (sound(TONE, breaks_off=True), "broke off"),
    "more than any voice says": (sound(*[b"\1\0" * 30_000] * 40), "longer than any voice"),
}


@pytest.mark.parametrize(("answer", "told"), LATE.values(), ids=LATE)
async def test_what_goes_wrong_in_the_middle_is_told_and_not_asked_for_again(answer, told):
    local = ScriptedSynthesizer()
    async with voice_of(answer, local=local, remote_attempt_s=0.2) as (server, remote):
        async with remote.speak("It is noon.", seconds=10) as pieces:
            assert (await pieces.receive()).samples > 0
            with pytest.raises(EngineError, match=told):
                await rest_of(pieces)
            assert await pieces.receive() is None
        assert len(server.asked) == 1
    assert local.spoken == []


async def test_one_that_stalls_again_and_again_rests():
    local = ScriptedSynthesizer()
    async with voice_of(sound(TONE, stalls=True), local=local, remote_attempt_s=0.1) as (server, remote):
        for _ in range(MOST_FAILURES):
            with pytest.raises(EngineError, match="fell silent"):
                await remote.speak("It is noon.", seconds=10)
        assert (await remote.speak("It is noon.", seconds=10)).samples
        assert len(server.asked) == MOST_FAILURES
    assert local.spoken == ["It is noon."]


async def test_one_that_does_not_begin_in_its_time_is_given_up():
    local = ScriptedSynthesizer()
    async with voice_of(Answer(hangs=True), local=local, remote_attempt_s=0.1) as (server, remote):
        assert (await remote.speak("It is noon.", seconds=10)).samples
        for asked in server.asked:
            await asked.left.wait()
        assert len(server.asked) == MOST_FAILURES


async def test_before_its_first_sound_it_is_asked_again_and_elsewhere():
    async with far_server(Answer(status=500), sound(TONE)) as server, voice(await unused_url(), server.url) as remote:
        assert (await remote.speak("It is noon.", seconds=10)).pcm == TONE
        assert len(server.asked) == 2


async def test_all_waits_together_have_the_time_that_is_given():
    async with voice_of(sound(TONE, stalls=True)) as (server, remote):
        async with remote.speak("It is noon.", seconds=0.5) as pieces:
            assert await pieces.receive() == Speech(TONE, 24_000)
            with pytest.raises(EngineError, match="too long"):
                await pieces.receive()
        await server.asked[0].left.wait()


async def test_a_wait_that_is_cancelled_loses_nothing():
    async with voice_of(sound(TONE, TONE)) as (_, remote), remote.speak("It is noon.", seconds=10) as pieces:
        with trio.CancelScope() as scope:
            scope.cancel()
            await pieces.receive()
        said = b""
        while (piece := await pieces.receive()) is not None:
            said += piece.pcm
    assert said == 2 * TONE


async def test_who_is_cancelled_closes_the_connection():
    async with voice_of(Answer(hangs=True)) as (server, remote):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pieces_of, remote.speak("It is noon.", seconds=10))
            await server.arrived.wait()
            nursery.cancel_scope.cancel()
        await server.asked[0].left.wait()
