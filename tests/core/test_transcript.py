"""Transcripts: a client that applies every delta shows what the differ says, and stable words stay."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings, strategies as st

from voice_trio.core.transcript import Delta, TranscriptDiffer, _distances, _tail_begin


def shown(*hypotheses: str) -> tuple[str, str]:
    """Return the stable text and the tail after ``hypotheses``."""
    differ = TranscriptDiffer()
    for hypothesis in hypotheses:
        differ.push(hypothesis)
    return differ.text[: differ.stable], differ.text[differ.stable :]


def test_deltas() -> None:
    differ = TranscriptDiffer()
    assert differ.push("") is None
    assert differ.push("turn of") == Delta(0, "turn of", 0)
    assert differ.push("turn off the") == Delta(7, "f the", 4)
    assert differ.push("turn off the") == Delta(12, "", 12)
    assert differ.push("turn off the") is None
    assert differ.push("turn off the lights") == Delta(12, " lights", 12)
    assert differ.push("turn off the light") == Delta(18, "", 12)
    assert (differ.text, differ.stable) == ("turn off the light", 12)


@pytest.mark.parametrize(
    ("hypotheses", "stable", "tail"),
    [
        (["a b c"], "", "a b c"),
        (["a b", "a b c"], "a b", " c"),
        (["  a \n b ", "a b  c"], "a b", " c"),
        # Case and punctuation are no part of a word; what stands behind the last stable one is open.
        (["Hello.", "Hello, you"], "Hello", ", you"),
        (["Hello.", "Hello."], "Hello", "."),
        (["Hello. ", "Hello there.", "Hello there my"], "Hello there", " my"),
        (["It was. The", "It was, the best", "It was the best. Of"], "It was, the best", ". Of"),
        (["it was", "It was the", "it was. The"], "It was. The", ""),
        (["He said", 'He said "stop".', 'He said "stop", and'], 'He said "stop', '", and'),
        (["wait ...", "wait ..."], "wait ...", ""),
        # Another word in its place has nothing of it.
        (["red one", "red one", "red won."], "red one", ""),
        (["hello you", "hello you", "Hello, you two"], "hello you", " two"),
        # A word put in at the beginning neither doubles nor swallows one.
        (["I want to go"] * 2 + ["well I want to go to"], "I want to go", " to"),
        (["I want to go"] * 2 + ["want to go home"], "I want to go", " home"),
        # A replaced word stays as it was.
        (["recognise speech"] * 2 + ["recognised speech today"], "recognise speech", " today"),
        (["one two three"] * 2 + ["one two"], "one two three", ""),
        (["one two three"] * 2 + [""], "one two three", ""),
        (["one two three"] * 2 + ["", "one two three four"], "one two three", " four"),
        # Nothing alike: counted off, as many words as are stable.
        (["one two"] * 2 + ["red green blue"], "one two", " blue"),
        # Scripts without spaces go by characters.
        (["今天很", "今天很好。"], "今天很", "好。"),
        (["今天", "今天", "明天好"], "今天", "好"),
    ],
)
def test_shows_stable_words_then_the_tail(hypotheses: list[str], stable: str, tail: str) -> None:
    assert shown(*hypotheses) == (stable, tail)


words = st.lists(st.sampled_from(["a", "b", "c", "go", "Go.", "go,", "...", "好", "x好y"]), max_size=7)
spaced = words.map(" ".join)


@given(st.lists(st.one_of(spaced, words.map("".join), st.text(max_size=10)), max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_client_that_applies_every_delta_shows_what_the_differ_says(hypotheses: list[str]) -> None:
    differ, client = TranscriptDiffer(), ""
    for hypothesis in hypotheses:
        before, stable = differ.text, differ.stable
        delta = differ.push(hypothesis)
        if delta is None:
            assert (differ.text, differ.stable) == (before, stable)
            continue
        assert stable <= delta.keep <= len(client)
        client = client[: delta.keep] + delta.text
        assert client == differ.text
        assert stable <= delta.stable == differ.stable <= len(client)
        assert client[:stable] == before[:stable]
        assert "  " not in client


@given(st.data())
def test_case_and_punctuation_that_change_revise_no_word(data: st.DataObject) -> None:
    """A sentence that grows, each time written in another way: its words are stable as soon as they would be anyway."""
    sentence = data.draw(st.lists(st.sampled_from(["so", "we", "go", "on", "then"]), min_size=1, max_size=8))
    differ, was_stable = TranscriptDiffer(), ""
    for count in range(1, len(sentence) + 1):
        written = [
            data.draw(st.sampled_from([word, word.title(), word.upper()]))
            + data.draw(st.sampled_from(["", ".", ",", "?!"]))
            for word in sentence[:count]
        ]
        differ.push(" ".join(written))
        stable = differ.text[: differ.stable]
        assert (
            "".join(char for char in stable.lower() if char.isalpha() or char == " ").split() == sentence[: count - 1]
        )
        assert stable.startswith(was_stable)
        assert stable[-1:].isalpha() or not stable
        # Behind the stable words stands what the newest hypothesis has.
        assert differ.text.endswith(written[-1])
        assert differ.text[differ.stable :].count(" ") <= 1
        was_stable = stable


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12))
def test_a_growing_hypothesis_is_shown_as_it_is(letters: list[str]) -> None:
    differ = TranscriptDiffer()
    for count in range(1, len(letters) + 1):
        differ.push(" ".join(letters[:count]))
        assert differ.text == " ".join(letters[:count])
        assert differ.text[: differ.stable] == " ".join(letters[: count - 1])


@pytest.mark.parametrize("seed", range(30))
def test_the_place_of_the_tail_is_found_however_far_the_texts_are_apart(seed: int) -> None:
    """The distances near the diagonal give the place that all of them give."""
    drawn = random.Random(seed)
    stable = [drawn.choice("abcdefghijklmnop") for _ in range(drawn.randrange(60))]
    words = list(stable)
    for _ in range(drawn.randrange(40)):
        at = drawn.randrange(len(words) + 1)
        words[at : at + drawn.randrange(3)] = drawn.choices("abcdxyz", k=drawn.randrange(3))

    far = len(stable) + len(words)
    all_distances = _distances(stable, words, far)
    for band in (0, 1, 8, 30):
        near = _distances(stable, words, band)
        assert [min(distance, band + 1) for distance in all_distances] == near
    assert all_distances[0] == len(stable)
    assert abs(len(stable) - len(words)) <= all_distances[-1] <= max(len(stable), len(words))
    # So far apart, more than one width is tried.
    end = _tail_begin(stable, words)
    if words[: len(stable)] != stable:
        assert all_distances[end] == min(all_distances)
