"""Moonshine's vocabulary, its decoder's arithmetic and how pieces are joined: without the model."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from voice_trio.engines.decoding.pieces import Cut, Piece, decode_pieces, pieces
from voice_trio.engines.moonshine.decode import best, most_tokens, words_of
from voice_trio.engines.moonshine.recognizer import PIECE, WINDOW, joined
from voice_trio.engines.moonshine.tokenizer import Damaged, read

S = 16_000
FIRST = [b"<unk>", b"<s>", b"</s>"]


def file_of(tokens):
    """Write a vocabulary as Moonshine's own tool does."""
    lengths = (bytes([len(one)] if len(one) < 128 else [len(one) % 128 + 128, len(one) // 128]) for one in tokens)
    return b"".join(length + one for length, one in zip(lengths, tokens, strict=True))


def test_a_text_is_its_tokens_without_marks():
    space = "\u2581".encode()
    vocabulary = read(file_of([*FIRST, space + b"Turn", space + b"it", b"!", b"\xc3", b"\xa9", b"<<ST_7>>", b"<", b""]))
    assert len(vocabulary) == 11
    assert vocabulary.decode([1, 3, 4, 5, 8, 2]) == "Turn it!"
    assert vocabulary.decode([3, 6, 7]) == "Turn\u00e9"
    assert vocabulary.decode([6, 5]) == "\ufffd!"
    assert vocabulary.decode([3, 9, 10]) == "Turn<"
    assert vocabulary.decode([]) == ""


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_vocabulary_is_read_as_it_was_written(tokens):
    vocabulary = read(file_of([*FIRST, *tokens]))
    assert vocabulary._tokens == [*FIRST, *tokens]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "its token 1 is not <s>"),
        (file_of([b"<unk>", b"</s>", b"<s>"]), "its token 1 is not <s>"),
        (file_of([b"<unk>", b"<s>", b"x"]), "its token 2 is not </s>"),
        (file_of(FIRST)[:-1], "it ends inside token 2"),
        (file_of(FIRST) + b"\x80", "it ends in the length of token 3"),
        (file_of(FIRST) + b"\x05ab", "it ends inside token 3"),
    ],
)
def test_a_damaged_vocabulary_says_where(data, why):
    with pytest.raises(Damaged) as caught:
        read(data)
    assert str(caught.value) == why


def test_a_second_has_at_most_six_and_a_half_tokens():
    assert [most_tokens(samples) for samples in (1, S, 2 * S, 4 * S)] == [1, 7, 13, 26]


def test_the_likeliest_token_and_how_likely_it_is():
    token, log_probability = best(np.log(np.array([0.1, 0.6, 0.3], np.float32)) + 1000)
    assert token == 1
    assert math.exp(log_probability) == pytest.approx(0.6, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "log_probability", "heard"),
    [
        ("Turn it off.", -0.9, "Turn it off."),
        ("Turn it off.", -1.1, ""),
        ("♪♪ ♪", -0.1, ""),
        ("7!", -0.1, "7!"),
        ("go on go on go on go on", -0.1, "go on"),
        ("", 0.0, ""),
        ("You", -0.1, ""),
        ("Mm-h", -0.3, ""),
        ("Mm-H", -0.3, ""),
        ("You.", -0.1, "You."),
        ("You too", -0.1, "You too"),
        ("Mm-hmm.", -0.3, "Mm-hmm."),
    ],
)
def test_what_is_no_speech_has_no_words_and_what_loops_is_kept_once(text, log_probability, heard):
    assert words_of(text, log_probability) == heard


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Will it rain to-day, or to-night? To-morrow!", "Will it rain today, or tonight? Tomorrow!"),
        ("Come to morrow.", "Come tomorrow."),
        ("From day to night, up to day three.", "From day to night, up to day three."),
        ("A how-to-day and a to-dayish thing.", "A how-to-day and a to-dayish thing."),
    ],
)
def test_spelling_is_todays(old, new):
    assert words_of(old, -0.1) == new


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["It was the best.", "Of times."], "It was the best. Of times."),
        (["It was the best.", "of times."], "It was the best of times."),
        (["It was...", "of times."], "It was... of times."),
        (["", "One.", "", "two."], "One two."),
        (["Is it?", "yes."], "Is it? yes."),
        ([], ""),
    ],
)
def test_pieces_are_joined(texts, text):
    assert joined(texts) == text


@pytest.mark.parametrize("cut", [WINDOW, PIECE])
def test_a_cut_is_where_it_is_quiet_and_leaves_what_it_says(cut):
    rng = np.random.default_rng(3)
    audio = rng.integers(-9000, 9000, 100 * S).astype("<i2")
    first = cut.first * cut.most_s
    for begin in (first + 0.7, first + 1.3):
        audio[int(begin * S) : int((begin + 0.3) * S)] //= 10 if begin == first + 0.7 else 1000
    found = list(pieces(audio, cut))
    assert np.array_equal(np.concatenate(found), audio)
    assert max(map(len, found)) <= cut.most_s * S
    assert min(map(len, found[:-1])) >= first * S
    assert len(found[0]) / S == pytest.approx(first + 1.45, abs=0.06)
    # The window moves on while two seconds are left.
    assert len(audio) - sum(map(len, found[:-1])) >= (1 - cut.last) * cut.most_s * S
    # However long it gets, the cuts stay where they were.
    longer = list(pieces(np.concatenate([audio, audio]), cut))
    assert [len(one) for one in longer[: len(found) - 1]] == [len(one) for one in found[:-1]]


def test_what_is_known_of_a_piece_is_not_decoded_again():
    audio, decoded = np.ones(25 * S), []

    def decode(samples, parts):
        decoded.append(len(parts))
        return len(samples)

    known: dict[Piece, int] = {}

    def ask(audio, wanted=lambda: True, how="one way"):
        return decode_pieces(audio, Cut(10.0), known, wanted, lambda parts: how, decode)

    found = ask(audio)
    assert sum(samples for samples, _ in found) == len(audio)
    assert all(fresh for _, fresh in found)
    decoded.clear()
    assert [fresh for _, fresh in ask(audio)] == [False] * (len(found) - 1) + [True]
    assert decoded == [len(found) - 1]
    # Another way is another piece, and who is not wanted any more ends with the first.
    assert len(ask(audio, wanted=lambda: False, how="another")) == 1
