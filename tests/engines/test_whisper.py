"""An utterance's course is tested on a decoder that can be held still; that all of it fits the real library, on a model
of random weights.
"""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tools import make_shape_model
from tools.make_shape_model import MEANINGLESS, Shape, make
from voice_trio.config import Settings, load
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.core.tail_window import TimedWord
from voice_trio.engines.base import EngineError, Hypothesis, Recognizer, Transcript
from voice_trio.engines.decoding.scheduler import Rank, open_scheduler
from voice_trio.engines.whisper.context import Context
from voice_trio.engines.whisper.decode import Decoded
from voice_trio.engines.whisper.loading import Loaded, load as load_whisper
from voice_trio.engines.whisper.names import ModelError
from voice_trio.engines.whisper.plug import open_whisper
from voice_trio.engines.whisper.recognizer import PARTIALS_AT_ONCE, WhisperRecognizer
from voice_trio.engines.whisper.utterance import WhisperUtterance

pytestmark = pytest.mark.real

S = SAMPLE_RATE
SMALL = Shape(width=64, heads=2, layers=1, text_tokens=600, tokens=8)
SPEECH = (np.sin(np.arange(3 * S) / 9) * 9000).astype("<i2").tobytes()
NOTHING_KNOWN = Transcript("", None)


class StillDecoder:
    """Says how many samples it got, when it is let."""

    languages = ("en", "de")

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.asked: list[SimpleNamespace] = []
        self.running = 0
        self.most_running = 0
        self.language_probability = 0.5
        self.error: Exception | None = None
        self.text: str | None = None
        self.words: list[TimedWord] | None = None
        self.batches: list[int] = []
        self.tripped = False
        self.again: list[bool] = []

    def decode_batch(self, asked) -> list[Decoded]:
        self.batches.append(len(asked))
        self.again += [one.again for one in asked]
        return [
            self.decode(
                one.audio,
                language=one.language,
                least_s=one.least_s,
                context=one.context,
                timed=one.timed,
                likely=one.likely,
            )
            for one in asked
        ]

    def decode(self, audio, *, language, least_s, context="", timed=lambda words: False, likely=None) -> Decoded:
        half = len(audio) // 2
        words = self.words or [TimedWord(f" {len(audio)}", 0, half), TimedWord(" samples.", half, len(audio))]
        self.asked.append(
            SimpleNamespace(
                audio=audio, language=language, least_s=least_s, context=context, timed=timed(words), likely=likely
            )
        )
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        self.go.wait(5)
        self.running -= 1
        if self.error is not None:
            raise self.error
        return Decoded(
            text=f"{len(audio)} samples." if self.text is None else self.text,
            language=language or "de",
            language_probability=self.language_probability,
            words=tuple(words),
            padded=least_s == 30,
            compute_s=1.0,
            tripped=self.tripped,
        )

    @property
    def lengths(self) -> list[int]:
        return [len(asked.audio) for asked in self.asked]


@pytest.fixture
def decoder() -> Iterator[StillDecoder]:
    still = StillDecoder()
    yield still
    still.go.set()


@asynccontextmanager
async def recognizer(decoder: StillDecoder, *, workers: int = 1, context: str = "short", window_s: int = 12):
    settings = load(asr_context=context, asr_window_s=window_s)
    with trio.fail_after(60):
        async with open_scheduler(workers, close_s=5) as scheduler:
            loaded = Loaded("still", Path("nowhere"), decoder)  # type: ignore[arg-type]
            yield WhisperRecognizer(loaded, scheduler, settings)


async def test_a_hypothesis_is_of_all_that_was_fed_and_a_transcript_of_exactly_its_prefix(decoder):
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH[:32000])
        assert await utterance.hypothesize() == Hypothesis("16000 samples.", 16000)
        utterance.feed(SPEECH[32000:])
        assert await utterance.hypothesize() == Hypothesis("48000 samples.", 48000)
        assert (await utterance.settle(20000)).text == "20000 samples."
    expected = np.frombuffer(SPEECH, "<i2") / np.float32(32768)
    for asked in decoder.asked:
        assert asked.audio.dtype == np.float32
        assert np.array_equal(asked.audio, expected[: len(asked.audio)])
    assert utterance.compute_s == 3.0


