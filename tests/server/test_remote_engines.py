"""A server whose recognizer and voice are on another machine: another server of ours, in a process that is killed."""

import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
import trio

from tests.engines.far_end import far_server, sound, unused_url, words
from tools.latency import SILENCE, word_errors, words_of
from tools.own_server import ServerDied, own_server
from voice_trio import config, sound_file
from voice_trio.cli import doctor
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.errors import CannotLoad
from voice_trio.engines.base import EngineError
from voice_trio.engines.load import open_engine
from voice_trio.entry_points import Kind
from voice_trio.server.run import open_server

pytestmark = pytest.mark.real

QUESTION = Path(__file__).parent.parent.parent / "examples" / "question.wav"
WORDS = words_of("What is the weather like in London today and will it rain tonight?")


def settings_of(url, **more):
    """Settings of a server that has its recognizer and its voice at ``url``, and would choose them by itself."""
    given = {"port": 0, "asr_url": url, "tts_url": url, "asr_engine": "auto", "tts_engine": "auto"}
    return config.load(**given, endpointing="fixed", end_of_turn="words", **more)


@asynccontextmanager
async def far_process():
    """Another server of ours with real engines, in a process of its own, which may be killed."""
    try:
        async with own_server("configured", asr_engine="moonshine", tts_engine="espeak") as far:
            yield far
    except* ServerDied:
        pass


async def turn(client, on_sound=lambda: None):
    """Ask the question aloud, and return what was heard of it, what went wrong, and the end."""
    await client.ask(m.Start())
    await client.speak(sound_file.read(QUESTION) + SILENCE, real_time=False)
    final, errors = "", []
    while True:
        event = await client.hear()
        match event:
            case m.Final(text=text):
                final = text
            case m.Error():
                errors.append(event)
            case m.TtsChunk():
                on_sound()
            case m.Done():
                return final, errors, event


async def test_a_conversation_goes_on_when_the_far_end_is_killed_in_the_middle_of_a_turn():
    with structlog.testing.capture_logs() as lines, trio.fail_after(120):
        async with far_process() as far:
            settings = settings_of(f"http://127.0.0.1:{far.port}")
            async with open_server(settings) as near, connect(near.ws_url) as client:
                opened = await client.wait_for(m.SessionOpened)
                assert opened.asr == f"remote recognizer (127.0.0.1:{far.port})"
                assert tuple(opened.voices) == ("alloy",)
                heard, errors, done = await turn(client)
                assert (errors, done.outcome) == ([], m.Outcome.COMPLETED)
                assert word_errors(WORDS, words_of(heard)) <= 1
                assert not [line for line in lines if line["event"] in ("recognised here", "spoken here")]

                alive = [far.pid]

                def kill():
                    while alive:
                        os.kill(alive.pop(), signal.SIGKILL)

                _, errors, done = await turn(client, kill)
                # What was being said when it died may be cut off; what comes after that is said here.
                assert {error.code for error in errors} <= {m.ErrorCode.TTS_FAIL}
                assert done.outcome is m.Outcome.COMPLETED
                for _ in range(2):
                    heard, errors, done = await turn(client)
                    assert (errors, done.outcome, done.remembered) == ([], m.Outcome.COMPLETED, True)
                    assert word_errors(WORDS, words_of(heard)) <= 1
    told = [line["event"] for line in lines]
    assert {"far end fails", "recognised here", "spoken here"} <= set(told)


async def test_an_address_chooses_the_engine_and_nothing_need_stand_by():
    async with far_server(words("It is noon.")) as server:
        settings = settings_of(server.url, remote_fallback="off")
        async with open_engine(Kind.RECOGNIZER, settings) as opened:
            assert opened.chosen.entry.name == "remote"
            assert opened.fallback is None
            async with opened.engine.open(None) as utterance:
                utterance.feed(bytes(32_000))
                assert (await utterance.settle(16_000)).text == "It is noon."
    settings = settings_of(await unused_url(), remote_fallback="off", asr_timeout_s=0.3)
    async with open_engine(Kind.RECOGNIZER, settings) as opened, opened.engine.open(None) as utterance:
        utterance.feed(bytes(32_000))
        with pytest.raises(EngineError, match="cannot be reached"):
            await utterance.settle(16_000)


async def test_the_voices_are_those_that_the_settings_list():
    settings = settings_of("http://127.0.0.1:9", remote_voices="af_heart, am_adam", remote_rate=16_000)
    async with open_engine(Kind.SYNTHESIZER, settings) as opened:
        assert tuple(opened.engine.voices) == ("af_heart", "am_adam")
        assert opened.engine.sample_rate == 16_000


async def test_voices_that_are_none_are_refused():
    settings = settings_of("http://127.0.0.1:9", remote_voices=" , ")
    with pytest.raises(config.ConfigError, match="STREAM_REMOTE_VOICES names no voice"):
        async with open_engine(Kind.SYNTHESIZER, settings):
            pass


async def test_without_an_address_it_cannot_be_asked_for():
    with pytest.raises(CannotLoad, match=r"STREAM_ASR_ENGINE asks for a recognizer on another machine, and no address"):
        async with open_engine(Kind.RECOGNIZER, config.load(asr_engine="remote")):
            pass


@pytest.mark.parametrize("proxies", ["off", "on"])
async def test_proxies_of_the_environment_are_asked_for_alone(monkeypatch, proxies):
    async with far_server(words("By proxy.")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        settings = settings_of("http://far.invalid", remote_proxies=proxies, remote_fallback="off", asr_timeout_s=2)
        async with open_engine(Kind.RECOGNIZER, settings) as opened, opened.engine.open(None) as utterance:
            utterance.feed(bytes(32_000))
            if proxies == "on":
                assert (await utterance.settle(16_000)).text == "By proxy."
                assert proxy.asked[0].path == "http://far.invalid/v1/audio/transcriptions"
            else:
                with pytest.raises(EngineError):
                    await utterance.settle(16_000)
                assert proxy.asked == []


async def test_doctor_says_where_they_are_and_what_is_wrong_there():
    async with far_server(words("")) as server:
        settings = settings_of(server.url)
        assert await doctor._recognizer(settings) == f"remote recognizer ({server.url.removeprefix('http://')}) works"
    async with far_server(sound(bytes(48_000))) as server:
        assert "remote voice" in await doctor._voice(settings_of(server.url))
    settings = settings_of(await unused_url())
    for check in (doctor._recognizer, doctor._voice):
        with pytest.raises(EngineError, match=r"127.0.0.1:\d+ cannot be reached"):
            await check(settings)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("STREAM_ASR_URL", "ftp://far", "does not begin with http:// or https:// or wyoming:// and a host"),
        ("STREAM_ASR_URL", "http://far, far:9000", "'far:9000' does not begin with"),
        ("STREAM_TTS_URL", "http://me:secret@far", "no name and no password"),
        ("STREAM_TTS_URL", "http://far/?key=secret", "goes on behind its path"),
        ("STREAM_REMOTE_API_KEY", "sécret", "characters that no key has"),
    ],
)
def test_a_setting_that_cannot_work_is_one_sentence_without_secrets(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(config.ConfigError) as caught:
        config.load()
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "sécret" not in str(caught.value)
