"""How much context a model needs is found out on a decoder whose needs are known."""

import json
from types import SimpleNamespace
from typing import cast

import pytest
import trio
import trio.testing

from tools.make_shape_model import Shape, make
from voice_trio.config import load
from voice_trio.engines.decoding.scheduler import open_scheduler
from voice_trio.engines.whisper import context as whisper_context
from voice_trio.engines.whisper.context import Context, calibrate, difference, recall, remember, spoken
from voice_trio.engines.whisper.decode import WhisperDecoder
from voice_trio.engines.whisper.plug import open_whisper

pytestmark = pytest.mark.real

WORDS = "What is the weather like in London today and will it rain tonight in the garden of the house."


class Needy:
    """Gives other words with less context than it needs, or trips."""

    def __init__(self, needs_s, wrong="Thank you for watching.", trips=0, compute_s=0.01):
        self.needs_s = needs_s
        self.wrong = wrong
        self.trips = trips
        self.compute_s = compute_s
        self.asked = []

    def decode_batch(self, asked):
        (one,) = asked
        assert not one.again
        self.asked.append(one.least_s)
        enough = one.least_s >= self.needs_s
        self.trips -= tripped if (tripped := self.trips > 0 and one.least_s < 30) else 0
        return [SimpleNamespace(text=WORDS if enough else self.wrong, tripped=tripped, compute_s=self.compute_s)]


async def needed(needs_s, **kwargs):
    decoder = Needy(needs_s, **kwargs)
    lines: list[str] = []
    with trio.fail_after(60):
        async with open_scheduler(2, close_s=1) as scheduler:
            found = await calibrate(scheduler, cast(WhisperDecoder, decoder), lines.append)
    return found, decoder, lines


@pytest.mark.parametrize(("needs_s", "found_s"), [(0, 10), (7, 10), (12, 15), (18, 30), (30, 30)])
async def test_the_shortest_context_that_gives_the_same_words_is_found(needs_s, found_s):
    found, decoder, lines = await needed(needs_s)
    assert found == Context(found_s, max(15, found_s))
    tried = [s for s in whisper_context.BUCKETS_S if s <= found_s]
    assert sorted(set(decoder.asked)) == sorted({30, *tried})
    assert len(lines) == len([s for s in tried if s < 30])


@pytest.mark.parametrize(("compute_s", "final_s"), [(0.3, 15), (0.5, 10)])
async def test_finals_have_more_where_that_is_quick(compute_s, final_s):
    found, *_ = await needed(0, compute_s=compute_s)
    assert found == Context(10, final_s)


async def test_a_comma_more_or_a_word_in_thirty_is_the_same():
    found, *_ = await needed(12, wrong=WORDS.lower().replace("today", "today,"))
    assert found.partial_s == 10
    found, *_ = await needed(12, wrong=WORDS.replace("rain", "snow"))
    assert found.partial_s == 15


async def test_a_context_that_trips_does_not_count_whatever_the_words():
    found, *_ = await needed(0, trips=1)
    assert found.partial_s == 15


async def test_a_model_that_hears_nothing_shows_nothing():
    found, *_ = await needed(31, wrong="")
    assert found == Context(30, 30)


def test_there_are_recordings_enough_and_short_ones():
    seconds = sorted(len(pcm) / 32000 for pcm in whisper_context._recordings())
    assert len(seconds) >= 24
    assert seconds[0] < 1.3
    assert sum(one <= 3 for one in seconds) >= 10


def test_trips_past_two_of_a_hundred_are_too_many():
    trips = whisper_context.Trips()
    assert [trips.count(at % 60 == 0) for at in range(600)] == [False] * 600
    assert [trips.count(True) for _ in range(3)].count(True) == 1
    assert not trips.count(True)


def test_a_context_grows_to_padded_and_no_further():
    grown = Context(10, 15).grown
    assert grown == Context(15, 30)
    assert grown.grown == grown.grown.grown == Context(30, 30)


def test_the_share_of_different_words():
    assert difference([], []) == 0
    assert difference(["a"], []) == 1
    assert difference(["a", "b", "c", "d"], ["a", "x", "c", "d"]) == 0.25
    assert difference(["a", "b", "c", "d"], ["a", "b", "c", "d", "e"]) == pytest.approx(0.2)
    assert spoken("Schön, it's 7 o'clock — São Paulo!") == ["schön", "it", "s", "7", "o", "clock", "são", "paulo"]


def test_the_answer_is_kept_beside_the_model(tmp_path):
    assert recall(tmp_path) is None
    assert remember(tmp_path, Context(10, 10))
    assert recall(tmp_path) == Context(10, 10)
    assert remember(tmp_path, Context(10, 15))
    assert recall(tmp_path) == Context(10, 15)
    assert not remember(tmp_path / "gone", Context(10, 10))


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        '{"version": 1, "context_s": 0}',
        '{"version": 2, "partial_s": 10, "final_s": 0}',
        '{"version": 2}',
    ],
)
def test_what_cannot_be_read_is_found_out_again(tmp_path, kept):
    (tmp_path / "voice_trio_context.json").write_text(kept)
    assert recall(tmp_path) is None


async def test_a_recogniser_guesses_until_it_knows_and_then_remembers(tmp_path):
    folder = make(Shape(width=32, heads=1, layers=1, text_tokens=600, tokens=4), tmp_path / "model")
    with trio.fail_after(60):
        async with open_whisper(load(model_whisper=str(folder))) as ears:
            assert ears.context == Context(10, 30, undecided=True)
            while ears.context.undecided:
                await trio.testing.wait_all_tasks_blocked(0.01)
            found = ears.context
        kept = json.loads((folder / "voice_trio_context.json").read_text())
        assert kept == {"version": 2, "partial_s": found.partial_s, "final_s": found.final_s}
        async with open_whisper(load(model_whisper=str(folder))) as ears:
            while ears.context.undecided:
                await trio.testing.wait_all_tasks_blocked(0.01)
            assert ears.context == found
        # Partials of 30 s would come too seldom to be of use.
        for setting, partial_s, final_s in [("short", 0, 0), ("padded", 10, 30)]:
            async with open_whisper(load(model_whisper=str(folder), asr_context=setting)) as ears:
                assert ears.context == Context(partial_s, final_s)


async def test_a_model_that_cannot_be_tried_leaves_the_guess_and_the_server_alone(tmp_path, monkeypatch):
    folder = make(Shape(width=32, heads=1, layers=1, text_tokens=600, tokens=4), tmp_path / "model")
    monkeypatch.setattr(WhisperDecoder, "decode_batch", broken)
    with trio.fail_after(60):
        async with open_whisper(load(model_whisper=str(folder))) as ears:
            await ears.find_context()
            assert ears.context == Context(10, 30, undecided=True)
    assert recall(folder) is None


def broken(self, *args, **kwargs):
    raise RuntimeError("out of memory")
