"""Speech for OpenAI's client with scripted voices: what is refused, what fails, and who leaves."""

import base64
import json
from contextlib import AsyncExitStack
from typing import Any

import openai
import pytest
import trio

from tests.server.openai_asking import begun, client, events, left, plain, sent_until_end, serving, told
from tests.server.serving import eventually
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.server.openai.encoding import MIMETYPES
from voice_trio.testing.scripted import ScriptedSynthesizer, scripted_engines

pytestmark = pytest.mark.real

TWO = "The first one. The second one."
FAILS = EngineError(ErrorCode.TTS_FAIL, "The voice failed.")
LONG = "A sentence that goes on. " * 100


def spoken(asking, text=TWO, **options):
    return asking.audio.speech.create(
        **{"input": text, "model": "tts-1", "voice": "alloy", "response_format": "pcm", **options}
    )


async def refusal(call):
    """Return what the client is told that makes ``call``."""
    with pytest.raises(openai.APIStatusError) as caught:
        await call
    return told(caught.value)


def speaking(**voice):
    """Return engines with a voice of which the pieces of 16 kHz take no time."""
    return scripted_engines(synthesizer=ScriptedSynthesizer(**{"speak_s": 0.0, **voice}))


# --- what comes of it -------------------------------------------------------------------------------------------------


async def test_every_format_has_its_type_and_mp3_is_what_a_call_gets_that_names_none():
    with trio.fail_after(60):
        async with serving(speaking()) as (running, asking):
            for name, mimetype in MIMETYPES.items():
                answer = await spoken(asking, response_format=name)
                assert answer.response.headers["content-type"] == mimetype
                assert answer.content
            usual = await asking.audio.speech.create(input=TWO, model="tts-1", voice="alloy")
            assert usual.response.headers["content-type"] == "audio/mpeg"
            assert usual.content == (await spoken(asking, response_format="mp3")).content
            await left(running)


async def test_a_voice_of_ours_speaks_and_any_other_name_is_served_by_the_usual_one():
    heard = []

    class Listed(ScriptedSynthesizer):
        def speak(self, text, *, seconds, voice=None, speed=1.0):
            heard.append((voice, speed))
            return super().speak(text, seconds=seconds, voice=voice, speed=speed)

    with trio.fail_after(60):
        async with serving(scripted_engines(synthesizer=Listed(voices=("one", "two")))) as (_, asking):
            for voice in ("two", "alloy", {"id": "one"}, {"id": "voice_1234"}, "x" * 10_000):
                await spoken(asking, "Hello.", voice=voice, extra_body={"instructions": "Sing.", "new": [1]})
    assert [voice for voice, _ in heard] == ["two", None, "one", None, None]


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.5, 2.0, 4.0])
async def test_what_the_voice_cannot_do_itself_is_made_of_what_it_says(speed):
    with trio.fail_after(60):
        async with serving(speaking()) as (_, asking):
            usual, changed = (await spoken(asking)).content, (await spoken(asking, speed=speed)).content
            assert len(usual) / len(changed) == pytest.approx(speed, rel=0.05)


async def test_the_sound_in_events_is_the_sound():
    with trio.fail_after(60):
        async with serving(speaking()) as (running, asking):
            answer = await spoken(asking, stream_format="sse")
            assert answer.response.headers["content-type"].startswith("text/event-stream")
            *deltas, done = events(answer.text)
            assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
            assert (done["type"], done["usage"]["total_tokens"]) == ("speech.audio.done", 0)
            assert b"".join(base64.b64decode(delta["audio"]) for delta in deltas) == (await spoken(asking)).content
            await left(running)


async def test_the_first_sound_comes_before_the_last_is_made():
    """The second sentence is never spoken to its end."""
    with trio.fail_after(60):
        async with serving(speaking(hangs=frozenset({1}))) as (running, _):
            body = json.dumps({"input": TWO, "response_format": "pcm"}).encode()
            stream = await begun(running, "/audio/speech", body, {})
            heard = 0
            # 50 ms for each of its signs, at 24 kHz.
            while heard < 2 * 24 * 50 * 13:
                heard += len(await stream.receive_some())
            assert running.engines.synthesizer.open_now == 1
            await stream.aclose()
            await left(running)


async def test_what_nobody_can_say_is_no_sound_or_some_but_no_defect():
    with trio.fail_after(60):
        async with serving(speaking()) as (running, asking):
            for text in ("...", "\u200b", "\U0001f600", "\0", "**", "a\0b", "\ufffd", "`" * 4096, "x" * 4096):
                for name in MIMETYPES:
                    assert (await spoken(asking, text, response_format=name)).response.status_code == 200
            await left(running)


# --- what is refused --------------------------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"text": ""}, "input"),
    ({"text": " \n"}, "input"),
    ({"text": ["a"]}, "input"),
    ({"response_format": "midi"}, "response_format"),
    ({"response_format": ["mp3"]}, "response_format"),
    ({"stream_format": "ws"}, "stream_format"),
    ({"voice": 3}, "voice"),
    ({"voice": {"id": 3}}, "voice"),
    ({"speed": 0.2}, "speed"),
    ({"speed": 4.1}, "speed"),
    ({"speed": "fast"}, "speed"),
    ({"speed": True}, "speed"),
    ({"speed": 10**400}, "speed"),
]


async def test_wrong_values_are_refused_by_name():
    with trio.fail_after(60):
        async with serving() as (running, asking):
            for wrong, param in WRONG:
                assert await refusal(spoken(asking, **wrong)) == (400, "invalid_value", param), wrong
            long = await refusal(spoken(asking, "x" * 4097))
            assert long == (400, "string_above_max_length", "input")
            assert (await refusal(spoken(asking, text=None)))[1:] == ("missing_required_parameter", "input")
            assert running.engines.synthesizer.spoken == []


