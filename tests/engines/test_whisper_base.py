"""OpenAI's own weights, through our own decoder: what only they can show."""

import json
from pathlib import Path

import numpy as np
import pytest
import trio

from tests import noise
from voice_trio import sound_file
from voice_trio.config import load
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines import load as load_engine
from voice_trio.engines.base import SURE_LANGUAGE_PROBABILITY
from voice_trio.engines.decoding.scheduler import open_scheduler
from voice_trio.engines.whisper import context as whisper_context
from voice_trio.engines.whisper.context import Context, calibrate, difference, spoken
from voice_trio.engines.whisper.decode import FLOOR_S, PADDED_S, Asked, floats
from voice_trio.engines.whisper.loading import load as load_whisper
from voice_trio.engines.whisper.plug import open_whisper
from voice_trio.entry_points import Kind
from voice_trio.installation import clips_dir

pytestmark = pytest.mark.real

HUMAN = Path(__file__).parents[1] / "utterances"
SAID = {listed["file"]: listed["words"] for listed in json.loads((HUMAN / "human.json").read_text())}
S = SAMPLE_RATE


@pytest.fixture(scope="module")
def decoder(base_model):
    return load_whisper(load(model_whisper=str(base_model))).decoder


@pytest.mark.parametrize("name", ["austen-0920", "cities-0", "something"])
def test_people_are_understood(decoder, name):
    file = f"human/{name}.flac"
    decoded = decoder.decode(floats(sound_file.read(HUMAN / file)), language=None, least_s=15)
    assert difference(spoken(SAID[file]), spoken(decoded.text)) <= 0.1
    assert (decoded.language, decoded.padded, decoded.tripped) == ("en", False, False)


def test_short_contexts_trip_and_the_floor_does_not(decoder):
    """Why there is a floor: if this fails, shorter contexts may be worth a try."""
    clips = whisper_context._recordings()[::4]
    trips = {
        least_s: sum(decoder.decode_batch([Asked(floats(pcm), "en", least_s, again=False)])[0].tripped for pcm in clips)
        for least_s in (0, FLOOR_S)
    }
    assert trips[0] > 0
    assert trips[FLOOR_S] == 0


def test_short_words_are_not_taken_for_another_language(decoder):
    for name in ("yes", "stop", "next"):
        pcm = sound_file.read(clips_dir() / f"{name}.flac")
        assert decoder.decode(floats(pcm), language=None, least_s=FLOOR_S).language == "en"


async def test_single_words_are_in_the_language_that_is_likely(base_model, tmp_path):
    """Their own is too doubtful to be found: without a guide all of them are taken for English."""
    async with open_whisper(load(model_whisper=str(base_model), asr_context="padded")) as ears:
        for said in ("Ja.", "Weiter."):
            # Only what an espeak says first is the same each time.
            async with load_engine.open_engine(Kind.SYNTHESIZER, load(tts_engine="pyttsx3")) as voice:
                speech = await voice.engine.speak(said, seconds=20, voice="de")
            sound_file.write(tmp_path / "said.wav", speech.pcm, speech.sample_rate)
            pcm = sound_file.read(tmp_path / "said.wav")
            partials, finals = [], []
            for begin in (ears.open_guided("de"), ears.open(None)):
                async with begin as utterance:
                    utterance.feed(pcm)
                    partials.append((await utterance.hypothesize()).text)
                    finals.append(await utterance.settle(len(pcm) // 2))
            german, english = partials
            guided, alone = finals
            assert (guided.language, alone.language) == ("de", "en")
            assert guided.language_probability < SURE_LANGUAGE_PROBABILITY
            assert spoken(guided.text) == spoken(said) != spoken(alone.text)
            assert spoken(german) != spoken(english)


@pytest.mark.parametrize("kind", ["silence", "pink", "keyboard"])
def test_nothing_is_heard_where_nobody_speaks(decoder, kind):
    for seed, rms in ((1, 0.003), (2, 0.02)):
        audio = np.zeros(3 * S) if kind == "silence" else noise.at_rms(noise.KINDS[kind](3 * S, seed), rms)
        decoded = decoder.decode(audio.astype(np.float32), language="en", least_s=FLOOR_S)
        # In front of it stands a speech detector; what gets through is short, and never a loop.
        assert len(spoken(decoded.text)) <= 3, decoded.text


async def test_the_context_that_is_found_is_the_floor(decoder, monkeypatch):
    some = whisper_context._recordings()[::6]
    monkeypatch.setattr(whisper_context, "_recordings", lambda: some)
    with trio.fail_after(120):
        async with open_scheduler(1, close_s=30) as scheduler:
            found = await calibrate(scheduler, decoder)
    # How long finals may take depends on the machine.
    assert found.partial_s == FLOOR_S
    assert found.final_s < PADDED_S


async def test_partials_grow_into_the_final(base_model):
    file = "human/austen-0920.flac"
    pcm = sound_file.read(HUMAN / file)
    texts = []
    async with open_whisper(load(model_whisper=str(base_model), asr_context="padded")) as ears:
        assert ears.context == Context(FLOOR_S, PADDED_S)
        async with ears.open(None) as utterance:
            for at in range(0, 12 * S, 4 * S):
                utterance.feed(pcm[at : at + 4 * S])
                texts.append((await utterance.hypothesize()).text)
            utterance.feed(pcm[12 * S :])
            final = await utterance.settle(len(pcm) // 2)
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert difference(spoken(SAID[file]), spoken(texts[-1])) <= 0.2
    assert difference(spoken(SAID[file]), spoken(final.text)) <= 0.1
    assert final.language == "en"
