"""How long a pause may be, by what is known of it."""

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.end_of_turn import LONGEST_MS, SHORTEST_MS, Pauses, is_unfinished, window_ms

WINDOWS = {
    # probability, unfinished, usual pause, undecided, window
    "nothing is known": (None, False, None, 700, 700),
    "surely the end": (0.96, False, None, 700, 420),
    "surely the end, whatever this person's habits": (0.99, False, 1100, 700, 420),
    "almost surely": (0.95, False, None, 700, 900),
    "hardly": (0.89, False, None, 700, 1300),
    "perhaps": (0.9, False, None, 700, 900),
    "perhaps, and a long window": (0.9, False, None, 1200, 1300),
    "perhaps, and a longer one": (0.9, False, None, 1500, 1500),
    "it sounds like the end, and a word is missing": (0.99, True, None, 700, 1300),
    "a word is missing": (None, True, None, 700, 1300),
    "a person with short pauses": (None, False, 300, 700, 700),
    "a person with longer ones": (None, False, 650, 700, 800),
    "a person with long ones": (None, False, 1100, 700, 900),
    "hardly, and a person with long pauses": (0.1, False, 1250, 700, 1400),
    "hardly, and a person with very long pauses": (0.1, False, 1900, 700, 1600),
    "who wants a short window is not made to wait": (0.99, False, None, 250, 250),
    "who wants a long window has it": (0.1, False, None, 1500, 1500),
}


@pytest.mark.parametrize(("probability", "unfinished", "usual", "undecided", "window"), WINDOWS.values(), ids=WINDOWS)
def test_windows(probability, unfinished, usual, undecided, window):
    found = window_ms(probability, unfinished=unfinished, usual_pause_ms=usual, undecided_ms=undecided)
    assert found == window


@given(
    st.none() | st.floats(0, 1), st.booleans(), st.none() | st.integers(210, 5000), st.integers(SHORTEST_MS, LONGEST_MS)
)
def test_a_window_is_no_shorter_and_no_longer_than_any_may_be(probability, unfinished, usual, undecided):
    found = window_ms(probability, unfinished=unfinished, usual_pause_ms=usual, undecided_ms=undecided)
    assert SHORTEST_MS <= found <= max(LONGEST_MS, undecided)


@given(st.floats(0, 1), st.floats(0, 1), st.none() | st.integers(210, 5000), st.integers(200, 5000))
def test_what_is_likelier_the_end_is_waited_for_no_longer(one, other, usual, undecided):
    less, more = (
        window_ms(probability, unfinished=False, usual_pause_ms=usual, undecided_ms=undecided)
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
        ([5000] * 30 + [300] * 20, 300),
    ],
)
def test_the_usual_pause_is_one_that_few_of_the_latest_exceed(lengths, usual):
    pauses = Pauses()
    for length in lengths:
        pauses.push(length)
    assert pauses.usual_ms == usual


UNFINISHED = [
    "I would like to go to the",
    "Turn left and",
    "Turn left, and.",
    "Um",
    "I think, uh...",
    "Remind me to",
    "It is because",
    "I'M",
    "I’m",
    "A glass of",
    "Where is the",
    "My number is 555",
    "Call 5 5 5 1",
    "I",
    "I think that we",
    "Is?",
    "Where is",
    "How many of them, and what are",
    "Write to john dot",
]
FINISHED = [
    "",
    "...",
    "What time is it?",
    "What time is it",
    "Turn it on.",
    "Who is it for?",
    "Where do you come from?",
    "My number is 555 0123.",
    "Set a timer for 10",
    "It is 12",
    "Stop",
    "Call me at 5 in the evening",
    "I like it",
    "Android",
    "So do I",
    "Where are we?",
    "Do you know where the station is?",
    "Not really",
    "What is the weather like?",
    "Who was it?",
    "It was the worst of times.",
]


@pytest.mark.parametrize("text", UNFINISHED)
def test_words_that_break_off(text):
    assert is_unfinished(text, "en")


@pytest.mark.parametrize("text", FINISHED)
def test_words_that_may_be_all(text):
    assert not is_unfinished(text, "en")


@pytest.mark.parametrize("language", [None, "de", "fr"])
def test_of_other_languages_nothing_is_known(language):
    assert not is_unfinished("I would like to go to the", language)
