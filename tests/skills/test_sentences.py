"""What people say, as recognizers write it: which skill it is for, with which arguments, and what is for none."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core.grammar import tokens as words
from voice_trio.core.grammar.sentences import parse, slots_of
from voice_trio.skills.table import SKILLS, grammar

FOLDER = Path(__file__).parent
FOREIGN = (FOLDER / "foreign.txt").read_text().splitlines()


def ours():
    """Yield a sentence, and the skill and the arguments that are meant by it."""
    for line in (FOLDER / "ours.txt").read_text().splitlines():
        name, rest = line.split(" ", 1)
        arguments, end = json.JSONDecoder().raw_decode(rest)
        yield rest[end:].strip(), name, arguments


OURS = [*ours()]


@pytest.mark.parametrize(("sentence", "name", "arguments"), OURS)
def test_each_sentence_means_its_skill(sentence, name, arguments):
    match = grammar().match(sentence)
    assert match is not None
    assert (match.name, match.arguments) == (name, arguments)


def test_of_foreign_sentences_hardly_any_is_taken():
    assert [sentence for sentence in FOREIGN if grammar().match(sentence) is not None] == [
        # Nothing but its length tells it from a note.
        "Write down the history of Rome in a book."
    ]


def test_there_are_enough_of_both():
    assert len({sentence for sentence, _, _ in OURS}) >= 400
    assert len(set(FOREIGN)) >= 280


def test_each_skill_is_said_in_some_way():
    assert {name for _, name, _ in OURS} == {skill.name for skill in SKILLS}


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_what_a_skill_tells_of_itself_is_true(skill):
    match = grammar().match(skill.example)
    assert match is not None
    assert match.name == skill.name
    given_arguments = {name for one in skill.sentences for name in one.arguments}
    slots = {slot.name for one in skill.sentences for slot in slots_of(parse(one.pattern))} - {"amount"}
    assert (given_arguments | slots) <= skill.properties.keys()
    assert set(skill.required) <= skill.properties.keys()
    assert json.loads(json.dumps(skill.tool.parameters)) == skill.tool.parameters
    assert len(skill.tool.name) <= 64


@pytest.mark.parametrize("case", [str.upper, str.lower, str.title], ids=["upper", "lower", "title"])
def test_case_and_punctuation_do_not_matter(case):
    for sentence, name, _ in OURS:
        found = grammar().match(case(sentence).replace("?", "").replace("!", "") + " ...")
        assert (sentence, found and found.name) == (sentence, name)


POLITE = ["Hey, {}", "Could you please {}", "Okay, so, {}", "{}, please?", "{} right now", "Um, {}"]


@pytest.mark.parametrize("polite", POLITE)
def test_politeness_does_not_matter(polite):
    for sentence in ("flip a coin", "read my shopping list", "tell me a story", "pick a number between one and ten"):
        plain, kind = grammar().match(sentence), grammar().match(polite.format(sentence))
        assert plain is not None
        assert plain == kind


def test_politeness_alone_means_nothing():
    for words_alone in ("please", "hey could you please", "hello", "could you tell me", "i want to"):
        assert grammar().match(words_alone) is None


@pytest.mark.parametrize(
    "sentence", ["top", "shop", "drop", "stomp", "hold", "lip a coin on", "role call", "help me god"]
)
def test_a_short_sentence_may_have_no_error(sentence):
    assert grammar().match(sentence) is None


def test_a_sentence_is_found_among_the_names_that_are_given_and_no_others():
    assert grammar().match("Flip a coin.", ["roll_dice", "flip_coin"]).name == "flip_coin"
    assert grammar().match("Flip a coin.", ["roll_dice"]) is None
    assert grammar().match("Flip a coin.", []) is None


FRAGMENTS = sorted({word for sentence, _, _ in OURS for word in sentence.split()})


@settings(max_examples=300)
@given(st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=70).map(" ".join)))
def test_whatever_is_said_is_taken_or_left(text):
    match = grammar().match(text)
    if match is not None:
        assert json.loads(json.dumps(match.arguments)) == match.arguments


@pytest.mark.parametrize(
    "text",
    [
        "x" * 8000,
        "what time is it in " * 400,
        "add " * 2000,
        "( " * 4000,
        "9" * 8000,
        "a." * 4000,
        "don't " * 1300,
        "'" * 8000,
        "7 times " * 1000,
        "\u0307" * 8000,
        "İ" * 8000,
    ],
    ids=lambda text: f"{text[:10]!r}",
)
def test_what_is_longer_than_any_wish_costs_nothing(text, monkeypatch):
    monkeypatch.setattr(words, "_tokens", None)  # It is not even looked at.
    assert grammar().match(text) is None


def work_of(text):
    """Return how many lines of Python it takes to find what ``text`` means: the same on every machine."""
    lines = [0]

    def count(frame, event, argument):
        lines[0] += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        grammar().match(text)
    finally:
        sys.settrace(before)
    return lines[0]


HOSTILE = [
    "what time is it in " * 15,
    "add to my list " * 15,
    "add 1 and " * 19,
    "what is " + "two and a half of " * 11,
    "2 ^ " * 29,
    "( " * 59,
    "how many days until " * 15,
    "please could you please " * 15,
    "add a to my list to my list to my list to my list to my list to my list to my list to my list to my list",
    "convert one foot two foot three foot four foot five foot six foot seven foot eight foot nine foot to meters",
    "one hour and " * 20,
    "take a note a note a note a note a note a note a note a note a note a note a note a note a note a note a note",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].strip())
def test_the_work_for_any_text_is_bounded(text):
    grammar().match("what time is it in Tokyo")  # The places have been read.
    assert work_of(text[: words.LONGEST_CHARS]) < 60_000
