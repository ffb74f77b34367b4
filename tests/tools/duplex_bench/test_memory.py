"""What is remembered against what was played, by logs that are known."""

import pytest

from tests.tools.duplex_bench.made_up import played, recording, said_so, turn
from tools.duplex_bench.memory import Remembered, remembered
from tools.duplex_bench.scoring import score
from tools.duplex_bench.summary import figures

WORDS = [
    said_so(1, "words", samples=[0, 8_000], places=[0, 4]),
    said_so(2, "words", samples=[16_000, 24_000], places=[8, 12]),
]
"""Words of half a second and four code points."""


def cut(at_s, heard, outcome="interrupted"):
    return [*WORDS, played(1, 0, at_s), said_so(at_s, "done", outcome=outcome, remembered=heard)]


@pytest.mark.parametrize(
    ("at_s", "heard", "unheard", "forgotten"),
    [
        (1.0, 7, 0, 0),
        (1.2, 7, 0, 0),  # The word that is cut may be missing,
        (1.2, 11, 0, 0),  # or may be there.
        (1.0, 11, 1, 0),
        (0.9, 15, 2, 0),
        (1.2, 3, 0, 1),
        (1.6, 0, 0, 3),
        (0.0, 0, 0, 0),
    ],
)
def test_words_count_by_what_was_played(at_s, heard, unheard, forgotten):
    assert remembered(cut(at_s, heard)) == Remembered(1, unheard, forgotten)


def test_what_was_played_after_a_release_counts_too():
    log = [
        *WORDS,
        played(1, 0, 0.6),
        played(1, 3, 3.9, source=9_600),
        said_so(4, "done", outcome="interrupted", remembered=3),
    ]
    assert remembered(log) == Remembered(1, 0, 2)


@pytest.mark.parametrize(
    "log",
    [
        cut(1.0, 15, outcome="completed"),
        [played(1, 0, 1), said_so(1, "done", outcome="interrupted", remembered=15)],
        [*WORDS, played(1, 0, 1), said_so(1, "done", outcome="interrupted")],
        cut(1.0, None),
        [],
    ],
)
def test_replies_that_are_whole_or_of_unknown_words_are_not_compared(log):
    assert remembered(log).replies == 0


def test_words_of_another_turn_are_not_this_ones():
    log = [
        *cut(1.0, 7),
        said_so(5, "words", 2, samples=[0], places=[0]),
        said_so(6, "done", 2, outcome="cancelled", remembered=3),
    ]
    assert remembered(log) == Remembered(2, 1, 0)


def test_it_is_among_the_figures_where_something_was_cut_off():
    found = figures([score(recording([turn((6, 7))], log=cut(1.0, 11)))])
    assert found["words remembered unheard (log)"] == 1
    assert found["words heard and forgotten (log)"] == 0
    assert "replies cut off (log)" not in figures([score(recording([turn((6, 7))], log=cut(1.0, 11, "completed")))])
