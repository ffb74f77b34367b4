"""Home Assistant's voice servers as far ends, over real connections."""

from contextlib import asynccontextmanager, suppress

import pytest
import trio

from tests.engines.far_end import unused_url
from voice_trio import config
from voice_trio.core.faults import parse
from voice_trio.core.wyoming import BadEvent, WyomingEvent, WyomingReader
from voice_trio.engines.base import EngineError, Transcript
from voice_trio.engines.load import open_engine
from voice_trio.entry_points import Kind
from voice_trio.fault_far_ends import strike_far_ends
from voice_trio.faults import Faults
from voice_trio.testing.scripted import scripted_engines

pytestmark = pytest.mark.real

SECOND = bytes(range(256)) * 125
FORM = {"rate": 22_050, "width": 2, "channels": 1}


class Far:
    """A server that answers each question with the bytes of its script, one after the other, and closes if it ends."""

    def __init__(self, *script, stays=False):
        self.script = list(script)
        self.stays = stays
        self.asked = []
        self.arrived, self.left = trio.Event(), trio.Event()
        self.url = ""

    async def handle(self, stream):
        asked: list[WyomingEvent] = []
        reader = WyomingReader()
        async with stream:
            with suppress(trio.BrokenResourceError, BadEvent):
                while not any(event.type in ("audio-stop", "synthesize") for event in asked):
                    if not (data := await stream.receive_some()):
                        return
                    asked += reader.push(data)
                self.asked.append(asked)
                self.arrived.set()
                await stream.send_all(self.script.pop(0) if len(self.script) > 1 else self.script[0])
                if self.stays and await stream.receive_some() == b"":
                    self.left.set()


@asynccontextmanager
async def far_end(*script, stays=False):
    far = Far(*script, stays=stays)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            far.url = f"wyoming://127.0.0.1:{listener.socket.getsockname()[1]}"
            nursery.start_soon(trio.serve_listeners, far.handle, [listener])
            yield far
            nursery.cancel_scope.cancel()


def said(kind, payload=b"", **data):
    return WyomingEvent(kind, data, payload).written()


@asynccontextmanager
async def remote(kind, url, **more):
    """The remote engine of ``kind``, with nothing beside it."""
    given = {"remote_attempt_s": 5, "remote_fallback": "off", "asr_timeout_s": 0.5, "remote_rate": 22_050, **more}
    settings = config.load(asr_url=url, tts_url=url, asr_engine="remote", tts_engine="remote", **given)
    async with open_engine(kind, settings) as opened:
        yield opened.engine


@asynccontextmanager
async def utterance_at(url, language="en", **more):
    async with remote(Kind.RECOGNIZER, url, **more) as recognizer, recognizer.open(language) as utterance:
        utterance.feed(SECOND)
        yield utterance


async def test_an_utterance_is_heard():
    answer = said("transcript-start") + said("transcript-chunk", text="It ") + said("transcript", text=" It is noon. ")
    async with far_end(answer) as far, utterance_at(far.url) as utterance:
        assert await utterance.settle(16_000) == Transcript("It is noon.", "en")
    [asked] = far.asked
    begin, start, *chunks, stop = asked
    assert begin == WyomingEvent("transcribe", {"language": "en"})
    assert start == WyomingEvent("audio-start", {"rate": 16_000, "width": 2, "channels": 1})
    assert {chunk.type for chunk in chunks} == {"audio-chunk"}
    assert b"".join(chunk.payload for chunk in chunks) == SECOND
    assert stop.type == "audio-stop"


async def test_the_language_that_it_found_is_told():
    answer = said("transcript", text="Hallo.", language="de_DE")
    async with far_end(answer) as far, utterance_at(far.url, language=None) as utterance:
        assert await utterance.settle(16_000) == Transcript("Hallo.", "de")


async def test_a_text_is_said():
    answer = said("audio-start", **FORM) + said("audio-chunk", b"\1\0" * 100, **FORM) * 3 + said("audio-stop")
    async with far_end(answer) as far:
        async with remote(Kind.SYNTHESIZER, far.url) as voice:
            speech = await voice.speak("It is noon.", seconds=5)
            assert (speech.pcm, speech.sample_rate) == (b"\1\0" * 300, 22_050)
        async with remote(Kind.SYNTHESIZER, far.url, remote_voices="en_US-lessac-medium") as voice:
            await voice.speak("It is noon.", seconds=5)
    assert [asked for [asked] in far.asked] == [
        WyomingEvent("synthesize", {"text": "It is noon."}),
        WyomingEvent("synthesize", {"text": "It is noon.", "voice": {"name": "en_US-lessac-medium"}}),
    ]


