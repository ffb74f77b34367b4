"""Moonshine with its own weights, on recorded speech."""

import json
import shutil
import threading
import wave
from contextlib import asynccontextmanager
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soxr
import structlog
import trio

from tools.latency import word_errors
from voice_trio import config
from voice_trio.core.audio import ms_to_samples
from voice_trio.core.endpointer import WEIGHED_PAUSE_MS
from voice_trio.core.transcript import TranscriptDiffer
from voice_trio.engines import load
from voice_trio.engines.base import CannotLoad, Recognizer, partial_interval_ms
from voice_trio.engines.decoding.scheduler import Rank
from voice_trio.engines.decoding.utterance import TAIL
from voice_trio.engines.moonshine import model
from voice_trio.engines.moonshine.decode import TOKENS_PER_S, MoonshineDecoder, Unwanted
from voice_trio.engines.moonshine.plug import PLUG, MoonshineWeights, open_moonshine
from voice_trio.engines.moonshine.recognizer import FIRST_SAMPLES, WINDOW, MoonshineRecognizer
from voice_trio.entry_points import Kind

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(model.assets() is None, reason="there is no wheel with Moonshine's weights for this machine"),
]

S = 16_000
CLIPS = Path(__file__).parents[1] / "clips"
WORDS = {name: clip["words"] for name, clip in json.loads((CLIPS / "clips.json").read_text()).items()}
TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of "
    "foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was "
    "the season of darkness, it was the spring of hope, it was the winter of despair, we had everything before "
    "us, we had nothing before us, we were all going direct to heaven, we were all going direct the other way in "
    "short, the period was so far like the present period, that some of its noisiest authorities insisted on its "
    "being received, for good or for evil, in the superlative degree of comparison only."
)


