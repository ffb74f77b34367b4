"""How long a pause may be, by what is known of it."""

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.end_of_turn import LONGEST_MS, SURE_MS, Pauses, window_ms
from voice_trio.core.last_words import Sense

COMPLETE, WHOLE, DOUBTFUL, BROKEN_OFF = Sense

WINDOWS = {
    # probability, words, usual pause, undecided, window
    "it sounds like the end, and words are yet to come": (0.98, None, None, 700, 500),
    "it sounds much like the end, and words are yet to come": (0.979, None, None, 700, 700),
    "nothing is known of words either": (None, None, None, 700, 700),
    "nothing is known": (None, WHOLE, None, 700, 700),
    "surely the end": (0.98, WHOLE, None, 700, 320),
    "surely the end, whatever this person's habits": (0.99, WHOLE, 1100, 700, 320),
    "likely": (0.977, WHOLE, None, 700, 700),
    "likely, and a person with long pauses": (0.978, WHOLE, 1100, 700, 900),
    "likely, and there may be more words": (0.978, DOUBTFUL, None, 700, 1000),
    "almost surely the end, and nobody goes on behind that": (0.9, COMPLETE, None, 700, 320),
    "the words alone say so": (0.1, COMPLETE, 1100, 700, 500),
    "the words alone are known, and say so": (None, COMPLETE, None, 700, 500),
    "nobody waits longer for what is complete": (0.1, COMPLETE, None, 400, 400),
    "almost likely": (0.976, WHOLE, None, 700, 1000),
    "hardly": (0.89, WHOLE, None, 700, 1300),
    "perhaps": (0.9, WHOLE, None, 700, 1000),
    "perhaps, and a long window": (0.9, WHOLE, None, 1200, 1300),
    "perhaps, and a longer one": (0.9, WHOLE, None, 1500, 1500),
    "it sounds like the end, and a word is missing": (0.99, BROKEN_OFF, None, 700, 1300),
    "it sounds like the end, and there may be more words": (0.99, DOUBTFUL, None, 700, 1000),
    "there may be more words": (None, DOUBTFUL, None, 700, 1000),
    "hardly, and there may be more words": (0.5, DOUBTFUL, None, 700, 1300),
    "a word is missing": (None, BROKEN_OFF, None, 700, 1300),
    "a person with short pauses": (None, WHOLE, 300, 700, 700),
    "a person with longer ones": (None, WHOLE, 650, 700, 800),
    "a person with long ones": (None, WHOLE, 1100, 700, 900),
    "hardly, and a person with long pauses": (0.1, WHOLE, 1250, 700, 1400),
    "hardly, and a person with very long pauses": (0.1, WHOLE, 1900, 700, 1600),
    "who wants a short window is not made to wait": (0.99, WHOLE, None, 250, 250),
    "who wants a long window has it": (0.1, WHOLE, None, 1500, 1500),
}


@pytest.mark.parametrize(("probability", "words", "usual", "undecided", "window"), WINDOWS.values(), ids=WINDOWS)
def test_windows(probability, words, usual, undecided, window):
    found = window_ms(probability, words=words, usual_pause_ms=usual, undecided_ms=undecided)
    assert found == window


@given(
    st.none() | st.floats(0, 1),
    st.none() | st.sampled_from(Sense),
    st.none() | st.integers(210, 5000),
    st.integers(200, LONGEST_MS),
)
def test_a_window_is_no_shorter_and_no_longer_than_any_may_be(probability, words, usual, undecided):
    found = window_ms(probability, words=words, usual_pause_ms=usual, undecided_ms=undecided)
    assert min(undecided, SURE_MS) <= found <= max(LONGEST_MS, undecided)


@given(st.floats(0, 1), st.floats(0, 1), st.none() | st.integers(210, 5000), st.integers(200, 5000))
def test_what_is_likelier_the_end_is_waited_for_no_longer(one, other, usual, undecided):
    less, more = (
        window_ms(probability, words=WHOLE, usual_pause_ms=usual, undecided_ms=undecided)
        for probability in sorted((one, other))
    )
    assert more <= less


@pytest.mark.parametrize(
    ("lengths", "usual"),
    [
        ([], None),
        ([400, 500], None),
        ([400, 500, 600], 600),
        ([250, 300, 350, 400, 900], 900),
        ([900, 250, 300, 350, 400, 260, 270, 280, 290, 310], 400),
        ([1900] * 30 + [300] * 20, 300),
        ([160, 400, 190, 500, 600, 8000, 2001], 600),
    ],
)
def test_the_usual_pause_is_one_that_few_of_the_latest_exceed(lengths, usual):
    pauses = Pauses()
    for length in lengths:
        pauses.push(length)
    assert pauses.usual_ms == usual
