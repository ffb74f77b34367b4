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
    """Gives other words with less context than it needs."""

    def __init__(self, needs_s, wrong="Thank you for watching."):
        self.needs_s = needs_s
        self.wrong = wrong
        self.asked = []

    def decode(self, audio, *, language, least_s):
        self.asked.append(least_s)
        return SimpleNamespace(text=WORDS if least_s >= self.needs_s else self.wrong, padded=least_s == 30)


async def needed(needs_s, **kwargs):
    decoder = Needy(needs_s, **kwargs)
    lines: list[str] = []
    with trio.fail_after(10):
        async with open_scheduler(2, close_s=1) as scheduler:
            found = await calibrate(scheduler, cast(WhisperDecoder, decoder), lines.append)
    return found, decoder, lines


@pytest.mark.parametrize(("needs_s", "found_s"), [(0, 0), (7, 10), (12, 15), (18, 20), (25, 30)])
async def test_the_shortest_context_that_gives_the_same_words_is_found(needs_s, found_s):
    found, decoder, lines = await needed(needs_s)
    assert found == Context(found_s, found_s)
    assert sorted(set(decoder.asked)) == sorted({30, *(s for s in whisper_context.BUCKETS_S if s <= found_s)})
    assert len(lines) == sum(1 for s in whisper_context.BUCKETS_S if s <= found_s)


async def test_a_comma_more_or_a_word_in_thirty_is_the_same():
    found, *_ = await needed(7, wrong=WORDS.lower().replace("today", "today,"))
    assert found.final_s == 0
    found, *_ = await needed(7, wrong=WORDS.replace("rain", "snow"))
    assert found.final_s == 10


async def test_a_context_that_had_to_be_padded_after_all_does_not_count():
    class Retrying(Needy):
        def decode(self, audio, *, language, least_s):
            return SimpleNamespace(text=WORDS, padded=least_s < 15 or least_s == 30)

    with trio.fail_after(10):
        async with open_scheduler(2, close_s=1) as scheduler:
            assert (await calibrate(scheduler, cast(WhisperDecoder, Retrying(0)))).final_s == 15


async def test_a_model_that_hears_nothing_shows_nothing():
    class Deaf(Needy):
        def decode(self, audio, *, language, least_s):
            return SimpleNamespace(text="", padded=least_s == 30)

    with trio.fail_after(10):
        async with open_scheduler(2, close_s=1) as scheduler:
            assert (await calibrate(scheduler, cast(WhisperDecoder, Deaf(0)))).final_s == 30


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
    assert not remember(tmp_path / "gone", Context(10, 10))


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"version": 9, "context_s": 0}', '{"version": 1, "context_s": 99}'])
def test_what_cannot_be_read_is_found_out_again(tmp_path, kept):
    (tmp_path / "voice_trio_context.json").write_text(kept)
    assert recall(tmp_path) is None


async def test_a_recogniser_guesses_until_it_knows_and_then_remembers(tmp_path):
    folder = make(Shape(width=32, heads=1, layers=1, text_tokens=600, tokens=4), tmp_path / "model")
    with trio.fail_after(60):
        async with open_whisper(load(model_whisper=str(folder))) as ears:
            assert ears.context == Context(0, 30, undecided=True)
            while ears.context.undecided:
                await trio.testing.wait_all_tasks_blocked(0.01)
            found = ears.context
        kept = json.loads((folder / "voice_trio_context.json").read_text())
        assert kept == {"version": 1, "context_s": found.final_s}
        async with open_whisper(load(model_whisper=str(folder))) as ears:
            while ears.context.undecided:
                await trio.testing.wait_all_tasks_blocked(0.01)
            assert ears.context == found
        for setting, least_s in [("short", 0), ("padded", 30)]:
            async with open_whisper(load(model_whisper=str(folder), asr_context=setting)) as ears:
                assert ears.context == Context(least_s, least_s)


async def test_a_model_that_cannot_be_tried_leaves_the_guess_and_the_server_alone(tmp_path, monkeypatch):
    folder = make(Shape(width=32, heads=1, layers=1, text_tokens=600, tokens=4), tmp_path / "model")
    monkeypatch.setattr(WhisperDecoder, "decode", broken)
    with trio.fail_after(20):
        async with open_whisper(load(model_whisper=str(folder))) as ears:
            await ears.find_context()
            assert ears.context == Context(0, 30, undecided=True)
    assert recall(folder) is None


def broken(self, *args, **kwargs):
    raise RuntimeError("out of memory")
