"""Sentences with slots, and what is found of them."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.grammar.grammar import Grammar
from voice_trio.core.grammar.near import Vocabulary
from voice_trio.core.grammar.sentences import Choice, Sentence, Slot, Word, parse, slots_of, words_of
from voice_trio.core.grammar.times import clock
from voice_trio.core.grammar.tokens import LONGEST_CHARS, MOST_TOKENS, tokens


def words(text):
    return [token.word for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What's the TIME?", ["what", "is", "the", "time"]),
        ("I can't, don’t, won't", ["i", "can", "not", "do", "not", "will", "not"]),
        ("today's o'clock", ["todays", "oclock"]),
        ("at 7:30 p.m. in the U.S.A.", ["at", "7:30", "pm", "in", "the", "usa"]),
        ("25%, twenty-five, 1,250.5", ["25", "percent", "twenty", "five", "1250.5"]),
        ("7x8 - 3, so - well", ["7", "x", "8", "-", "3", "so", "well"]),
        ("5km 20th 2d6", ["5", "km", "20", "th", "2", "d", "6"]),
        ("um, ½ of 30°", ["half", "of", "30", "degrees"]),
        ("", []),
        ("?!...", []),
    ],
)
def test_text_becomes_words(text, expected):
    assert words(text) == expected


def test_a_token_knows_its_place():
    text = "Add  Crème-fraîche, please"
    assert [text[token.start : token.end] for token in tokens(text)] == ["Add", "Crème", "fraîche", "please"]


@given(st.text(max_size=LONGEST_CHARS))
def test_tokens_stand_in_order_in_any_text(text):
    found = tokens(text)
    assert len(found) <= MOST_TOKENS
    assert all(0 <= token.start < token.end <= len(text) and token.word for token in found)
    assert all(one.end <= other.start or one.start == other.start for one, other in pairwise(found))


def test_a_pattern_is_read():
    assert parse("set [the] (light|lamp on) to {level:number}") == (
        Word("set"),
        Choice(((Word("the"),), ())),
        Choice(((Word("light"),), (Word("lamp"), Word("on")))),
        Word("to"),
        Slot("level", "number"),
    )
    row = parse("a [b (c|{d})]")
    assert ([*words_of(row)], [*slots_of(row)]) == (["a", "b", "c"], [Slot("d", "d")])


@pytest.mark.parametrize("pattern", ["", "a)", "(a", "a]", "[a", "(a]", "{a", "a}", "{}", "{a b}", "a|b"])
def test_a_pattern_that_is_not_well_formed_is_refused(pattern):
    with pytest.raises(ValueError, match=r"brackets|brace|there is"):
        parse(pattern)


def test_a_slot_of_no_kind_is_refused():
    with pytest.raises(ValueError, match="slots of no kind: hue, size"):
        Grammar([("paint", Sentence("paint it {hue} and {size}"))], {})


def matcher(*sentences, **kinds):
    grammar = Grammar(((name, Sentence(pattern, arguments)) for name, pattern, arguments in sentences), kinds)

    def match(text):
        found = grammar.match(text)
        return found and (found.name, found.arguments)

    return match


def test_all_of_what_was_heard_has_to_be_covered():
    match = matcher(("time", "what time is it", {}))
    assert match("What time is it?") == ("time", {})
    for more in ("what time is it best to go", "he asked what time is it", "what time is it what", "time is it"):
        assert match(more) is None


def test_what_stands_in_slots_becomes_arguments():
    match = matcher(
        ("wake", "wake me at {at:clock} [with {song:text}]", {"loud": True}),
        ("amount", "take {amount}", {}),
        clock=lambda heard, at: ((end, str(time)) for end, time in clock(heard, at)),
        amount=lambda heard, at: [(at + 1, {"number": 1, "unit": "l"})],
    )
    assert match("wake me at half past seven") == ("wake", {"loud": True, "at": "07:30:00"})
    assert match("Wake me at 7 p.m. with “Hey, Jude”!") == (
        "wake",
        {"loud": True, "at": "19:00:00", "song": "Hey, Jude"},
    )
    assert match("take one") == ("amount", {"number": 1, "unit": "l"})


def test_where_two_match_the_rule_decides():
    match = matcher(
        ("free", "add {what:text} to the list", {}),
        ("fixed", "add milk to the list", {}),
        ("again", "add milk to the list", {}),
        ("near", "mad milk to the list", {}),
    )
    # The fewest errors, then the fewest words of free text, then what stands first.
    assert match("add milk to the list") == ("fixed", {})
    assert match("add bread to the list") == ("free", {"what": "bread"})
    assert match("mad milk to the list") == ("near", {})


def test_politeness_is_no_free_text():
    match = matcher(("add", "add {what:text}", {}))
    assert match("Could you please add milk, please?") == ("add", {"what": "milk"})


@pytest.mark.parametrize(
    ("heard", "is_taken"),
    [
        ("turn the kitchen light on", True),
        ("turn the kitchn light on", True),  # A letter less,
        ("turn the kitchenn light on", True),  # one more,
        ("turn the kitcken light on", True),  # another one,
        ("turn the kithcen light on", True),  # two of them swapped.
        ("turn kitchen light on", True),  # A light word less,
        ("turn the my kitchen light on", True),  # and one more.
        ("turn the kutchn light on", False),
        ("turn the kitchn lihgt on", False),  # Two errors are too many for five words.
        ("tern the kitchen light in", False),
        ("turn the kitchen light", False),
        ("turn the red kitchen light on", False),
    ],
)
def test_a_recognizer_may_err_a_little(heard, is_taken):
    match = matcher(("light", "turn the kitchen light on", {}))
    assert (match(heard) is not None) == is_taken


def test_a_short_sentence_bears_no_error():
    match = matcher(("stop", "stop it", {}), ("quiet", "quiet", {}))
    assert (match("stop it"), match("stopp it"), match("quite"), match("stop")) == (("stop", {}), None, None, None)


def test_the_longer_a_sentence_the_more_errors_it_bears():
    match = matcher(("story", "please read the very long story about seven brave whales", {}))
    assert match("please read the verry long stroy about seven brave whales") is not None
    assert match("please read the verry long stroy about sevven brave whales") is None


def test_another_fixed_word_is_no_misspelt_one():
    match = matcher(("coin", "please flip the coin", {}), ("join", "join", {}))
    assert match("please flip the join") is None
    assert match("please flip the coil") is not None


@given(st.sampled_from(["kitchen", "coin", "story", "it"]), st.text("abcdefghijklmnopqrstuvwxyz", max_size=9))
def test_a_near_word_is_at_most_a_letter_off(word, written):
    meant = Vocabulary([word]).meant(written)
    off = letters_off(word, written)
    assert meant.get(word) == (off if off == 0 or (off == 1 and min(len(word), len(written)) >= 4) else None)


def letters_off(one, other):
    """Return 0, 1 or 2 for more (the table of Damerau and Levenshtein)."""
    rows = [[*range(len(other) + 1)]]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and (a, b) == (other[j - 2], one[i - 2]):
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return min(rows[-1][-1], 2)
