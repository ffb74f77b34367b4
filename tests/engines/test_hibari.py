"""The neural voice, in real processes."""

import os
import signal
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import numpy as np
import pytest
import trio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.engines.hibari.voice import RATE, missing, open_hibari
from voice_trio.engines.voice import MAX_CHARS
from voice_trio.workers.process import Child

pytestmark = pytest.mark.real

SENTENCES = (
    "The weather in London is mild today, and dry.",
    "It opens at nine and closes at half past five.",
    "There are three ways to do this, and each has a price.",
    "What would you like to hear next?",
    "No, I am afraid that is not possible.",
    "The train leaves in twelve minutes from platform four.",
    "First boil the water, then add the rice, and wait!",
    "Sure.",
)


@asynccontextmanager
async def open_one():
    with trio.fail_after(60):
        async with open_hibari(Settings(tts_workers=1)) as voice:
            yield voice


@pytest.fixture
async def voice():
    async with open_one() as opened:
        yield opened


def samples(speech):
    return np.frombuffer(speech.pcm, "<i2").astype(np.float64) / 32768


def loudness(wave, rate):
    """RMS in dB of full scale, of the frames of 20 ms that are no pause: at most 10 dB under the mean of all sound."""
    frames = wave[: len(wave) // (rate // 50) * (rate // 50)].reshape(-1, rate // 50)
    power = (frames**2).mean(axis=1)
    power = power[power > 1e-7]
    return 10 * np.log10(power[power > power.mean() / 10].mean())


def onsets(wave, *, pause_ms=30):
    """Where sound begins, in ms: first of all, and behind each pause."""
    step = RATE // 200
    sounding = np.abs(wave[: len(wave) // step * step]).reshape(-1, step).max(axis=1) > 0.01
    (places,) = np.nonzero(sounding)
    begins = [after for before, after in pairwise(places) if (after - before) * 5 > pause_ms]
    return [int(place) * 5 for place in (places[0], *begins)]


async def test_it_says_words_at_the_places_of_the_text(voice):
    text = "The weather in London is mild today, naïve friends, and dry."
    speech = await voice.speak(text, seconds=10)
    assert speech.sample_rate == voice.sample_rate == RATE
    assert [mark.char for mark in speech.marks] == [0, *(at + 1 for at, char in enumerate(text) if char == " ")]
    assert 130 < len(text.split()) / (speech.samples / RATE / 60) < 230
    assert all(before.sample < after.sample for before, after in pairwise(speech.marks))
    assert speech.marks[0].sample >= 0
    assert speech.marks[-1].sample < speech.samples


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dr. Smith's at 10:30 am, isn't he?", ["Dr.", "Smith's", "at", "10:30", "isn't", "he?"]),
        ('It is "well-known" (quite).', ["It", "is", "well-known", "quite"]),
        ("It weighs 5 km or 3/4 of $9.99.", ["It", "weighs", "5", "km", "or", "3/4", "of", "9.99"]),
        ("No. 7 is St. Paul's. He left.", ["No.", "7", "is", "St.", "Paul's", "He", "left"]),
        ("1234567890123456789012 is big", ["1234567890123456789012", "is", "big"]),
        ("  Hello   there\tfriend ", ["Hello", "there", "friend"]),
    ],
)
async def test_what_it_reads_otherwise_than_it_is_written_stands_at_its_word(voice, text, words):
    speech = await voice.speak(text, seconds=10)
    at, expected = 0, []
    for word in words:
        expected.append(text.index(word, at))
        at = expected[-1] + len(word)
    assert [mark.char for mark in speech.marks] == expected


async def test_a_word_behind_a_pause_begins_where_its_mark_says(voice):
    away = []
    for text in SENTENCES:
        speech = await voice.speak(text, seconds=10)
        marks = [mark.sample * 1000 / RATE for mark in speech.marks]
        begun = onsets(samples(speech))
        away.append(marks[0] - begun[0])
        # The word behind a comma.
        for mark, word in zip(speech.marks, marks, strict=True):
            if text[: mark.char].endswith(", "):
                away.append(min((word - onset for onset in begun), key=abs))
    assert len(away) == 13
    assert np.median(np.abs(away)) < 20
    assert max(map(abs, away)) <= 50


async def test_phonemes_are_told_from_the_first_to_the_last(voice):
    speech = await voice.speak("Hello there, friend.", seconds=10)
    assert "".join(phoneme.symbol for phoneme in speech.phonemes) == "həlOðɛɹ,fɹɛnd."
    places = [phoneme.sample for phoneme in speech.phonemes]
    assert places == sorted(places)
    assert {mark.sample for mark in speech.marks} <= set(places)
    assert places[-1] <= speech.samples


async def test_the_same_text_is_the_same_audio_whatever_was_said_between(voice):
    first = await voice.speak(SENTENCES[0], seconds=10)
    await voice.speak(SENTENCES[1], seconds=10)
    assert await voice.speak(SENTENCES[0], seconds=10) == first


async def test_it_is_as_loud_as_the_other_voices_and_no_sample_is_clipped(voice):
    said: dict[str, list[np.ndarray]] = {name: [] for name in voice.voices}
    for name, waves in said.items():
        for text in SENTENCES if name in ("heart", "en-us") else SENTENCES[:2]:
            waves.append(samples(await voice.speak(text, seconds=10, voice=name)))
            assert np.abs(waves[-1]).max() < 1.0 - 1 / 32768
    levels = {name: loudness(np.concatenate(waves), RATE) for name, waves in said.items()}
    assert max(levels.values()) - min(levels.values()) < 2, levels


async def test_seams_and_pauses_inside_a_sentence_are_short_and_ends_are_whole(voice):
    first = samples(await voice.speak("The first part of it, then: the second part", seconds=10))
    second = samples(await voice.speak("goes on here; and it stops.", seconds=10))
    joined = np.concatenate([first, second])
    (sounding,) = np.nonzero(np.abs(joined) > 0.01)
    pauses = np.diff([*sounding, len(joined)]) * 1000 / RATE
    assert max(pauses[:-1]) <= 80
    assert 150 <= pauses[-1] <= 260
    for wave in (first, second):
        assert max(np.abs(wave[:5]).max(), np.abs(wave[-5:]).max()) < 0.001
        assert abs(wave.mean()) < 0.001


async def test_between_sentences_there_is_a_pause(voice):
    wave = samples(await voice.speak("It stops. And it goes on", seconds=10))
    (sounding,) = np.nonzero(np.abs(wave) > 0.01)
    pauses = [pause for pause in np.diff(sounding) * 1000 / RATE if pause > 80]
    assert len(pauses) == 1
    assert 150 <= pauses[0] <= 280


async def test_speed_changes_durations_and_marks(voice):
    slow, usual, fast = [await voice.speak(SENTENCES[0], seconds=10, speed=speed) for speed in (0.5, 1.0, 2.0)]
    assert slow.samples > 1.5 * usual.samples > 2.2 * fast.samples
    for one in (slow, fast):
        assert [mark.char for mark in one.marks] == [mark.char for mark in usual.marks]
    assert slow.marks[5].sample > 1.5 * usual.marks[5].sample > 2 * fast.marks[5].sample


ODD = [
    "nul\0in the middle",
    "<speak><break time='9s'/>hello</speak>",
    "a < b & c > d",
    "[[h@l'oU]] {x} $y `z` [a](/b/)",
    "\u202eright to left\u200b \ue000 \U000e0041",
    "half a pair \ud83d here",
    "z̸̧a̷l̴g̵o" * 20,
    "½ ¾ ² Ⅷ ٣٤٥ 1/0 99/99/9999 25:61 1e309",
    "9" * 100,
    "1,2,3.4.5" * 10,
    "A.B.C." * 20,
    "antidisestablishment" * 10,
    "word " * 40,
    "-1" * 40,
    "x^2=3<4>5~6|7\\8_9#a" * 5,
]
SILENT = ["😀👩‍👩‍👧" * 30, "ひらがな 한국어 العربية", "$" * 100]


async def test_odd_text_is_spoken_by_a_worker_that_lives_on(voice):
    pids = voice._neural._pool.pids
    for text in ODD:
        speech = await voice.speak(text, seconds=30)
        assert speech.samples > 1000, text
        chars = [mark.char for mark in speech.marks]
        assert chars == sorted(set(chars)), text
        assert all(0 <= char < len(text) for char in chars), text
        assert all(0 <= mark.sample < speech.samples for mark in speech.marks), text
    for text in SILENT:
        assert (await voice.speak(text, seconds=30)).pcm == b"", text
    assert voice._neural._pool.pids == pids


async def test_what_is_long_takes_no_more_memory_than_what_is_short(voice):
    (pid,) = voice._neural._pool.pids

    async def most():
        status = await trio.Path(f"/proc/{pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    await voice.speak(SENTENCES[0] * 3, seconds=30)
    short = await most()
    await voice.speak(("word, " * 200)[:MAX_CHARS], seconds=60)
    assert await most() < short + 30
    assert await most() < 180


async def test_what_cannot_be_said_is_empty_and_what_is_too_long_is_refused(voice):
    assert (await voice.speak(" ...", seconds=5)).pcm == b""
    for text, name in (("a" * (MAX_CHARS + 1), None), ("hello", "nobody")):
        with pytest.raises(EngineError) as caught:
            await voice.speak(text, seconds=5, voice=name)
        assert caught.value.code is ErrorCode.TTS_FAIL


async def test_voices_of_espeak_speak_at_its_rate_with_marks(voice):
    assert voice.voices[:2] == ("heart", "en-us")
    speech = await voice.speak("Guten Tag, liebe Leute.", seconds=10, voice="de")
    assert speech.sample_rate == RATE
    assert [mark.char for mark in speech.marks] == [0, 6, 11, 17]
    assert 1 < speech.samples / RATE < 3
    assert speech.marks[-1].sample < speech.samples


@pytest.mark.parametrize(("language", "speaks"), [("", True), ("en", True), ("de", False)])
def test_it_is_for_english(language, speaks):
    assert (missing(Settings(language=language)) is None) is speaks


@pytest.fixture
def stopped_unnoticed(monkeypatch):
    """A worker is stopped just after it was looked at."""
    monkeypatch.setattr(Child, "stopped", lambda self: False)


@pytest.mark.usefixtures("stopped_unnoticed")
async def test_a_phrase_that_overruns_fails_and_the_next_is_spoken(voice):
    (pid,) = voice._neural._pool.pids
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EngineError) as caught:
        await voice.speak("Hello there.", seconds=0.2)
    assert caught.value.code is ErrorCode.TTS_FAIL
    assert (await voice.speak("Hello there.", seconds=20)).samples > 0
    assert pid not in voice._neural._pool.pids


async def test_its_workers_can_be_killed_and_others_come(voice):
    pids = voice._neural._pool.pids + voice._other._pool.pids
    voice.kill_workers()
    for name in ("heart", "en-gb"):
        # A phrase that meets its worker's end fails, as any that a crash takes along.
        with suppress(EngineError):
            await voice.speak("Hello there.", seconds=20, voice=name)
        assert (await voice.speak("Hello there.", seconds=20, voice=name)).samples > 0
    assert not set(pids) & {*voice._neural._pool.pids, *voice._other._pool.pids}
