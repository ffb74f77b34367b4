"""The real voice, in real processes."""

import array
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import espeakng_loader
import pytest
import trio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError
from voice_trio.engines.espeak.child import RATE, Said, ends_sentence, trim, word_starts
from voice_trio.engines.voice import MAX_CHARS, clean, has_sound, open_voice
from voice_trio.workers.process import Child

AUDIBLE = 300
"""About 40 dB under full scale."""


@asynccontextmanager
async def open_one(workers=1):
    with trio.fail_after(10):
        async with open_voice(Settings(tts_workers=workers)) as voice:
            yield voice


def silences_ms(pcm):
    """The lengths of all runs under `AUDIBLE`, head and tail included."""
    runs, run = [], 0
    for sample in array.array("h", pcm):
        if abs(sample) > AUDIBLE:
            runs.append(run)
            run = 0
        else:
            run += 1
    return [run * 1000 / RATE for run in (*runs, run)]


def tone(ms):
    return array.array("h", [1000] * (RATE * ms // 1000)).tobytes()


def zeros(ms):
    return bytes(RATE * ms // 1000 * 2)


# --- pure ---


def test_trim_keeps_every_sound_and_moves_the_words():
    parts = [zeros(100), tone(60), zeros(160), tone(60), zeros(300), tone(60), zeros(300)]
    second, third = (len(b"".join(parts[:count])) // 2 for count in (3, 5))
    said = Said(b"".join(parts), [(0, 0), (second, 5), (third, 10)], [0, third])
    pcm, words = trim(said, sentence_end=False)
    kept = [zeros(10), tone(60), zeros(65), tone(60), zeros(200), tone(60), zeros(30)]
    assert pcm == b"".join(kept)
    assert words == [(0, 0)] + [(len(b"".join(kept[:count])) // 2, place) for count, place in ((3, 5), (5, 10))]


def test_trim_gives_a_sentence_its_pause():
    pcm, _ = trim(Said(tone(50) + zeros(20), [], []), sentence_end=True)
    assert pcm == tone(50) + zeros(200)


def test_trim_of_silence_is_nothing():
    assert trim(Said(zeros(100), [(0, 0)], []), sentence_end=True) == (b"", [])
    assert trim(Said(b"", [], []), sentence_end=False) == (b"", [])


def test_trim_minds_samples_with_a_zero_byte():
    edge = array.array("h", [0x100, 0x005]).tobytes()
    pcm, _ = trim(Said(edge + zeros(300) + edge, [], []), sentence_end=False)
    assert pcm == edge + zeros(65) + edge + zeros(30)


@pytest.mark.parametrize(
    ("text", "ends"), [("Yes.", True), ('"Really?" ', True), ("(Oh!)", True), ("well,", False), ("", False)]
)
def test_where_a_sentence_ends(text, ends):
    assert ends_sentence(text) is ends


def test_words_start_once_and_rise():
    events = [(0, 0), (100, 3), (150, 4), (180, 4), (200, 8), (200, 10)]
    assert word_starts(events, "in 2024 a b") == [(0, 0), (100, 3), (200, 8), (201, 10)]


@pytest.mark.parametrize(("place", "text"), [(1, "ab"), (2, "a  b"), (9, "a b")])
def test_what_is_inside_a_word_or_outside_the_text_starts_none(place, text):
    assert word_starts([(0, place)], text) == []


@pytest.mark.parametrize("text", ["", "  \n", "...", "?!", "--- \0", "\u0301"])
def test_what_cannot_be_said(text):
    assert not has_sound(text)


@pytest.mark.parametrize("text", ["a", "3", "%", "😀", "日"])
def test_what_can_be_said(text):
    assert has_sound(text)


def test_cleaning_keeps_every_place():
    assert clean("a\0b\n\ud800c\x85") == "a b  c "


# --- real ---


@pytest.mark.real
async def test_it_speaks_at_its_rate_with_words_in_their_places():
    text = "The weather in London is mild today, naïve friends, and dry."
    async with open_one() as voice:
        assert voice.voices[:2] == ("en-us", "en-gb")
        assert voice.ready
        speech = await voice.speak(text, seconds=5)
    assert speech.sample_rate == voice.sample_rate == 22_050
    minutes = speech.samples / speech.sample_rate / 60
    assert 130 < len(text.split()) / minutes < 220
    starts = [0, *(at + 1 for at, char in enumerate(text) if char == " ")]
    assert [mark.char for mark in speech.marks] == starts
    samples = [mark.sample for mark in speech.marks]
    assert samples == sorted(set(samples))
    assert samples[0] >= 0
    assert samples[-1] < speech.samples


@pytest.mark.real
async def test_a_word_begins_where_its_mark_says():
    text = "one, two, three, four"
    async with open_one() as voice:
        speech = await voice.speak(text, seconds=5)
    assert [mark.char for mark in speech.marks] == [0, 5, 10, 17]
    for mark in speech.marks[1:]:
        before = speech.pcm[2 * (mark.sample - RATE // 20) : 2 * mark.sample]
        after = speech.pcm[2 * mark.sample : 2 * (mark.sample + RATE // 10)]
        assert not any(before)
        assert max(map(abs, array.array("h", after))) > AUDIBLE


@pytest.mark.real
async def test_seams_and_pauses_inside_a_sentence_are_short_and_ends_are_whole():
    async with open_one() as voice:
        first = await voice.speak("The first part of it, then: the second part", seconds=5)
        second = await voice.speak("goes on here; and it stops.", seconds=5)
    joined = silences_ms(first.pcm + second.pcm)
    assert max(joined[:-1]) < 80
    assert 150 <= joined[-1] <= 250
    for speech in (first, second):
        samples = array.array("h", speech.pcm)
        # A sound that was cut would begin or end at once.
        assert abs(samples[0]) < 50
        assert abs(samples[-1]) < 50
        assert max(map(abs, samples)) < 32_767


@pytest.mark.real
async def test_between_sentences_of_one_phrase_there_is_a_pause():
    async with open_one() as voice:
        speech = await voice.speak("It stops. And it goes on", seconds=5)
    pauses = [ms for ms in silences_ms(speech.pcm) if ms > 80]
    assert len(pauses) == 1
    assert 150 <= pauses[0] <= 260


@pytest.mark.real
async def test_speed_and_voices_change_how_it_sounds():
    text = "One two three four five six seven."
    async with open_one() as voice:
        lengths = [(await voice.speak(text, seconds=5, speed=speed)).samples for speed in (0.7, 1.0, 2.0)]
        assert lengths[0] > 1.2 * lengths[1] > 1.7 * lengths[2]
        other = {name: (await voice.speak(text, seconds=5, voice=name)).samples for name in voice.voices}
        assert len(set(other.values())) == len(other)
        # Nothing of the last request is left in the next; no two renderings are the same to the sample.
        again = await voice.speak(text, seconds=5)
        assert again.samples == pytest.approx(lengths[1], rel=0.02)
        assert other["en-us"] == pytest.approx(lengths[1], rel=0.02)
        with pytest.raises(EngineError) as caught:
            await voice.speak(text, seconds=5, voice="nobody")
        assert caught.value.code is ErrorCode.TTS_FAIL


ODD = [
    "nul\0in the middle",
    "<speak><break time='9s'/>hello</speak>",
    "a < b & c > d",
    "[[h@l'oU]] {x} $y `z`",
    "\u202eright to left\u200b \ue000 \U000e0041",
    "ひらがな 한국어 العربية",
    "half a pair \ud83d here",
    "z̸̧a̷l̴g̵o" * 20,
    "😀👩‍👩‍👧" * 30,
    "a" * MAX_CHARS,
    "word " * (MAX_CHARS // 5),
]


@pytest.mark.real
async def test_odd_text_is_spoken_by_a_worker_that_lives_on():
    async with open_one() as voice:
        pids = voice._pool.pids
        for text in ODD:
            speech = await voice.speak(text, seconds=5)
            assert speech.samples > 1000, text
            chars = [mark.char for mark in speech.marks]
            assert chars == sorted(set(chars))
            assert all(0 <= char < len(text) for char in chars)
            assert all(0 <= mark.sample < speech.samples for mark in speech.marks)
        assert voice._pool.pids == pids


@pytest.mark.real
async def test_what_cannot_be_said_is_empty_and_what_is_too_long_is_refused():
    async with open_one() as voice:
        assert (await voice.speak(" ...", seconds=5)).pcm == b""
        with pytest.raises(EngineError) as caught:
            await voice.speak("a" * (MAX_CHARS + 1), seconds=5)
        assert caught.value.code is ErrorCode.TTS_FAIL


@pytest.mark.real
async def test_the_bundled_library_is_the_one_in_use():
    async with open_one() as voice:
        await voice.speak("Hello.", seconds=5)
        (pid,) = voice._pool.pids
        maps = await trio.Path(f"/proc/{pid}/maps").read_text()
    used = {line.split()[-1] for line in maps.splitlines() if "espeak" in line}
    assert used
    assert all(Path(path).is_relative_to(Path(espeakng_loader.__file__).parent) for path in used)


@pytest.fixture
def stopped_unnoticed(monkeypatch):
    """A worker is stopped just after it was looked at."""
    monkeypatch.setattr(Child, "stopped", lambda self: False)


@pytest.mark.real
@pytest.mark.usefixtures("stopped_unnoticed")
async def test_a_phrase_that_overruns_fails_and_the_next_is_spoken():
    async with open_one() as voice:
        (pid,) = voice._pool.pids
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(EngineError) as caught:
            await voice.speak("Hello there.", seconds=0.2)
        assert caught.value.code is ErrorCode.TTS_FAIL
        assert (await voice.speak("Hello there.", seconds=5)).samples > 0
        assert pid not in voice._pool.pids


@pytest.mark.real
@pytest.mark.usefixtures("stopped_unnoticed")
async def test_a_crash_in_a_phrase_fails_it_and_the_next_is_spoken():
    async with open_one() as voice:
        (pid,) = voice._pool.pids
        os.kill(pid, signal.SIGSTOP)

        async def speak_into_the_crash():
            with pytest.raises(EngineError) as caught:
                await voice.speak("Hello there.", seconds=5)
            assert caught.value.code is ErrorCode.TTS_FAIL

        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak_into_the_crash)
            await trio.testing.wait_all_tasks_blocked(0.05)
            os.kill(pid, signal.SIGKILL)
        assert (await voice.speak("Hello there.", seconds=5)).samples > 0
