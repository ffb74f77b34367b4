from hypothesis import given, strategies as st

from voice_trio.core.transcript import TranscriptDiffer
from voice_trio.wire.realtime.hearing import StablePrefix


def test_only_what_is_settled_is_told_and_each_word_once():
    prefix = StablePrefix()
    assert prefix.push(0, "what", 0) == ""
    assert prefix.push(4, " is the", 4) == "what"
    assert prefix.push(8, "this weather", 7) == " is"
    assert prefix.push(20, "", 7) == ""


def test_an_utterance_that_begins_anew_repeats_nothing():
    prefix = StablePrefix()
    assert prefix.push(0, "what is", 4) == "what"
    prefix.restart()
    assert prefix.push(0, "what is the", 7) == " is"
    prefix.restart()
    # Nor does it take back what was told.
    assert prefix.push(0, "that was the day", 16) == ""


@given(st.lists(st.lists(st.sampled_from(["one", "two", "Two,", "three"]), max_size=6), max_size=8))
def test_the_deltas_are_a_beginning_of_what_is_shown(hypotheses):
    differ, prefix, told = TranscriptDiffer(), StablePrefix(), ""
    for words in hypotheses:
        delta = differ.push(" ".join(words))
        if delta is not None:
            told += prefix.push(delta.keep, delta.text, delta.stable)
            assert differ.text.startswith(told)
            assert told == differ.text[: differ.stable]
