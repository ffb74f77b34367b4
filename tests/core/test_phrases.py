"""Phrases: where a reply may be cut, and the law that nothing of it is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core import markup
from voice_trio.core.phrases import LONG_LATER, LONGEST, Phrase, PhraseAggregator

OPENERS = frozenset("<`$]\\h")
"""Markup that is open may make a phrase longer."""

FIRST = "It is done right away. "
"""Takes the place of what somebody waits for, which has rules of its own."""


def cut(*tokens: str) -> list[str]:
    aggregator = PhraseAggregator()
    phrases = [phrase for token in tokens for phrase in aggregator.push(token)]
    return [phrase.text for phrase in (*phrases, *aggregator.finish())]


def check_law(phrases: list[Phrase], text: str) -> None:
    assert "".join(phrase.text for phrase in phrases) == text
    assert [phrase.index for phrase in phrases] == list(range(len(phrases)))
    assert all(phrase.text == text[phrase.start : phrase.end] for phrase in phrases)
    assert all(phrase.end > phrase.start for phrase in phrases)
    assert all(
        len(phrase.text.strip()) <= LONGEST + (markup.LONGEST if OPENERS & set(text) else 0) for phrase in phrases
    )


@pytest.mark.parametrize(
    "expected",
    [
        ["One. ", "Two? ", "Three! ", "Four"],
        ["Pi is 3.14 and e is 2.72."],
        ["Fruit, e.g. Apples, i.e. food. ", "Yes."],
        ["Dr. Who met Mr. Bean vs. Mrs. Doe. ", "Done."],
        ["Wait... what? ", "Oh."],
        ["Well... ", "I see… ", "Good."],
        ["Go to https://example.com/a.b?c=d! ", "Then stop."],
        ["Version 3.11.7 is out. ", "Get it."],
        ["J. R. R. Tolkien and J.R.R. Smith wrote. ", "So do I. ", "You?"],
        ["The U.S. Army left. ", "At 5 p.m. ", "We met at 6 p.m. sharp."],
        ["Cats, dogs, etc. and birds, etc. ", "More."],
        ["See no. 5 there. ", "Did I? ", "No. ", "Never."],
        ['He said "Stop!" and left. ', '"Why?" ', "Nobody knew."],
        ["(It rained.) ", "“Good.” ", "It ended."],
        ["**Note.** ", "It is bold."],
        ["Really?! ", "Yes!!! ", "Fine."],
        ["今天很好。", "你好吗？", "「好！」", "再见"],
        ["A line\n", "another\n\n  ", "third"],
        ["See:\n", "1. Open the door\n", "2. Close it. ", "Done.\n", "- **3.** Rest\n", "# 4. Ends"],
        ["It was 1999. ", "The answer is 5. ", "So."],
        ["In Jan. 5 came. ", "Smith Inc. ", "Left it."],
        ["sure. ", "i can. ", "ok"],
        ["Well . . . so be it."],
        ["Quoi ? ", "Non ! » ", "Oui."],
    ],
)
def test_cuts_where_a_sentence_ends(expected: list[str]) -> None:
    text = FIRST + "".join(expected)
    expected = [FIRST, *expected]
    assert cut(text) == expected
    assert cut(*text) == expected


def test_a_stop_waits_for_what_follows() -> None:
    aggregator = PhraseAggregator()
    assert aggregator.push("It is 3.") == []
    assert aggregator.push("14. ") == []
    assert [phrase.text for phrase in aggregator.push("So")] == ["It is 3.14. "]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("If you really want to, go there. Bye", ["If you really want to, ", "go there. ", "Bye"]),
        ("If it is so, go there", ["If it is so, ", "go there"]),
        ("Well, go there", ["Well, go there"]),
        ("Internationalisation: a long word", ["Internationalisation: ", "a long word"]),
        ("There is one more - maybe", ["There is one more - ", "maybe"]),
        ("Pay 1,000,000 for it", ["Pay 1,000,000 for it"]),
        ("You said: if you really want to, go", ["You said: ", "if you really want to, ", "go"]),
        ("You said: well then, go", ["You said: ", "well then, go"]),
        ("Of course, it is so, " + "word " * 20, ["Of course, ", "it is so, " + "word " * 10, "word " * 10]),
        ("Sure. If you really want to, go", ["Sure. ", "If you really want to, ", "go"]),
        ("That is all settled. If you really want to, go", ["That is all settled. ", "If you really want to, go"]),
    ],
)
def test_only_what_is_waited_for_may_end_at_a_comma_soon(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_later_phrase_is_a_whole_clause_where_it_is_not_too_long() -> None:
    clauses = [
        "The most common reason for this error is that the server cannot reach the database, ",
        "because, as you see, the address in the settings is wrong; ",
        "or the service sleeps.",
    ]
    assert cut(FIRST + "".join(clauses)) == [FIRST, *clauses]


def test_a_long_phrase_ends_at_the_last_word_boundary() -> None:
    words = "word " * 40
    phrases = cut(FIRST + words)
    assert phrases[1:3] == ["word " * 20] * 2
    assert all(len(phrase.strip()) <= LONG_LATER for phrase in phrases)


def test_a_sentence_of_just_the_limit_stays_whole() -> None:
    sentence = "a" * 49 + " " + "b" * 49 + "."
    assert len(sentence) == LONG_LATER
    assert cut(FIRST + sentence + " Next") == [FIRST, sentence + " ", "Next"]


def test_a_word_longer_than_the_limit_is_kept_whole_up_to_the_hard_one() -> None:
    assert cut(FIRST + "See " + "x" * 100 + " and") == [FIRST, "See ", "x" * 100 + " ", "and"]
    assert cut(FIRST + "x" * 300) == [FIRST, "x" * 120, "x" * 120, "x" * 60]


def test_flush_gives_all_that_can_be_spoken() -> None:
    aggregator = PhraseAggregator()
    assert aggregator.flush() == []
    assert aggregator.push("Hello there") == []
    assert aggregator.flush() == [Phrase(0, 0, 11, "Hello there")]
    assert aggregator.push(" - ") == []
    assert aggregator.flush() == []
    assert aggregator.push("friend.") == []
    assert aggregator.flush() == [Phrase(1, 11, 21, " - friend.")]
    assert aggregator.push("\n1. One") == []
    assert aggregator.finish() == [Phrase(2, 21, 28, "\n1. One")]
    assert aggregator.finish() == []


def test_white_space_alone_is_a_phrase_only_where_the_law_needs_it() -> None:
    assert cut("") == []
    assert cut(" \n ") == [" \n "]
    assert cut("Hello. \n\n ") == ["Hello. \n\n "]
    aggregator = PhraseAggregator()
    aggregator.push("Hello")
    aggregator.flush()
    aggregator.push("\n")
    assert aggregator.finish() == [Phrase(1, 5, 6, "\n")]


texts = st.lists(
    st.one_of(
        st.sampled_from(
            ["Dr.", "e.g.", "3.14", "...", "?!", "1.", "etc.", '."', "。", "—", "\n", "  ", "**", "U.S.", ","]
        ),
        st.text(alphabet="abcAB1. ,?!\n\"')。x", max_size=12),
        st.text(max_size=4),
        st.sampled_from(["x" * 130, "word " * 14]),
    ),
    max_size=12,
).map("".join)


@given(texts, st.lists(st.integers(0, 400), max_size=20), st.sets(st.integers(0, 20)))
@settings(max_examples=150, deadline=None)
def test_the_spans_give_back_the_text_and_only_flush_moves_them(text: str, cuts: list[int], flushes: set[int]) -> None:
    edges = sorted({0, len(text), *(edge for edge in cuts if edge < len(text))})
    tokens = [text[start:end] for start, end in pairwise(edges)]
    assert cut(*tokens) == cut(*text) == cut(text)

    aggregator = PhraseAggregator()
    plain = [phrase for token in tokens for phrase in aggregator.push(token)] + aggregator.finish()
    check_law(plain, text)
    assert all(phrase.text.strip() for phrase in plain) or not text.strip()

    aggregator = PhraseAggregator()
    flushed: list[Phrase] = []
    for number, token in enumerate(tokens):
        flushed += aggregator.push(token)
        if number in flushes:
            flushed += aggregator.flush()
    flushed += aggregator.finish()
    check_law(flushed, text)
    assert all(phrase.text.strip() for phrase in flushed[:-1])


@pytest.mark.parametrize("unit", ["word ", "x", " ", ". ", "a. ", "\n", ", ", "。", "e.g. "])
def test_time_grows_with_the_text_alone(unit: str) -> None:
    # Not timed, so as not to depend on the machine: quadratic work would take minutes here.
    text = (unit * 50_000)[:50_000]
    assert "".join(cut(*text)) == text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("It is noon. The sun is out.", ["The sun is out."]),
        ("It is noon. The sun is out. ", ["The sun is out. "]),
        ("It is noon. The sun", []),
        ("It is noon. Is it?", ["Is it?"]),
        ('It is noon. "Is it?"', ['"Is it?"']),
        ("It is noon. (It is.)", ["(It is.)"]),
        ("It is noon. **Yes!**", ["**Yes!**"]),
        ("It is noon. Ask Dr.", []),
        ("It is noon. Ask Mr. J.", []),
        ("It is noon.\n1.", []),
        ("It is noon. A line\n", ["A line\n"]),
        ("It is noon. Well...", ["Well..."]),
        ("It is noon. Cats, dogs, etc.", ["Cats, dogs, etc."]),
        ("今天很好。你好吗？", ["你好吗？"]),
        ("今天很好。你好", []),
        ("It is noon. It costs 3", []),
        ("Yes", []),
        ("   ", []),
        ("", []),
    ],
)
def test_of_a_reply_that_breaks_off_the_last_sentence_is_a_phrase_if_it_is_whole(text: str, rest: list[str]) -> None:
    aggregator = PhraseAggregator()
    aggregator.push(text)
    assert [phrase.text for phrase in aggregator.break_off()] == rest
