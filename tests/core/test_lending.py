"""Who is lent what there is too little of, and who is asked to give it back."""

from dataclasses import dataclass

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.lending import Claim, Need, asked_back, first

F, S, L = Need.FINAL, Need.SPEECH, Need.FALLOW


@dataclass(frozen=True)
class One:
    need: Need
    since: float

    def claim(self, now):
        return Claim(self.need, self.since)


def ones(*claims):
    return [One(*claim) for claim in claims]


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ([(S, 1), (S, 2)], (S, 1)),
        ([(S, 1), (F, 2)], (F, 2)),
        ([(L, 1), (S, 2)], (S, 2)),
        ([(F, 3), (F, 2), (L, 0)], (F, 2)),
    ],
)
def test_the_greatest_need_goes_first_and_among_equals_the_earlier(waiting, expected):
    assert first(ones(*waiting), 0.0) == One(*expected)


@pytest.mark.parametrize(
    ("holding", "waiting", "expected"),
    [
        ([(S, 1), (S, 2)], [], []),
        ([(S, 1), (S, 2)], [(S, 0)], []),
        ([(S, 1), (S, 2)], [(F, 9)], [(S, 2)]),
        ([(S, 1), (S, 2)], [(F, 9), (F, 8)], [(S, 2), (S, 1)]),
        ([(S, 1), (S, 2)], [(F, 9), (F, 8), (F, 7)], [(S, 2), (S, 1)]),
        ([(F, 1), (S, 2)], [(F, 9), (F, 8)], [(S, 2)]),
        ([(F, 1), (F, 2)], [(F, 0)], []),
        ([(L, 1), (S, 2)], [(S, 3)], [(L, 1)]),
        ([(L, 1), (S, 2)], [(S, 3), (S, 4)], [(L, 1)]),
        ([(L, 1), (S, 2)], [(F, 3), (S, 4)], [(L, 1)]),
        ([(L, 1), (L, 2)], [(L, 0)], []),
    ],
)
def test_only_a_greater_need_asks_back_and_asks_the_last_first(holding, waiting, expected):
    assert asked_back(ones(*holding), ones(*waiting), 0.0) == ones(*expected)


CLAIMS = st.lists(st.builds(One, st.sampled_from(Need), st.integers(0, 9)), max_size=6)


@given(CLAIMS, CLAIMS)
def test_giving_back_comes_to_an_end_with_nobody_in_greater_need(holding, waiting):
    holding, waiting = [*holding], [*waiting]
    for _ in range(len(holding) * len(Need) + 1):
        back = asked_back(holding, waiting, 0.0)
        if not back:
            break
        for one in back:
            holding.remove(one)
            waiting.append(one)
            lent = first(waiting, 0.0)
            waiting.remove(lent)
            holding.append(lent)
    assert not waiting or not holding or max(one.need for one in holding) <= min(one.need for one in waiting)