async def test_places_are_asked_for_where_a_window_would_be_cut(decoder):
    stop, go = TimedWord(" Stop.", 0, S), TimedWord(" Go", S, 2 * S)
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        for words in ([stop, go], [stop], [go], [stop], [stop, go]):
            decoder.words = words
            utterance.feed(SPEECH[: 4 * S])
            await utterance.hypothesize()
    # Not while it is short, nor where nothing is agreed on, unless it may have to make room.
    assert [asked.timed for asked in decoder.asked] == [False, True, False, True, True]
    assert decoder.lengths == [2 * S, 4 * S, 5 * S, 7 * S, 9 * S]


async def test_partials_of_several_sessions_are_decoded_together(decoder):
    decoder.go.clear()
    async with recognizer(decoder) as ears, AsyncExitStack() as stack, trio.open_nursery() as nursery:
        heard = {}

        async def hypothesize(at: int) -> None:
            utterance = await stack.enter_async_context(ears.open("en"))
            utterance.feed(SPEECH[: 2 * (at + 1)])
            heard[at] = (await utterance.hypothesize()).text

        for at in range(4):
            nursery.start_soon(hypothesize, at)
            await wait_all_tasks_blocked()
        decoder.go.set()
    assert heard == {at: f"{at + 1} samples." for at in range(4)}
    assert decoder.batches == [1, 2, 1]
    assert PARTIALS_AT_ONCE == 2


async def test_a_final_is_decoded_once_and_without_most_of_the_silence_behind_it(decoder):
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        for _ in range(2):
            assert (await utterance.settle(3 * S, S)).text == "19200 samples."
        assert utterance.compute_s == 1.0
        assert (await utterance.settle(99000)).text == "48000 samples."
        assert (await utterance.settle(3 * S, 3 * S)).text == "48000 samples."
    assert decoder.lengths == [19200, 48000]


async def test_no_audio_has_no_words_and_costs_nothing(decoder):
    async with recognizer(decoder) as ears, ears.open(None) as utterance:
        assert await utterance.hypothesize() == Hypothesis("", 0)
        assert await utterance.settle(0) == NOTHING_KNOWN
        assert await utterance.settle(500) == NOTHING_KNOWN
        utterance.feed(SPEECH)
        assert await utterance.settle(0) == NOTHING_KNOWN
    assert decoder.asked == []


# --- the final before the end ---------------------------------------------------------------------------------------


async def pause(utterance: WhisperUtterance, taken_back: trio.CancelScope) -> None:
    with taken_back:
        await utterance.anticipate(S)


