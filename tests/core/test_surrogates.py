from itertools import pairwise

from hypothesis import given, strategies as st

from voice_trio.core.strange_text import Mender


def test_halves_are_joined_across_pieces():
    mender = Mender()
    assert [mender.push(piece) for piece in ("so \ud83d", "\ude00 ", "yes")] == ["so ", "😀 ", "yes"]


def test_a_half_alone_is_replaced():
    mender = Mender()
    assert mender.push("\ude00 a") == "\ufffd a"
    assert mender.push("b\ud83d") == "b"
    assert mender.push("c") == "\ufffdc"


@given(st.text(st.characters(exclude_categories=())), st.lists(st.integers(0, 50)))
def test_what_comes_out_can_be_encoded_and_whole_text_is_left_alone(text, cuts):
    mender = Mender()
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    out = "".join(mender.push(text[a:b]) for a, b in pairwise(edges))
    out.encode()
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert out == text
