"""Markup: never cut while it is open, never waited for where there is none."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core import markup
from voice_trio.core.markup import OpenMarkup
from voice_trio.core.phrases import LONG, LONGEST, PhraseAggregator
from voice_trio.core.speakable.text import Speakable

FIRST = "All is well now. "
PROSE = "and so it went on and on for many more words, as prose does, until the line was full of it"


def cut(*tokens: str) -> list[str]:
    aggregator = PhraseAggregator()
    phrases = [phrase for token in tokens for phrase in aggregator.push(token)]
    return [phrase.text for phrase in (*phrases, *aggregator.finish())]


def said(*tokens: str) -> str:
    speakable = Speakable()
    return " ".join(filter(None, (speakable.speak(phrase).text for phrase in cut(*tokens))))


LONG_MARKUP = [
    '<a href="https://example.com/guide" target="_blank" rel="noopener noreferrer" title="one. Two! Three">',
    '<say-as interpret-as="telephone" format="1" detail="something that is long enough for a cut">',
    "<!-- a note that a model leaves for itself. It is longer than sixty characters! Is it? -->",
    "[x](https://example.com/a 'A very long title. Of a page! That nobody wants to hear about at all')",
    '![x](<https://example.com/a file with spaces.png> "A title that is long, and longer, and longer yet")',
    "`for word in words: print(word). # a line of code that does not end. So it goes on`",
    r"$\frac{a + b + c + d + e + f + g + h + i + j}{k + l + m + n + o + p + q + r + s + t}$",
    r"\frac{a + b + c + d + e + f + g + h + i + j}{k + l + m + n + o + p + q + r + s + t}",
    r"\( a + b + c + d + e + f + g + h + i + j = k + l + m + n + o + p + q + r + s + t + u \)",
    "\\[\n a + b + c + d + e + f + g + h + i + j \\\\\n = k + l + m + n + o + p + q + r + s \n\\]",
    "$$\n a + b + c + d + e + f + g + h + i + j \\\\\n = k + l + m + n + o + p + q + r + s \n$$",
    "\\begin{align*}\n a &= b + c + d + e + f + g \\\\\n h &= i + j + k + l + m + n + o + p \n\\end{align*}",
    "https://example.com/" + "a" * 200 + "?b=c",
]


@pytest.mark.parametrize("whole", LONG_MARKUP)
def test_markup_stands_whole_in_one_phrase(whole: str) -> None:
    assert len(whole) > LONG
    for before in ("", "Read ", "Some words that come before it, so that it is late: "):
        text = f"{FIRST}{before}{whole} and then {PROSE}."
        phrases = cut(text)
        assert cut(*text) == phrases
        assert sum(whole in phrase for phrase in phrases) == 1, phrases


@pytest.mark.parametrize("whole", [whole for whole in LONG_MARKUP if not whole.startswith(("[", "!"))])
def test_a_gap_gives_out_what_stands_before_open_markup_and_no_more(whole: str) -> None:
    for stop in range(5, len(whole), 7):
        aggregator = PhraseAggregator()
        phrases = [phrase.text for phrase in aggregator.push(f"{FIRST}Words before {whole[:stop]}")]
        phrases += [phrase.text for phrase in aggregator.flush()]
        assert "".join(phrases) == f"{FIRST}Words before "
        assert aggregator.flush() == []
        phrases += [phrase.text for phrase in (*aggregator.push(whole[stop:] + " end"), *aggregator.finish())]
        assert sum(whole in phrase for phrase in phrases) == 1


def test_a_gap_in_a_link_parts_its_words_from_its_address() -> None:
    aggregator = PhraseAggregator()
    aggregator.push("See [the guide](https://x.org 'a ")
    assert [phrase.text for phrase in aggregator.flush()] == ["See [the guide"]
    aggregator.push("title') now")
    assert [phrase.text for phrase in aggregator.finish()] == ["](https://x.org 'a title') now"]
    assert said("See [the guide](https://x.org 'a title') now") == "See the guide now"


@pytest.mark.parametrize(
    "opener",
    [
        "a < b",
        "<3",
        "<b and",
        "<Enter",
        "x<y",
        "$5 and",
        "$5.",
        "$5, 6",
        "$AAPL",
        "US$5",
        "[sic",
        "[sic](see",
        "](x y",
        "<-",
        "a ` b\n",
        "<your name",
        "\\n",
        "\\$5",
        "\\alpha",
        "he",
        "http",
        "https:",
        "C:\\Users\\me",
        "\\begin{itemize}",
        "->",
    ],
)
def test_what_only_looks_like_markup_holds_nothing_up(opener: str) -> None:
    feeder = OpenMarkup()
    for char in f"So {opener} then ":
        feeder.feed(char)
    assert feeder.length == 0
    text = f"{FIRST}So {opener} then {PROSE}. Next {PROSE}"
    aggregator = PhraseAggregator()
    waiting = 0
    for char in text:
        waiting += 1
        for phrase in aggregator.push(char):
            waiting -= len(phrase.text)
        assert waiting <= LONG + 25


@pytest.mark.parametrize(
    "opener", ['<a href="', "<!--", "](", "](x '", "`", "$$", "$x = ", "\\(", "\\[", "\\frac{", "\\begin{align}"]
)
def test_what_is_never_closed_is_given_up(opener: str) -> None:
    text = FIRST + opener + "word " * 1000
    phrases = cut(*text)
    assert "".join(phrases) == text
    assert all(len(phrase) <= markup.LONGEST + LONGEST for phrase in phrases)
    assert len(phrases) > 20


def test_what_of_a_phrase_is_not_said_counts_for_no_length() -> None:
    tag = '<a href="https://example.com/a/long/address/of/a/page">'
    text = f"See {tag}one</a>, {tag}two</a> and {tag}three</a> there."
    assert cut(FIRST, text) == [FIRST, text]
    many = FIRST + "word <br> " * 2000
    assert max(map(len, cut(many))) <= markup.LONGEST


def test_tags_at_its_end_do_not_hide_the_end_of_a_sentence() -> None:
    assert cut("<p>One is <b>here.</b> Two is there.</p> <p>Three.</p>")[0] == "<p>One is <b>here.</b> "


def test_code_in_a_fence_opens_nothing() -> None:
    text = 'See:\n```sh\necho "$x" <a href="\n\\[\n```\nDone. So.'
    assert cut(text)[-2:] == ["Done. ", "So."]
    assert said(text) == "See: code block Done. So."


def test_a_long_phrase_is_not_cut_inside_an_amount() -> None:
    words = "word " * 11
    for amount in ("+1 (555) 010 0199", "1 234 567 km", "$ 5 million", "3 - 4 = 5", "₹ 500 and"):
        for shift in range(20):
            phrases = cut(FIRST + "x" * shift + words + amount + " is it, as everyone knows, and so on")
            assert any(amount.removesuffix(" and").removesuffix(" million") in phrase for phrase in phrases)


pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [*LONG_MARKUP, *"<>[]()$`\\{}*_~&|\n ", "<a ", "<!--", "-->", "](", "\\[", "\\]", "$5", "``", "```\n"]
        ),
        st.sampled_from(["word ", "One. ", "https://x.org ", "x" * 130, "</b>", "\\frac{", "\\begin{align}"]),
        st.text(max_size=5),
    ),
    max_size=10,
).map("".join)


@given(pieces, st.lists(st.integers(0, 600), max_size=12), st.sets(st.integers(0, 12)))
@settings(max_examples=150, deadline=None)
def test_phrases_depend_on_the_text_alone(text: str, cuts: list[int], flushes: set[int]) -> None:
    edges = sorted({0, len(text), *(edge for edge in cuts if edge < len(text))})
    tokens = [text[start:end] for start, end in pairwise(edges)]
    phrases = cut(text)
    assert cut(*tokens) == phrases == cut(*text)
    assert "".join(phrases) == text
    assert all(len(phrase.strip()) <= markup.LONGEST + LONGEST for phrase in phrases)
    aggregator = PhraseAggregator()
    flushed = ""
    for number, token in enumerate(tokens):
        flushed += "".join(phrase.text for phrase in aggregator.push(token))
        if number in flushes:
            flushed += "".join(phrase.text for phrase in aggregator.flush())
    assert flushed + "".join(phrase.text for phrase in aggregator.finish()) == text


def calls(text: str) -> int:
    """Return how many functions, C's included, are called to cut and say ``text``: work without a clock."""
    count = 0

    def note(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        speakable = Speakable()
        for phrase in cut(text):
            speakable.speak(phrase)
        Speakable().speak(text)
    finally:
        sys.setprofile(before)
    return count


UNITS = [
    "<",
    "[",
    "](",
    "*",
    "**",
    "$",
    "$x",
    "$$",
    "\\",
    "\\[",
    "`",
    "``",
    "(",
    "((((",
    "1,1,",
    "1,111,",
    "1.111",
    "{",
    "^{",
]
UNITS += [
    "<a ",
    '<a b="',
    "<!--",
    "</",
    "\\frac{",
    "\\frac\\frac",
    "\\begin{align}",
    "x^",
    "2**",
    "2x",
    "a-",
    "word ",
    "<b>",
]
UNITS += [
    "<time>",
    "$\\frac{",
    "\\sqrt[",
    "+1 5",
    "020 ",
    "f(",
    "5 € ",
    "h",
    "]",
    "https://",
    "![a](",
    "\\text{",
    "1e",
    "٣,",
]


@pytest.mark.parametrize("unit", UNITS)
def test_work_doubles_with_the_text(unit: str) -> None:
    size = markup.LONGEST
    once, twice = calls((unit * size)[:size]), calls((unit * size * 2)[: size * 2])
    assert twice < 2.5 * once + 100
