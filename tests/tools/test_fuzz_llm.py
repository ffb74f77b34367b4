"""The fuzzer of language models' streams draws the same again, and finds every reply ended in a known way."""

import pytest
import trio

from tools.fuzz_llm import Tally, fuzz
from tools.fuzzing.llm_streams import draw


def test_the_same_seed_draws_the_same():
    assert [draw(1, number) for number in range(20)] == [draw(1, number) for number in range(20)]
    assert draw(1, 0) != draw(2, 0)


@pytest.mark.real
async def test_drawn_streams_end_in_known_ways():
    tally = Tally()
    with trio.fail_after(240):
        await fuzz(range(60), 3, tally)
    assert tally.wrong == []
    assert tally.ends.total() == 60
    assert tally.ends["whole"] > 0