GARBAGE = {
    "no json": (b"secret-of-theirs\n", "does not speak the Wyoming protocol"),
    "a web server": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the Wyoming protocol"),
    "an endless line": (b"x" * 100_000, "does not speak the Wyoming protocol"),
    "too much": (said("ping", bytes(100_000)) * 3, "more than any answer"),
    "nothing": (b"", "broke off"),
    "half an event": (said("transcript", text="It is noon.")[:-3], "broke off"),
    "no text": (said("transcript"), "without a text"),
    "an error": (said("error", text="secret-of-theirs"), "has a fault"),
}


@pytest.mark.parametrize(("answer", "told"), GARBAGE.values(), ids=GARBAGE)
async def test_whatever_else_a_recognizer_says_is_one_clear_sentence(answer, told):
    async with far_end(answer) as far, utterance_at(far.url) as utterance:
        with pytest.raises(EngineError) as caught:
            await utterance.settle(16_000)
    assert told in caught.value.message
    assert far.url.removeprefix("wyoming://") in caught.value.message
    assert "secret-of-theirs" not in caught.value.message


SOUNDS = {
    "no sound": (said("audio-start", **FORM) + said("audio-stop"), "made no sound"),
    "another rate": (said("audio-start", **{**FORM, "rate": 16_000}), "set STREAM_REMOTE_RATE=16000"),
    "stereo": (said("audio-start", **{**FORM, "channels": 2}), "to be 16 bit, mono"),
    "no form": (said("audio-chunk", b"\1\0"), "to be 16 bit, mono"),
    "no end": (said("audio-chunk", b"\1\0" * 9, **FORM), "broke off"),
    "half a sample": (said("audio-chunk", b"\1\0\1", **FORM) + said("audio-stop"), "middle of a sample"),
    "an error in the middle": (said("audio-chunk", b"\1\0", **FORM) + said("error", text="x"), "has a fault"),
}


@pytest.mark.parametrize(("answer", "told"), SOUNDS.values(), ids=SOUNDS)
async def test_whatever_else_a_voice_says_is_one_clear_sentence(answer, told):
    async with far_end(answer) as far, remote(Kind.SYNTHESIZER, far.url) as voice:
        with pytest.raises(EngineError, match=told):
            await voice.speak("It is noon.", seconds=0.5)


async def test_who_is_cancelled_closes_the_connection():
    async with far_end(b"", stays=True) as far, utterance_at(far.url) as utterance:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(utterance.anticipate, 12_000)
            await far.arrived.wait()
            nursery.cancel_scope.cancel()
        await far.left.wait()


async def test_a_phrase_that_nobody_waits_for_closes_the_connection():
    async with far_end(said("audio-chunk", b"\1\0", **FORM), stays=True) as far:
        async with remote(Kind.SYNTHESIZER, far.url) as voice, voice.speak("It is noon.", seconds=5) as pieces:
            assert (await pieces.receive()).pcm == b"\1\0"
        await far.left.wait()


async def test_one_that_is_not_there_is_told_and_another_kind_of_far_end_is_asked():
    down = (await unused_url()).replace("http", "wyoming")
    async with far_end(said("transcript", text="Yes.")) as far, utterance_at(f"{down}, {far.url}") as utterance:
        assert (await utterance.settle(16_000)).text == "Yes."
    async with utterance_at(down) as utterance:
        with pytest.raises(EngineError, match="cannot be reached"):
            await utterance.settle(16_000)


@pytest.mark.parametrize(("fault", "told"), [("error", "has a fault"), ("garbage", "does not speak the Wyoming")])
async def test_it_fails_on_purpose(fault, told):
    async with (
        far_end(said("transcript", text="Yes.")) as far,
        remote(Kind.RECOGNIZER, far.url, asr_timeout_s=0.05) as recognizer,
        recognizer.open("en") as utterance,
    ):
        strike_far_ends(Faults(parse(f"remote:{fault}#1")), scripted_engines(recognizer=recognizer))
        utterance.feed(SECOND)
        with pytest.raises(EngineError, match=told):
            await utterance.settle(16_000)
        assert (await utterance.settle(16_000)).text == "Yes."


@pytest.mark.parametrize("url", ["wyoming://far", "wyoming://far:10300/v1"])
def test_its_address_has_a_host_and_a_port_alone(url):
    with pytest.raises(config.ConfigError, match=r"STREAM_ASR_URL: .* is to be a host and a port"):
        config.load(asr_url=url)
