"""The embedded recognizer, in real processes, on the recorded clips."""

import json
import os
import signal
import wave
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import trio

from tools.latency import word_errors
from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Transcript
from voice_trio.engines.pocketsphinx.child import frames_with_sound, mean_of
from voice_trio.engines.pocketsphinx.recognizer import open_pocketsphinx

CLIPS = Path(__file__).parents[1] / "clips"
WORDS = {name: clip["words"] for name, clip in json.loads((CLIPS / "clips.json").read_text()).items()}
PREROLL, AFTER = bytes(9_600), bytes(22_400)
"""300 and 700 ms of digital silence, as the endpointer leaves around speech."""


def clip(name):
    with wave.open(str(CLIPS / f"{name}.wav")) as file:
        return file.readframes(file.getnframes())


def words(text):
    return "".join(char for char in text.lower() if char.isalpha() or char in "' ").split()


@asynccontextmanager
async def open_ears(workers=1):
    with trio.fail_after(120):
        async with open_pocketsphinx(Settings(asr_workers=workers)) as recognizer:
            yield recognizer


async def listen(utterance, pcm, piece=9_600):
    for at in range(0, len(pcm), piece):
        utterance.feed(pcm[at : at + piece])
        await trio.lowlevel.checkpoint()


async def transcribe(recognizer, pcm):
    async with recognizer.open(None) as utterance:
        await listen(utterance, pcm)
        return (await utterance.settle(len(pcm) // 2)).text


async def word_error_rate(transform, names=tuple(WORDS)):
    wrong = []

    async def judge(recognizer, name):
        heard = await transcribe(recognizer, transform(clip(name)))
        wrong.append(word_errors(words(WORDS[name]), words(heard)))

    async with open_ears(2) as recognizer, trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(judge, recognizer, name)
    return sum(wrong) / sum(len(words(WORDS[name])) for name in names)


def test_frames_of_digital_silence_are_not_counted():
    assert frames_with_sound(bytes(32_000)) == 0
    assert frames_with_sound(b"\1\0" * 16_000) == 98


def test_the_mean_of_what_was_heard_is_worked_out_of_the_running_mean():
    assert mean_of([45.0, 2.0], [40.0, 3.0], 100) == pytest.approx([70.0, -3.0])


@pytest.mark.real
async def test_the_clips_are_understood():
    assert await word_error_rate(lambda pcm: PREROLL + pcm + AFTER) <= 0.05


@pytest.mark.real
async def test_a_quiet_voice_in_a_quiet_room_is_understood():
    rng = np.random.default_rng(1)

    def quiet(pcm):
        speech = np.frombuffer(PREROLL + pcm + AFTER, "<i2") * 0.1
        return (speech + rng.normal(0, 1, len(speech))).astype("<i2").tobytes()

    assert await word_error_rate(quiet, ("question",)) <= 0.1


@pytest.mark.real
async def test_settling_repeats_takes_prefixes_and_goes_on_afterwards():
    pcm = PREROLL + clip("question")
    half = len(pcm) // 4
    async with open_ears() as recognizer:
        async with recognizer.open("en") as utterance:
            assert await utterance.settle(0) == Transcript("", "en")
            assert await utterance.hypothesize() == ("", 0)
            await listen(utterance, pcm[: half * 2])
            early = await utterance.settle(half)
            await listen(utterance, pcm[half * 2 :])
            whole = await utterance.settle(len(pcm) // 2)
            assert words(whole.text) == words(WORDS["question"])
            assert await utterance.settle(len(pcm) // 2) == whole
            # More than was fed is all that was fed.
            assert await utterance.settle(len(pcm)) == whole
            assert await utterance.hypothesize() == (whole.text, len(pcm) // 2)
            assert await utterance.settle(half) == early
            utterance.feed(AFTER)
            hypothesis = await utterance.hypothesize()
            assert hypothesis.through_sample == (len(pcm) + len(AFTER)) // 2
            assert utterance.compute_s > 0
        async with recognizer.open("de") as utterance:
            await listen(utterance, pcm[: half * 2], 1_920)
            assert await utterance.settle(half) == early


@pytest.mark.real
async def test_hypotheses_follow_the_speaker():
    pcm = clip("music")
    async with open_ears() as recognizer, recognizer.open(None) as utterance:
        texts = []
        for at in range(0, len(pcm), 16_000):
            utterance.feed(pcm[at : at + 16_000])
            hypothesis = await utterance.hypothesize()
            assert hypothesis.through_sample == min(at + 16_000, len(pcm)) // 2
            texts.append(hypothesis.text)
    assert texts[2].startswith("play some")
    assert len(texts[-1]) > len(texts[2])


@pytest.mark.real
async def test_one_utterance_leaves_nothing_to_the_next():
    loud = clip("story")[:64_000]
    quiet = (np.frombuffer(clip("lights")[:64_000], "<i2") * 0.05).astype("<i2").tobytes()
    async with open_ears() as recognizer:
        first = await transcribe(recognizer, quiet)
        await transcribe(recognizer, loud)
        assert await transcribe(recognizer, quiet) == first


@pytest.mark.real
async def test_a_cancelled_utterance_frees_its_worker_for_the_next():
    pcm = clip("travel")
    async with open_ears() as recognizer:
        pids = recognizer._pool.pids
        with trio.move_on_after(0.1) as scope:
            async with recognizer.open(None) as utterance:
                utterance.feed(clip("story"))
                await utterance.settle(len(clip("story")) // 2)
        assert scope.cancelled_caught
        assert words(await transcribe(recognizer, pcm)) == words(WORDS["travel"])
        assert recognizer._pool.pids == pids


@pytest.mark.real
async def test_a_cancelled_question_disturbs_nothing():
    pcm = clip("question")
    async with open_ears() as recognizer, recognizer.open(None) as utterance:
        utterance.feed(pcm)
        for _ in range(3):
            with trio.move_on_after(0.01):
                await utterance.hypothesize()
            with trio.move_on_after(0.01):
                await utterance.settle(20_000)
        assert words((await utterance.settle(len(pcm) // 2)).text) == words(WORDS["question"])


@pytest.mark.real
async def test_utterances_wait_for_a_worker_while_they_listen():
    async with open_ears() as recognizer, recognizer.open(None) as first:
        async with trio.open_nursery() as nursery:
            results = {}

            async def second():
                results["second"] = await transcribe(recognizer, clip("lights"))

            await listen(first, clip("travel"))
            nursery.start_soon(second)
            results["first"] = (await first.settle(len(clip("travel")) // 2)).text
            assert "second" not in results
            nursery.cancel_scope.cancel()
        assert words(results["first"]) == words(WORDS["travel"])
    assert "second" not in results


@pytest.mark.real
async def test_who_has_finished_is_understood_beside_people_who_hold_and_say_nothing():
    pcm = clip("lights")
    async with open_ears() as recognizer, recognizer.open(None) as first, recognizer.open(None) as second:
        await listen(first, clip("travel")[:48_000])
        await listen(second, clip("travel"))
        assert await first.hypothesize()
        assert words(await transcribe(recognizer, pcm)) == words(WORDS["lights"])
        # And they are, when they go on.
        assert words((await second.settle(len(clip("travel")) // 2)).text) == words(WORDS["travel"])


@pytest.mark.real
async def test_a_lost_worker_costs_no_words_and_two_fail_the_utterance():
    pcm = clip("question")[:64_000]
    async with open_ears() as recognizer:
        expected = await transcribe(recognizer, pcm)
        async with recognizer.open(None) as utterance:
            await listen(utterance, pcm)
            await utterance.hypothesize()
            os.kill(recognizer._pool.pids[0], signal.SIGKILL)
            assert (await utterance.settle(len(pcm) // 2)).text == expected != ""
            os.kill(recognizer._pool.pids[0], signal.SIGKILL)
            with pytest.raises(EngineError) as caught:
                await utterance.settle(20_000)
            assert caught.value.code is ErrorCode.ASR_FAIL
            with pytest.raises(EngineError):
                await utterance.hypothesize()
        assert await transcribe(recognizer, pcm) == expected
