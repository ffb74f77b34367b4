"""OpenAI's own clients with nothing scripted: a recognizer, a voice, sockets, and the formats that others decode."""

import io
import json
import wave

import numpy as np
import openai
import pytest
import trio

from tests.recordings import WRITERS, decoded, recorded
from tests.server.openai_asking import client, sync_client
from tools.latency import CLIPS, word_errors, words_of
from voice_trio import config, sound_file
from voice_trio.core.audio import SAMPLE_RATE, wav_of
from voice_trio.engines.moonshine import model as moonshine
from voice_trio.server.run import open_server

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        moonshine.assets() is None, reason="there is no wheel with Moonshine's weights for this machine"
    ),
]

WORDS = words_of(json.loads((CLIPS / "clips.json").read_text())["lights"]["words"])
LIGHTS = CLIPS / "lights.wav"
TEXT = "Please close the window. The weather is very cold today."
CONTAINERS = {"mp3": "mp3", "opus": "ogg", "aac": "aac", "flac": "flac", "wav": "wav"}
"""Format -> how FFmpeg calls what it reads it as; pcm has nothing to be known by."""


def real_server():
    return open_server(config.load(port=0, memory="off", asr_engine="moonshine", tts_engine="hibari"))


def understood(text, words=WORDS):
    return word_errors(words, words_of(text)) / len(words) <= 0.2


async def test_the_words_of_a_recording_in_every_form():
    with trio.fail_after(120):
        async with real_server() as running, client(running) as asking:

            async def heard(**options):
                return await asking.audio.transcriptions.create(file=LIGHTS, model="whisper-1", **options)

            plain = await heard()
            assert understood(plain.text)
            assert plain.usage.type == "duration"
            assert plain.usage.seconds == pytest.approx(len(sound_file.read(LIGHTS)) / 2 / SAMPLE_RATE, abs=0.01)
            assert await heard(response_format="text", prompt="A door.", language="en") == f"{plain.text}\n"

            whole = await heard(response_format="verbose_json", timestamp_granularities=["segment"], temperature=0)
            assert (whole.text, whole.language) == (plain.text, "english")
            assert whole.duration == plain.usage.seconds
            assert " ".join(segment.text for segment in whole.segments) == plain.text
            assert 0 <= whole.segments[0].start < whole.segments[0].end <= whole.duration

            srt = (await heard(response_format="srt")).splitlines()
            vtt = (await heard(response_format="vtt")).splitlines()
            assert (srt[0], srt[2], vtt[0], vtt[3]) == ("1", whole.segments[0].text, "WEBVTT", whole.segments[0].text)
            assert srt[1].replace(",", ".") == vtt[2]

            said = [event async for event in await heard(stream=True)]
            assert "".join(event.delta for event in said[:-1]) == said[-1].text == plain.text
            assert said[-1].type == "transcript.text.done"


async def test_a_recording_in_every_kind_of_file():
    with trio.fail_after(120):
        async with real_server() as running, client(running) as asking:
            for kind in WRITERS:
                # Neither its name nor its type says what it is.
                file = ("recording", recorded(kind, sound_file.read(LIGHTS)), "application/octet-stream")
                heard = await asking.audio.transcriptions.create(file=file, model="any")
                assert understood(heard.text), kind


async def test_what_is_said_in_every_format_is_sound_that_others_read():
    with trio.fail_after(120):
        async with real_server() as running, client(running) as asking:
            lengths = {}
            for name in [*CONTAINERS, "pcm"]:
                answer = await asking.audio.speech.create(
                    input=TEXT, model="tts-1", voice="alloy", response_format=name
                )
                samples, rate = sound_of(answer.content, name)
                assert 3000 < np.abs(samples.astype(int)).max() < 32767, "neither silent nor clipped"
                lengths[name] = len(samples) / rate
                heard = await asking.audio.transcriptions.create(
                    file=("said", wav_of(samples.astype("<i2").tobytes(), rate)), model="whisper-1"
                )
                assert words_of(heard.text) == words_of(TEXT), name
            # But for what a codec pads.
            assert max(lengths.values()) - min(lengths.values()) < 0.2
            assert 2 < lengths["pcm"] < 6


def sound_of(data, name):
    """Return the samples of what came in format ``name``, and their rate."""
    if name == "pcm":
        return np.frombuffer(data, "<i2"), 24_000
    samples, rate, container = decoded(data)
    assert container == CONTAINERS[name]
    return samples, rate


@pytest.mark.filterwarnings("ignore:deprecated")  # The client says so of translations.
async def test_the_client_without_async_hears_and_speaks_as_well():
    with trio.fail_after(120):
        async with real_server() as running:
            await trio.to_thread.run_sync(ask_in_a_thread, running)


def ask_in_a_thread(running):
    with sync_client(running) as asking:
        assert understood(asking.audio.transcriptions.create(file=LIGHTS, model="whisper-1").text)
        said = list(asking.audio.transcriptions.create(file=LIGHTS, model="whisper-1", stream=True))
        assert said[-1].type == "transcript.text.done"
        assert understood(said[-1].text)

        how = {"input": TEXT, "model": "tts-1", "voice": "alloy", "response_format": "wav"}
        with asking.audio.speech.with_streaming_response.create(**how) as answer:
            assert answer.headers["content-type"] == "audio/wav"
            pieces = list(answer.iter_bytes())
        with wave.open(io.BytesIO(b"".join(pieces))) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)

        names = {model.id for model in asking.models.list()}
        assert len(names) == 3
        assert {asking.models.retrieve(name).id for name in names} == names
        with pytest.raises(openai.NotFoundError):
            asking.models.retrieve("gpt-5")
        with pytest.raises(openai.BadRequestError, match="does not translate"):
            asking.audio.translations.create(file=LIGHTS, model="whisper-1")