async def test_bodies_that_are_none_are_refused():
    with trio.fail_after(60):
        async with serving(speaking()) as (running, _), plain(running) as http:

            async def status_of(body):
                answer = await http.post("/audio/speech", content=body)
                if answer.is_error:
                    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
                return answer.status_code

            for body in (b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"input": "a", "speed": NaN}'):
                assert await status_of(body) == 400, body[:20]
            assert await status_of(b'{"input": "a", "speed": 1' + b"0" * 5000 + b"}") == 400
            # Half of a pair is no character that can be said, and no defect.
            assert await status_of(json.dumps({"input": "a \ud800 b", "response_format": "pcm"}).encode()) == 200
            # In JSON's own spelling each of the most characters has twelve bytes.
            most = json.dumps({"input": "\U0001f600" * 4096, "response_format": "pcm"}).encode()
            assert await status_of(most) == 200
            await left(running)


async def test_what_is_too_large_and_what_does_not_come():
    with trio.fail_after(60):
        async with serving() as (running, _):
            for headers, status in [
                ({"Content-Length": "1000000"}, b" 413 "),
                ({"Content-Length": "10"}, b" 408 "),
            ]:
                stream = await begun(running, "/audio/speech", b"{", headers)
                assert status in (await sent_until_end(stream)).split(b"\r\n")[0]
            await left(running)


async def test_no_room_is_said_with_a_time_to_come_back():
    with trio.fail_after(60):
        async with serving(max_sessions=1) as (running, asking), connect(running.ws_url) as other:
            await other.wait_for(m.SessionOpened)
            with pytest.raises(openai.InternalServerError) as caught:
                await spoken(asking)
            assert told(caught.value) == (503, "server_overloaded", None)
            assert caught.value.response.headers["retry-after"] == "15"


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
async def test_a_voice_that_fails_before_anything_is_said(stream_format):
    with trio.fail_after(60):
        async with serving(speaking(fails=[FAILS])) as (running, asking):
            assert await refusal(spoken(asking, stream_format=stream_format)) == (500, "tts_fail", None)
            assert (await spoken(asking)).content
            await left(running)


async def test_sound_that_breaks_off_is_no_whole_answer():
    with trio.fail_after(60):
        async with serving(speaking(fails=[None, FAILS])) as (running, asking):
            with pytest.raises(openai.APIError):
                await spoken(asking, response_format="wav")
            await left(running)


async def test_events_that_break_off_say_why():
    with trio.fail_after(60):
        async with serving(speaking(fails=[None, FAILS])) as (running, asking):
            *said, last = events((await spoken(asking, stream_format="sse")).text)
            assert {one["type"] for one in said} == {"speech.audio.delta"}
            assert (last["error"]["message"], last["error"]["code"]) == ("The voice failed.", "tts_fail")
            await left(running)


async def test_a_voice_that_takes_for_ever():
    with trio.fail_after(60):
        async with serving(speaking(hangs=frozenset({0})), tts_timeout_s=0.2) as (running, asking):
            assert await refusal(spoken(asking)) == (500, "tts_fail", None)
            await left(running)


@pytest.mark.parametrize("name", ["mp3", "pcm"])
@pytest.mark.parametrize("after", ["nothing", "some sound", "more than it reads"])
async def test_a_client_that_leaves_leaves_nothing(name, after):
    hangs = frozenset({0} if after == "nothing" else {1} if after == "some sound" else ())
    body = json.dumps({"input": LONG, "response_format": name}).encode()
    with trio.fail_after(60):
        char_ms = 2000 if after == "more than it reads" else 50
        async with serving(speaking(hangs=hangs, char_ms=char_ms)) as (running, _):
            stream = await begun(running, "/audio/speech", body, {})
            voice = running.engines.synthesizer
            await eventually(lambda: voice.spoken)
            if after == "some sound":
                await eventually(lambda: len(voice.spoken) > 1)
            if after != "nothing":
                assert b" 200 " in await stream.receive_some(100)
            await stream.aclose()
            await left(running)


async def test_a_place_that_is_needed_is_given_back():
    """One address has all places; another's session gets one of them."""
    with trio.fail_after(60):
        engines = speaking(hangs=frozenset({0, 1}))
        async with serving(engines, max_sessions=2) as (running, asking):
            refused = []

            async def ask():
                refused.append(await refusal(spoken(asking)))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                nursery.start_soon(ask)
                await eventually(lambda: len(running.sessions) == 2)
                with running.sessions._places.hold("192.0.2.1", object()):
                    await eventually(lambda: refused)
                    nursery.cancel_scope.cancel()
            assert refused == [(503, "server_overloaded", None)]
            await left(running)


async def test_a_server_that_stops_cuts_no_answer_short_that_is_soon_over_and_does_not_wait_for_others():
    engines = speaking(hangs=frozenset({1}))
    answers, refused = [], []

    async def ask(asking):
        answers.append((await spoken(asking, "One only.")).content)

    async def ask_more(asking):
        with pytest.raises(openai.APIError):
            await spoken(asking)
        refused.append(True)

    with trio.fail_after(60):
        async with AsyncExitStack() as stack, trio.open_nursery() as nursery:  # noqa: SIM117  The server ends first.
            async with serving(engines, shutdown_grace_s=2.0) as (running, _):
                asking = await stack.enter_async_context(client(running))
                nursery.start_soon(ask_more, asking)
                await eventually(lambda: len(engines.synthesizer.spoken) == 2)
                engines.synthesizer.hangs = frozenset()
                engines.synthesizer.speak_s = 0.05
                nursery.start_soon(ask, asking)
                await eventually(lambda: len(engines.synthesizer.spoken) == 3)
    assert (bool(answers), refused) == (True, [True])
