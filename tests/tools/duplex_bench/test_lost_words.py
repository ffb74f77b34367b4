"""Which words were lost, by transcripts that are known."""

import pytest

from tests.tools.duplex_bench.made_up import said_so
from tools.duplex_bench.lost_words import Missing, finals, missing
from tools.duplex_bench.script import Word


def words(text, begin_s=0.0, pause_after=None, pause_s=1.0):
    """Return the words of ``text``, half a second each, with a pause behind one of them."""
    placed = []
    for number, word in enumerate(text.split()):
        placed.append(Word(word, begin_s, begin_s + 0.5))
        begin_s += 0.5 + (pause_s if number == pause_after else 0)
    return placed


def of_one(said, *texts, cut=False, at=100.0):
    log = [said_so(at, "final", turn, text=text) for turn, text in enumerate(texts, 1)]
    (found,) = missing([(said, cut)], log)
    return found


def test_what_is_heard_as_said_is_not_lost_whatever_its_signs():
    assert of_one(words("call my brother's house"), "Call my brother’s house.") == Missing(0, 0, True)


def test_words_in_several_finals_are_there():
    assert of_one(words("one two three four"), "One two.", "Three, four!", cut=True) == Missing(0, 0, True)


def test_other_words_are_misheard():
    assert of_one(words("turn on the light"), "turn on a light") == Missing(0, 1, True)
    assert of_one(words("turn on the light"), "burn on the light") == Missing(0, 1, True)


def test_a_word_that_is_left_out_is_misheard_and_two_in_a_row_are_lost():
    assert of_one(words("turn on the light"), "turn on light") == Missing(0, 1, True)
    assert of_one(words("turn on the light now"), "turn light now") == Missing(2, 0, True)


@pytest.mark.parametrize(("cut", "lost"), [(True, 1), (False, 0)])
@pytest.mark.parametrize(
    ("heard", "pause_after"),
    [("two three four", None), ("one two three", None), ("one three four", 1), ("one two four", 1)],
)
def test_a_single_word_at_an_edge_is_lost_where_somebody_may_have_stopped_listening(heard, pause_after, cut, lost):
    found = of_one(words("one two three four", pause_after=pause_after), heard, cut=cut)
    assert (found.lost, found.misheard) == (lost, 1 - lost)


def test_a_single_word_in_one_breath_is_misheard_even_so():
    assert of_one(words("one two three four"), "one three four", cut=True) == Missing(0, 1, True)


@pytest.mark.parametrize(("heard", "pause_after"), [("one two three", 2), ("two three four", 0)])
def test_a_word_in_a_breath_of_its_own_is_lost_in_any_case(heard, pause_after):
    assert of_one(words("one two three four", pause_after=pause_after), heard).lost == 1


def test_without_any_transcript_all_is_lost():
    assert of_one(words("one two three")) == Missing(3, 0, False)
    assert of_one(words("stop")) == Missing(1, 0, False)


def test_the_first_word_may_be_wrong_and_is_kept():
    assert of_one(words("stop it"), "shop it").first_kept
    assert not of_one(words("please stop it now"), "it now").first_kept


def test_a_word_is_not_found_in_a_transcript_that_came_before_it_was_said():
    said = words("one two one two", pause_after=1)
    assert of_one(said, "one two", at=1.1, cut=True) == Missing(2, 0, True)
    assert of_one(words("one two three"), "one two nonsense", at=1.2) == Missing(0, 1, True)


def test_what_was_said_to_others_is_in_between_and_costs_nothing():
    lines = [(words("one two"), False), (words("three four", 20), False)]
    log = [
        said_so(2, "final", 1, text="one two"),
        said_so(15, "final", 2, text="dinner is ready"),
        said_so(22, "final", 3, text="three four"),
    ]
    assert missing(lines, log) == [Missing(0, 0, True), Missing(0, 0, True)]


def test_the_last_final_of_a_turn_counts():
    log = [said_so(1, "final", 1, text="one"), said_so(3, "final", 1, text="one two three"), said_so(2, "ended", 1)]
    assert finals(log) == [(3, "one two three")]
    assert missing([(words("one two three"), True)], log) == [Missing(0, 0, True)]


def test_a_line_without_words_misses_none():
    assert of_one([], "something") == Missing(0, 0, False)