async def test_a_final_that_was_begun_in_the_pause_is_the_final(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance, trio.open_nursery() as nursery:
        utterance.feed(SPEECH[: 2 * int(1.2 * S)])
        decoder.go.clear()
        nursery.start_soon(utterance.anticipate, S)
        await wait_all_tasks_blocked()
        utterance.feed(SPEECH[2 * int(1.2 * S) :])
        answers = []

        async def settle() -> None:
            answers.append(await utterance.settle(3 * S, S))

        nursery.start_soon(settle)
        await wait_all_tasks_blocked()
        decoder.go.set()
    assert answers[0].text == "19200 samples."
    assert decoder.lengths == [19200]


async def test_a_pause_tells_what_the_final_would_be_unless_somebody_waits_for_theirs(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance, ears.open("en") as other:
        utterance.feed(SPEECH)
        assert (await utterance.anticipate(S)) == await utterance.settle(2 * S, S)
        answers = []

        async def in_a_pause() -> None:
            answers.append(await utterance.anticipate(2 * S))

        async with trio.open_nursery() as nursery:
            utterance.feed(SPEECH)
            decoder.go.clear()
            nursery.start_soon(in_a_pause)
            await wait_all_tasks_blocked()
            assert not ears.is_awaited
            # One takes the other worker; of the rest most still wait when the first answer is there.
            other.feed(SPEECH)
            finals = [ears.submit_final(lambda: other.final_job(S, lambda: True), Rank.FINAL) for _ in range(7)]
            await wait_all_tasks_blocked()
            assert ears.is_awaited
            decoder.go.set()
            for final in finals:
                await ears.answer(final)
    assert answers == [None]
    assert not ears.is_awaited


async def test_no_partial_is_decoded_beside_its_early_final(decoder):
    async with recognizer(decoder, workers=3) as ears, ears.open("en") as utterance, trio.open_nursery() as nursery:
        utterance.feed(SPEECH)
        decoder.go.clear()
        early = trio.CancelScope()

        nursery.start_soon(pause, utterance, early)
        await wait_all_tasks_blocked()
        nursery.start_soon(utterance.hypothesize)
        await wait_all_tasks_blocked()
        assert ears._scheduler.running == 1
        utterance.feed(SPEECH)
        # The pause was none.
        early.cancel()
        await wait_all_tasks_blocked()
        assert ears._scheduler.running == 2
        decoder.go.set()
    assert sorted(decoder.lengths) == [19200, 6 * S]


async def test_a_partial_does_not_wait_for_an_early_final_that_cannot_begin(decoder):
    async with recognizer(decoder, workers=1) as ears, ears.open("en") as utterance, trio.open_nursery() as nursery:
        utterance.feed(SPEECH)
        nursery.start_soon(utterance.anticipate, S)
        await wait_all_tasks_blocked()
        assert (await utterance.hypothesize()).text == "48000 samples."
        # It has heard everything.
        assert (await utterance.settle(3 * S, 3 * S)).text == "48000 samples."
        nursery.cancel_scope.cancel()
    assert decoder.lengths == [48000]


async def test_partials_with_a_context_are_not_decoded_together_with_those_without(decoder):
    decoder.words = [TimedWord(" Stop.", 0, S)]
    async with recognizer(decoder) as ears, ears.open("en") as first, ears.open("en") as second:
        for _ in range(2):
            first.feed(SPEECH)
            await first.hypothesize()
        decoder.batches.clear()
        decoder.go.clear()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(second.settle, 7)
            await wait_all_tasks_blocked()
            for utterance in (first, second):
                utterance.feed(SPEECH)
                nursery.start_soon(utterance.hypothesize)
                await wait_all_tasks_blocked()
            decoder.go.set()
    assert decoder.batches == [1, 1]


async def test_a_decode_that_fails_in_a_batch_fails_for_nobody_else(decoder):
    decode, failed = decoder.decode, []

    def decode_one(audio, **asked):
        if len(audio) == 1:
            raise RuntimeError("out of memory")
        return decode(audio, **asked)

    decoder.decode = decode_one
    decoder.go.clear()
    async with recognizer(decoder) as ears, ears.open("en") as first, ears.open("en") as second:
        first.feed(SPEECH[:2])
        second.feed(SPEECH)

        async def fail() -> None:
            with pytest.raises(EngineError):
                await first.hypothesize()
            failed.append(True)

        async with ears.open("en") as other, trio.open_nursery() as nursery:
            other.feed(SPEECH)
            nursery.start_soon(other.settle, 7)
            await wait_all_tasks_blocked()
            nursery.start_soon(fail)
            await wait_all_tasks_blocked()
            decoder.go.set()
            assert (await second.hypothesize()).text == "48000 samples."
    assert failed
    assert decoder.batches[0] == 2


async def test_once_an_early_final_is_there_partials_go_on(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        await utterance.anticipate(S)
        assert (await utterance.hypothesize()).text == "48000 samples."


async def test_more_speech_takes_an_early_final_back(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        decoder.go.clear()
        with trio.move_on_after(0.02):
            await utterance.anticipate(S)
        decoder.go.set()
        assert (await utterance.settle(3 * S, 2 * S)).text == "35200 samples."
    assert decoder.lengths == [19200, 35200]


async def test_a_partial_that_has_heard_everything_is_the_final_if_its_context_was(decoder):
    for context, decodes in [("short", 1), ("padded", 2), ("auto", 2)]:
        decoder.asked.clear()
        async with recognizer(decoder, workers=2, context=context) as ears, ears.open("en") as utterance:
            utterance.feed(SPEECH)
            drafted = await utterance.hypothesize()
            await utterance.anticipate(3 * S)
            utterance.feed(SPEECH[: 2 * int(0.7 * S)])
            settled = await utterance.settle(int(3.7 * S), 3 * S)
        assert len(decoder.asked) == decodes
        assert settled.text == drafted.text
        least = [asked.least_s for asked in decoder.asked]
        assert least == {"short": [0], "padded": [10, 30], "auto": [10, 30]}[context]


async def test_a_partial_that_speech_went_on_after_is_not_the_final(decoder):
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        await utterance.hypothesize()
        utterance.feed(SPEECH)
        assert (await utterance.settle(6 * S, 4 * S)).text == f"{int(4.2 * S)} samples."


async def test_a_pause_that_is_taken_back_late_leaves_the_final_alone(decoder):
    """Speech, its end and the final may come in one breath, before whoever waits for the early one is told."""
    async with recognizer(decoder) as ears, trio.open_nursery() as nursery, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        early = trio.CancelScope()

        nursery.start_soon(pause, utterance, early)
        await wait_all_tasks_blocked()
        decoder.go.clear()
        async with ears.open("en") as other:
            other.feed(SPEECH)
            nursery.start_soon(other.settle, 7)
            await wait_all_tasks_blocked()
            with trio.move_on_after(0.02):
                async with trio.open_nursery() as turn:
                    turn.start_soon(utterance.settle, 3 * S, 2 * S)
                    await wait_all_tasks_blocked()
                    early.cancel()
            await wait_all_tasks_blocked()
            utterance.close()
            decoder.go.set()
            await wait_all_tasks_blocked()
    assert decoder.lengths == [7]


async def test_a_pause_that_is_taken_back_late_does_not_take_the_final_with_it(decoder):
    async with recognizer(decoder) as ears, ears.open("en") as utterance, trio.open_nursery() as nursery:
        utterance.feed(SPEECH)
        decoder.go.clear()
        early, answers = trio.CancelScope(), []

        async def settle() -> None:
            answers.append(await utterance.settle(3 * S, S))

        async with ears.open("en") as other:
            other.feed(SPEECH)
            nursery.start_soon(other.settle, 7)
            nursery.start_soon(pause, utterance, early)
            await wait_all_tasks_blocked()
            nursery.start_soon(settle)
            await wait_all_tasks_blocked()
            early.cancel()
            await wait_all_tasks_blocked()
            decoder.go.set()
    assert [answer.text for answer in answers] == ["19200 samples."]
    assert decoder.lengths == [7, 19200]


async def test_a_partial_in_less_context_than_was_found_to_be_needed_since_is_not_the_final(decoder):
    async with recognizer(decoder, context="auto") as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        await utterance.hypothesize()
        ears.context = Context(15, 15)
        await utterance.settle(3 * S)
    assert [asked.least_s for asked in decoder.asked] == [10, 15]


@pytest.mark.parametrize(("context", "grown"), [("auto", Context(15, 30)), ("short", Context(0, 0))])
async def test_where_too_many_trip_all_that_follows_has_more_context(decoder, context, grown):
    decoder.tripped = True
    async with recognizer(decoder, context=context) as ears:
        ears.context = Context(10, 15) if context == "auto" else ears.context
        for _ in range(3):
            before = ears.context
            async with ears.open("en") as utterance:
                utterance.feed(SPEECH)
                await utterance.settle(3 * S)
                # Asked again, it is the same decode.
                await utterance.settle(3 * S)
        assert before == (Context(10, 15) if context == "auto" else grown)
        assert ears.context == grown


async def test_a_partial_is_decoded_once_whatever_comes_of_it(decoder):
    decoder.tripped = True
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        await utterance.hypothesize()
    assert decoder.again == [False]


async def test_an_early_final_costs_what_it_costs_though_it_was_for_nothing(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        await utterance.anticipate(S)
        await utterance.settle(3 * S, 2 * S)
        assert utterance.compute_s == 2.0


async def test_a_final_that_failed_is_begun_anew(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        decoder.error = RuntimeError("out of memory")
        for ask in (utterance.anticipate, utterance.settle):
            with pytest.raises(EngineError):
                await ask(S)
        decoder.error = None
        assert (await utterance.settle(S)).text == "16000 samples."


async def test_a_client_that_sends_nothing_more_costs_nothing_more(decoder):
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        first = await utterance.hypothesize()
        assert await utterance.hypothesize() == first
        assert decoder.lengths == [3 * S]
        utterance.feed(SPEECH[:2])
        assert (await utterance.hypothesize()).through_sample == 3 * S + 1


# --- long utterances ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window_s", [5, 12])
async def test_a_partial_never_decodes_more_than_the_window_and_a_final_everything_in_pieces(decoder, window_s):
    async with recognizer(decoder, window_s=window_s) as ears, ears.open("en") as utterance:
        for _ in range(70):
            utterance.feed(SPEECH[: 2 * S])
            await utterance.hypothesize()
        assert max(decoder.lengths) == window_s * S
        assert decoder.asked[-1].context
        decoder.asked.clear()
        final = await utterance.settle(70 * S, 70 * S)
    assert sum(decoder.lengths) == 70 * S
    assert max(decoder.lengths) <= 30 * S
    assert final.text.split() == " ".join(f"{length} samples." for length in decoder.lengths).split()
    assert decoder.asked[1].context == f"{decoder.lengths[0]} samples."


async def test_what_is_the_same_in_every_final_of_a_long_utterance_is_decoded_once(decoder):
    async with recognizer(decoder, workers=2) as ears, ears.open("en") as utterance:
        for _ in range(25):
            utterance.feed(SPEECH)
        await utterance.anticipate(65 * S)
        before = len(decoder.lengths)
        final = await utterance.settle(75 * S, 70 * S)
    assert len(decoder.lengths) == before + 1
    assert sum(decoder.lengths[: before - 1]) + decoder.lengths[-1] == int(70.2 * S)
    assert final.text.split()[0] == str(decoder.lengths[0])
    assert utterance.compute_s == len(decoder.lengths)


async def test_a_long_final_that_nobody_wants_ends_with_its_piece(decoder):
    async with recognizer(decoder, workers=2) as ears:
        decoder.go.clear()
        async with ears.open("en") as utterance:
            for _ in range(25):
                utterance.feed(SPEECH)
            with trio.move_on_after(0.02):
                await utterance.settle(75 * S)
        decoder.go.set()
    assert len(decoder.lengths) == 1


# --- languages and failures -----------------------------------------------------------------------------------------


async def test_a_language_is_kept_once_it_is_sure_and_long_enough(decoder):
    async with recognizer(decoder) as ears, ears.open(None) as utterance:
        utterance.feed(SPEECH)
        for samples, probability in [(16000, 0.9), (40000, 0.5), (41000, 0.9), (42000, 0.9)]:
            decoder.language_probability = probability
            assert await utterance.settle(samples) == Transcript(f"{samples} samples.", "de", probability)
    assert [asked.language for asked in decoder.asked] == [None, None, None, "de"]


async def test_a_language_that_a_partial_heard_is_not_the_finals(decoder):
    """What the first two seconds sound like must not decide what a session is heard in from then on."""
    decoder.language_probability = 0.9
    async with recognizer(decoder, window_s=4) as ears, ears.open(None) as utterance:
        for _ in range(3):
            utterance.feed(SPEECH)
            await utterance.hypothesize()
        assert (await utterance.settle(9 * S)).language_probability == 0.9
    # A window without the beginning is spared the search.
    assert [asked.language for asked in decoder.asked] == [None, "de", "de", None]


async def test_silence_has_no_language(decoder):
    decoder.language_probability, decoder.text = 0.9, ""
    async with recognizer(decoder) as ears, ears.open(None) as utterance:
        utterance.feed(SPEECH)
        await utterance.settle(3 * S)
        await utterance.settle(2 * S)
    assert [asked.language for asked in decoder.asked] == [None, None]


async def test_an_unknown_language_fails(decoder):
    async with recognizer(decoder) as ears:
        with pytest.raises(EngineError, match="'xx'") as caught:
            async with ears.open("xx"):
                pass
    assert caught.value.code is ErrorCode.ASR_FAIL


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ValueError("odd"), MemoryError()])
async def test_a_decode_that_fails_is_the_recognisers_fault_and_not_the_end(decoder, error):
    async with recognizer(decoder) as ears, ears.open("en") as utterance:
        utterance.feed(SPEECH)
        decoder.error = error
        with pytest.raises(EngineError) as caught:
            await utterance.hypothesize()
        assert caught.value.code is ErrorCode.ASR_FAIL
        decoder.error = None
        assert (await utterance.settle(100)).text == "100 samples."


# --- turns that leave -----------------------------------------------------------------------------------------------


async def test_abandoned_decodes_keep_their_places_until_they_end(decoder):
    decoder.go.clear()
    async with recognizer(decoder, workers=2) as ears:
        for _ in range(5):
            async with ears.open("en") as utterance:
                utterance.feed(SPEECH)
                with trio.move_on_after(0.02) as turn:
                    await utterance.hypothesize()
                assert turn.cancelled_caught
        async with ears.open("en") as utterance, trio.open_nursery() as nursery:
            utterance.feed(SPEECH)
            nursery.start_soon(utterance.settle, 7)
            await wait_all_tasks_blocked()
            decoder.go.set()
    # Of the five abandoned, the three that had no place yet never began.
    assert sorted(decoder.lengths) == [7, 48000, 48000]
    assert decoder.most_running <= 2


async def test_a_final_that_nobody_waits_for_any_more_never_begins(decoder):
    decoder.go.clear()
    async with recognizer(decoder) as ears:
        async with ears.open("en") as first:
            first.feed(SPEECH)
            with trio.move_on_after(0.02):
                await first.settle(100)
        async with ears.open("en") as second:
            second.feed(SPEECH)
            with trio.move_on_after(0.02):
                await second.settle(200)
        decoder.go.set()
    assert decoder.lengths == [100]


# --- with the library itself ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def english(tmp_path_factory) -> Path:
    return make(SMALL, tmp_path_factory.mktemp("models") / "english-model")


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory) -> Path:
    return make(replace(SMALL, multilingual=True), tmp_path_factory.mktemp("models") / "multilingual")


def settings(folder: Path | str) -> Settings:
    return load(model_whisper=str(folder), asr_context="short")


async def test_an_english_model_hears_english(english):
    with trio.fail_after(60):
        async with open_whisper(settings(english)) as ears:
            interface: Recognizer = ears
            assert interface.name == "faster-whisper english-model"
            assert interface.languages == ("en",)
            async with interface.open(None) as utterance:
                utterance.feed(SPEECH)
                hypothesis = await utterance.hypothesize()
                assert hypothesis.through_sample == 3 * SAMPLE_RATE
                assert hypothesis.text
                assert hypothesis.text == hypothesis.text.strip()
                settled = await utterance.settle(3 * SAMPLE_RATE, 3 * SAMPLE_RATE)
                assert settled == Transcript(hypothesis.text, "en", 1.0)
                assert utterance.compute_s > 0


async def test_a_multilingual_model_finds_the_language_or_takes_it(multilingual):
    with trio.fail_after(60):
        async with open_whisper(settings(multilingual)) as ears:
            assert {"en", "de", "ja"} <= set(ears.languages)
            for language in (None, "de"):
                async with ears.open(language) as utterance:
                    utterance.feed(SPEECH)
                    transcript = await utterance.settle(SAMPLE_RATE)
                    assert transcript.language in ([language] if language else ears.languages)
                    assert transcript.text


async def test_a_model_that_never_ends_is_ended(tmp_path):
    endless = make(replace(SMALL, tokens=448), tmp_path / "endless")
    with trio.fail_after(60):
        async with open_whisper(settings(endless)) as ears, ears.open("en") as utterance:
            utterance.feed(SPEECH)
            transcript = await utterance.settle(SAMPLE_RATE)
    # What runs into the limit of 30 s as well is no speech.
    assert transcript.text == ""


def test_a_downloaded_size_is_found_by_its_name(english, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="models download tiny-int8"):
        load_whisper(settings("tiny-int8"))
    shutil.copytree(english, tmp_path / "models--Systran--faster-whisper-tiny" / "snapshots" / "c0ffee")
    assert load_whisper(settings("tiny-int8")).name == "tiny-int8"


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.json"])
def test_a_broken_file_is_one_sentence(english, tmp_path, name):
    shutil.copytree(english, tmp_path / "broken")
    (tmp_path / "broken" / name).write_text("{")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_whisper(settings(tmp_path / "broken"))


def test_features_that_do_not_fit_the_weights_are_one_sentence(english, tmp_path):
    shutil.copytree(english, tmp_path / "odd")
    (tmp_path / "odd" / "preprocessor_config.json").write_text(json.dumps({"feature_size": 128}))
    with pytest.raises(ModelError, match="80 bands"):
        load_whisper(settings(tmp_path / "odd"))


def test_the_tool_writes_a_model_and_says_what_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(make_shape_model.SHAPES, "tiny", SMALL)
    monkeypatch.setattr(sys, "argv", ["make_shape_model.py", "tiny", str(tmp_path / "model"), "--multilingual"])
    make_shape_model.main()
    assert MEANINGLESS in capsys.readouterr().out
    assert "de" in load_whisper(settings(tmp_path / "model")).decoder.languages


@pytest.mark.parametrize(("multilingual", "vocabulary"), [(False, 51_864), (True, 51_865)])
def test_the_named_shapes_have_whispers_own_token_ids(tmp_path, multilingual, vocabulary):
    folder = make(Shape(width=8, heads=1, layers=1, multilingual=multilingual), tmp_path / "model")
    tokens = json.loads((folder / "vocabulary.json").read_text())
    assert len(tokens) == len(set(tokens)) == vocabulary
    shift = 1 if multilingual else 0
    ids = {"<|endoftext|>": 50256, "<|en|>": 50258, "<|transcribe|>": 50358, "<|notimestamps|>": 50362}
    assert {token: tokens.index(token) for token in ids} == {token: at + shift for token, at in ids.items()}
    assert tokens[-1] == "<|30.00|>"