def clip(name):
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        return bytes(2 * S * 3 // 10) + file.readframes(file.getnframes())


def two_cities():
    with wave.open(str(model.assets() / "two_cities.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return soxr.resample(sound, file.getframerate(), S).tobytes()


def words(text):
    kept = "".join(char if char.isalnum() or char in "' " else "" for char in text.lower())
    # It hears the old spelling now and then.
    return kept.replace("to night", "tonight").split()


@pytest.fixture(scope="module")
def decoder() -> MoonshineDecoder:
    return model.load(model.find(), 1)


@asynccontextmanager
async def open_ears(workers=1):
    with trio.fail_after(120):
        async with open_moonshine(config.load(asr_workers=workers)) as recognizer:
            yield recognizer


async def transcribe(recognizer, pcm):
    async with recognizer.open(None) as utterance:
        utterance.feed(pcm)
        return (await utterance.settle(len(pcm) // 2)).text


async def test_the_clips_are_understood_with_case_and_punctuation():
    wrong, texts = 0, {}
    async with open_ears() as recognizer:
        interface: Recognizer = recognizer
        assert (interface.name, interface.languages) == ("moonshine tiny-en", ("en",))
        assert partial_interval_ms(interface) == 300
        for name in WORDS:
            texts[name] = await transcribe(recognizer, clip(name) + bytes(2 * TAIL))
            wrong += word_errors(words(WORDS[name]), words(texts[name]))
    assert wrong <= 0.065 * sum(len(words(said)) for said in WORDS.values())
    assert texts["question"].startswith("What is the weather like in London")
    assert texts["question"].endswith("?")
    assert texts["lights"].endswith(".")


async def test_a_person_who_reads_for_most_of_a_minute_is_understood():
    async with open_ears(2) as recognizer, recognizer.open("en") as utterance:
        pcm = two_cities()[: 43 * 2 * S]
        utterance.feed(pcm)
        whole = await utterance.settle(len(pcm) // 2)
        assert word_errors(words(TWO_CITIES), words(whole.text)) <= 0.065 * len(words(TWO_CITIES))
        # What is the same in every final is decoded once.
        spent = utterance.compute_s
        await utterance.settle(len(pcm) // 2 - S)
        assert utterance.compute_s < 1.7 * spent
        assert await utterance.settle(0) == ("", "en", 0.0)


async def test_partials_grow_and_their_stable_words_are_the_finals_but_for_a_few():
    async with open_ears() as recognizer:
        for name in WORDS:
            pcm, differ = clip(name), TranscriptDiffer()
            async with recognizer.open(None) as utterance:
                for at in range(0, len(pcm), 9_600):
                    utterance.feed(pcm[at : at + 9_600])
                    hypothesis = await utterance.hypothesize()
                    assert (hypothesis.through_sample == 0) == (utterance.samples < FIRST_SAMPLES)
                    before = differ.text[: differ.stable]
                    differ.push(hypothesis.text)
                    assert differ.text.startswith(before)
                final = (await utterance.settle(len(pcm) // 2)).text
            stable = differ.text[: differ.stable]
            assert len(words(stable)) >= len(words(final)) - 4
            assert word_errors(words(stable), words(final)[: len(words(stable))]) <= 2


async def test_a_partial_decodes_no_more_than_its_window_and_what_it_leaves_behind_once(monkeypatch):
    lengths = []
    decode = MoonshineDecoder.decode

    def noting(self, audio, *rest):
        lengths.append(len(audio))
        return decode(self, audio, *rest)

    monkeypatch.setattr(MoonshineDecoder, "decode", noting)
    pcm, differ = two_cities()[: 30 * 2 * S], TranscriptDiffer()
    async with open_ears() as recognizer, recognizer.open(None) as utterance:
        for at in range(0, len(pcm), 2 * S):
            utterance.feed(pcm[at : at + 2 * S])
            differ.push((await utterance.hypothesize()).text)
    assert max(lengths) <= WINDOW.most_s * S
    left_behind = len(lengths) - 29
    assert 30 / (WINDOW.most_s * WINDOW.last) - 1 <= left_behind <= 30 / (WINDOW.most_s * WINDOW.first)
    said = words(TWO_CITIES)[: len(words(differ.text))]
    assert word_errors(said, words(differ.text)) <= 0.25 * len(said)


async def test_a_partial_that_has_heard_enough_silence_is_the_final():
    pcm = clip("question")
    async with open_ears(2) as recognizer, recognizer.open(None) as utterance:
        utterance.feed(pcm + bytes(2 * TAIL))
        hypothesis = await utterance.hypothesize()
        spent = utterance.compute_s
        early = await utterance.anticipate(len(pcm) // 2)
        assert early == await utterance.settle(len(pcm) // 2 + TAIL, len(pcm) // 2)
        assert early.text == hypothesis.text
        assert utterance.compute_s == spent
        # Behind somebody who was heard to the last sample it has not.
        await utterance.settle(len(pcm) // 2 + TAIL, len(pcm) // 2 + 1)
        assert utterance.compute_s == spent
        await utterance.anticipate(len(pcm) // 2 + 1)
        assert utterance.compute_s > spent


async def test_an_early_final_is_given_the_silence_that_is_yet_to_come(monkeypatch):
    decoded = []
    decode = MoonshineDecoder.decode

    def noting(self, audio, *rest):
        decoded.append(audio.tobytes())
        return decode(self, audio, *rest)

    monkeypatch.setattr(MoonshineDecoder, "decode", noting)
    pcm = clip("question")
    voiced = len(pcm) // 2 - ms_to_samples(WEIGHED_PAUSE_MS)
    async with open_ears(2) as recognizer, recognizer.open(None) as utterance:
        utterance.feed(pcm)
        early = await utterance.anticipate(voiced)
        utterance.feed(bytes(2 * TAIL))
        assert early == await utterance.settle(len(pcm) // 2 + TAIL, voiced)
    assert decoded == [pcm.ljust(2 * (voiced + TAIL), b"\0")]


async def test_eight_speak_at_once_and_each_is_understood():
    async with open_ears(2) as recognizer, trio.open_nursery() as nursery:
        expected = {name: await transcribe(recognizer, clip(name)) for name in WORDS}
        heard = {}

        async def one(number: int, name: str) -> None:
            heard[number] = await transcribe(recognizer, clip(name)) == expected[name]

        for number in range(8):
            nursery.start_soon(one, number, [*WORDS][number % len(WORDS)])
    assert heard == dict.fromkeys(range(8), True)


async def test_a_decode_that_nobody_wants_any_more_frees_its_thread(monkeypatch):
    gone = threading.Event()
    ends: list[trio.CancelScope] = []
    decode = MoonshineDecoder.decode
    turns = [trio.CancelScope(), trio.CancelScope()]

    def left_alone(self, *decoded):
        turn = turns[len(ends)]
        trio.from_thread.run_sync(turn.cancel)
        gone.wait(10)
        try:
            return decode(self, *decoded)
        except Unwanted:
            ends.append(turn)
            raise

    pcm = clip("story")
    async with open_ears() as recognizer:
        monkeypatch.setattr(MoonshineDecoder, "decode", left_alone)
        for turn, ask in zip(turns, ("hypothesize", "settle"), strict=True):
            gone.clear()
            with turn:
                async with recognizer.open(None) as utterance:
                    utterance.feed(pcm)
                    await (utterance.hypothesize() if ask == "hypothesize" else utterance.settle(len(pcm) // 2))
            assert turn.cancelled_caught
            gone.set()
            # With one worker, this begins when the decode has ended.
            await recognizer._scheduler.run(lambda: lambda: None, Rank.FINAL)
            assert ends[-1] is turn
        monkeypatch.setattr(MoonshineDecoder, "decode", decode)
        assert word_errors(words(WORDS["lights"]), words(await transcribe(recognizer, clip("lights")))) <= 1


def test_a_guess_saves_steps(decoder, monkeypatch):
    audio = np.frombuffer(clip("question"), "<i2")
    plain = decoder.decode(audio)
    steps = []

    class Counted:
        def __init__(self, real):
            self.real = real

        def run_with_ort_values(self, names, feed):
            steps.append(feed["input_ids"].shape()[1])
            return self.real.run_with_ort_values(names, feed)

    def taken(guess):
        steps.clear()
        decoded = decoder.decode(audio, guess=guess)
        # A near tie may fall otherwise.
        assert word_errors(words(plain.text), words(decoded.text)) <= 1
        return len(steps)

    monkeypatch.setattr(decoder, "_decoder", Counted(decoder._decoder))
    alone = taken(())
    assert alone == len(plain.ids) + 1 > 8
    assert taken(plain.ids) <= alone / 2
    # One that ends too early, or lacks a word, is worth what it holds.
    assert taken(plain.ids[:-3]) < alone
    assert taken(plain.ids[:3] + plain.ids[4:]) < alone
    assert taken(plain.ids[::-1]) <= alone
    assert sum(steps) <= 3 * alone


async def test_an_utterance_is_decoded_with_what_it_was_before_as_a_guess(monkeypatch):
    guesses = []
    decode = MoonshineDecoder.decode

    def noting(self, audio, wanted, guess):
        decoded = decode(self, audio, wanted, guess)
        guesses.append((tuple(guess), decoded.ids))
        return decoded

    monkeypatch.setattr(MoonshineDecoder, "decode", noting)
    pcm = two_cities()[: 20 * 2 * S]
    async with open_ears() as recognizer, recognizer.open(None) as utterance:
        for at in range(0, len(pcm), S):
            utterance.feed(pcm[at : at + S])
            await utterance.hypothesize()
        guesses.clear()
        await utterance.settle(len(pcm) // 2)
    # Also behind the place where a final is cut, and a partial was not.
    assert len(guesses) > 1
    for guess, ids in guesses:
        same = SequenceMatcher(None, guess, ids, autojunk=False).get_matching_blocks()
        assert sum(block.size for block in same) >= len(ids) / 2


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_ends_with_its_length(decoder, seed):
    rng = np.random.default_rng(seed)
    noise = (rng.normal(0, 600 * (seed + 1), 4 * S)).astype("<i2")
    decoded = decoder.decode(noise)
    # Each of its tokens is at most a word.
    assert len(decoded.text.split()) <= 4 * TOKENS_PER_S
    assert decoded.mean_log_probability < 0


@pytest.mark.parametrize("samples", [0, 1, 1599, 1600, 2048])
def test_next_to_no_audio_is_no_trouble(decoder, samples):
    decoded = decoder.decode(np.zeros(samples, "<i2"))
    assert decoded.text == "" or samples >= 1600


# --- whether it can be used -------------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of its files that can be damaged."""
    shutil.copytree(model.find(), tmp_path / "assets" / "tiny-en")
    monkeypatch.setattr(model, "assets", lambda: tmp_path / "assets")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("STREAM_ASR_ENGINE", raising=False)
    return tmp_path / "assets" / "tiny-en"


async def opened(**settings):
    with trio.fail_after(60), structlog.testing.capture_logs():
        async with load.open_engine(Kind.RECOGNIZER, config.load(**settings)) as one:
            return one.engine, one.fallback


async def test_it_is_what_is_taken_without_whispers_weights(copied):
    recognizer, fallback = await opened()
    assert isinstance(recognizer, MoonshineRecognizer)
    assert fallback.message == "Speech is recognised by Moonshine, in English only."
    assert fallback.about == "Moonshine comes with it, and understands English well."
    assert (fallback.better, fallback.command.split()[-1]) == ("Whisper", "small-int8")
    assert isinstance((await opened(language="en"))[0], MoonshineRecognizer)


async def test_for_another_language_it_is_not(copied):
    assert (await opened(language="de"))[0].name == "pocketsphinx"
    with pytest.raises(CannotLoad) as caught:
        await opened(language="de", asr_engine="moonshine")
    assert str(caught.value) == (
        "STREAM_ASR_ENGINE asks for Moonshine, and it understands English alone, and STREAM_LANGUAGE is 'de'."
    )


async def test_without_its_package_pocketsphinx_serves(copied, monkeypatch):
    monkeypatch.setattr(model, "assets", lambda: None)
    recognizer, fallback = await opened()
    assert recognizer.name == "pocketsphinx"
    assert fallback.better == "Whisper"
    with pytest.raises(CannotLoad, match=r"and moonshine-voice==0.0.49, which .* is not installed"):
        await opened(asr_engine="moonshine")


@pytest.mark.parametrize("name", model.FILES)
async def test_a_damaged_file_is_one_sentence_and_pocketsphinx_serves(copied, name):
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    assert (await opened())[0].name == "pocketsphinx"
    with pytest.raises(CannotLoad) as caught:
        await opened(asr_engine="moonshine")
    assert str(caught.value) == (
        f"STREAM_ASR_ENGINE asks for Moonshine, and {copied / name} is damaged, or not of version 0.0.49: install it "
        "again (pip install --force-reinstall --no-deps moonshine-voice==0.0.49)."
    )


@pytest.mark.parametrize("name", model.FILES)
async def test_a_file_that_breaks_off_is_one_sentence_where_nobody_looked_before(copied, name):
    (copied / name).write_bytes((copied / name).read_bytes()[:1000])
    with pytest.raises(CannotLoad, match=r"^Moonshine cannot be used: .*\.$"):
        async with open_moonshine(config.load()):
            pass
    (copied / name).unlink()
    assert f"{copied / name} is missing" in PLUG.missing(config.load())
    (line,) = MoonshineWeights().listing(config.load())
    assert "cannot be used" in line


async def test_it_can_be_tried_and_says_what_it_hears():
    said: list[str] = []
    assert await MoonshineWeights().check(config.load(), None, said.append) is None
    assert any("Chicago" in line for line in said)


async def test_what_a_pause_came_to_is_the_final_whatever_partials_come_after_it():
    pcm = clip("question")
    async with open_ears(2) as recognizer, recognizer.open(None) as utterance:
        utterance.feed(pcm + bytes(2 * TAIL))
        early = await utterance.anticipate(len(pcm) // 2)
        for _ in range(3):
            utterance.feed(bytes(2 * TAIL))
            await utterance.hypothesize()
        spent = utterance.compute_s
        assert await utterance.settle(len(pcm) // 2 + 3 * TAIL, len(pcm) // 2) == early
        assert utterance.compute_s == spent
