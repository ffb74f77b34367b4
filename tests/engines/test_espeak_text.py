"""Texts that would break espeak, cut so that they do not: nothing lost, every place known."""

import re

import pytest
import trio
from hypothesis import example, given, strategies as st

from voice_trio.config import Settings
from voice_trio.engines.espeak.text import LONGEST_CLAUSE, LONGEST_WORD, MOST_DOTS, survivable
from voice_trio.engines.voice import MAX_CHARS, open_voice

PIECES = st.sampled_from(
    [
        "a",
        "s'",
        "A.",
        ".",
        " . ",
        "©",
        "é.",
        "中",
        "中.",
        "क्",
        "e\u0301",
        "\u0338",
        "😀",
        "1",
        "1.",
        "-",
        "/",
        " ",
        "  ",
        ", ",
        "'",
    ]
)
TEXTS = st.text(max_size=400) | st.lists(PIECES, max_size=400).map("".join)


@given(TEXTS)
@example("s'" * 500)
@example("a . " * 250)
@example("\u0338" * 1000)
@example("a " * 500)
def test_every_word_clause_and_run_of_dots_is_short_and_nothing_is_lost(text):
    spoken = survivable(text)
    assert len(spoken.text) == len(spoken.places)
    assert spoken.places == sorted(spoken.places)
    assert all(0 <= place < len(text) for place in spoken.places)
    assert max(map(len, spoken.text.split()), default=0) <= LONGEST_WORD + 1
    # A comma and a space that the text itself has are no break of ours, but end a clause all the same.
    for clause in spoken.text.split(", "):
        assert clause.count(".") <= MOST_DOTS
        assert clause.count("©") <= 1
        assert len(clause) <= LONGEST_CLAUSE + LONGEST_WORD + longest_gap(text)
    # What was put in is "," and " ", and what is gone is a dot right before it.
    rest = iter(zip(spoken.text, spoken.places, strict=True))
    for place, char in enumerate(text):
        if char == "." and place not in spoken.places:
            continue
        assert any(made == char and at == place for made, at in rest)


def longest_gap(text):
    return max(map(len, re.findall(r"\s+", text)), default=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "The weather in London is mild today, naïve friends, and dry.",
        "Donaudampfschifffahrtsgesellschaft",
        "J. R. R. Tolkien, at 5 p.m. in the U.S.A.",
        "https://example.com/a/page?b=c",
        "The first part of a long phrase of one hundred and twenty characters goes on as phrases do, to its end",
    ],
)
def test_what_people_write_is_left_as_it_is(text):
    assert survivable(text) == (text, list(range(len(text))))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("a" * 50, "a" * 40 + ", " + "a" * 10),
        ("one two " + "b" * 45 + " three", "one two " + "b" * 40 + ", " + "b" * 5 + " three"),
        ("https://example.com/one/two/three/four/five", "https://example.com/one/two/three/four/, five"),
        ("A." * 13, "A." * 11 + "A, A."),
        ("a . " * 13, "a . " * 11 + "a ,  a . "),
        ("e\u0301" * 25, "e\u0301" * 20 + ", " + "e\u0301" * 5),
        ("word " * 31, "word " * 30 + "word,  "),
        ("A © B ©", "A © B , ©"),
        ("\u0338" * 41, "\u0338" * 40 + ", \u0338"),
    ],
)
def test_where_a_break_comes(text, spoken):
    assert survivable(text).text == spoken


# --- the real voice ---------------------------------------------------------------------------------------------------

BREAKING = [
    "s'" * 100,
    "this is " + "s'" * 100,
    "w" * 180,
    "anti" * 60,
    "ness" * 90,
    "A." * 200,
    "a . " * 150,
    "A. " * 150,
    "é." * 60,
    "中." * 60,
    "ж." * 60,
    "𝐀." * 60,
    "a/" * 300,
    "a\u00a0" * 300,
    "@" * 400,
]
"""All but a few end an espeak that is given them as they are."""


@pytest.mark.real
async def test_texts_that_break_espeak_are_spoken():
    with trio.fail_after(120):
        async with open_voice(Settings(tts_workers=1)) as voice:
            pids = voice._pool.pids
            for text in BREAKING:
                speech = await voice.speak(text[:MAX_CHARS], seconds=20)
                # To its end: half of it is said in less.
                half = await voice.speak(text[: len(text[:MAX_CHARS]) // 2], seconds=20)
                assert speech.samples > 1.3 * half.samples, text[:20]
                chars = [mark.char for mark in speech.marks]
                assert chars == sorted(set(chars))
                assert all(0 <= mark.char < len(text) and mark.sample < speech.samples for mark in speech.marks)
            assert voice._pool.pids == pids


@pytest.mark.real
async def test_a_sign_that_breaks_one_language_when_it_comes_twice_is_spoken_in_all():
    with trio.fail_after(60):
        async with open_voice(Settings(tts_workers=1)) as voice:
            pids = voice._pool.pids
            for name in voice.voices:
                assert (await voice.speak("A© B© 2024", seconds=20, voice=name)).samples > 1000
            assert voice._pool.pids == pids


@pytest.mark.real
@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("one " + "b" * 95 + " two three", [0, 4, 100, 104]),
        ("one " + "A." * 30 + " two", [0, 4, 65]),
        ("word " * 60, list(range(0, 300, 5))),
    ],
    ids=["a long word", "dots", "a long clause"],
)
async def test_words_are_where_they_were_written(text, starts):
    with trio.fail_after(30):
        async with open_voice(Settings(tts_workers=1)) as voice:
            speech = await voice.speak(text, seconds=20)
    chars = {mark.char for mark in speech.marks}
    assert chars >= set(starts)
    # Other marks, if any, are inside a long one that is spelled.
    assert all(not text[at - 1].isspace() or at in starts for at in chars if at)
