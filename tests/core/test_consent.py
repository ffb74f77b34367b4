"""What is a yes, and what is not."""

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.consent import is_yes


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("Yes.", None),
        ("Yes", "en"),
        ("yeah, sure", "en"),
        ("Yes, please do it.", "en"),
        ("Okay, go ahead.", "en"),
        ("Oh, of course. Thank you!", "en"),
        ("YES YES YES", "en"),
        ("That's right, yes.", "en"),
        ("Ja, bitte.", "de"),
        ("In Ordnung.", "de"),
        ("Oui, s'il te plaît.", "fr"),
        ("Bien sûr, vas-y.", "fr"),
        ("Sí, por favor.", "es"),
        ("Sì, va bene.", "it"),
        ("Ja, graag.", "nl"),
        ("Tak, proszę.", "pl"),
        ("Pode ser.", "pt"),
    ],
)
def test_a_yes(said, language):
    assert is_yes(said, language)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("", "en"),
        ("...", "en"),
        ("No.", "en"),
        ("Yes, but tomorrow.", "en"),
        ("Yes, no, wait.", "en"),
        ("Not yes.", "en"),
        ("Don't do it.", "en"),
        ("Please.", "en"),
        ("Thank you.", "en"),
        ("Yesterday.", "en"),
        ("Sure thing is nothing.", "en"),
        ("What would be deleted?", "en"),
        ("Yes " * 40, "en"),
        ("Ja.", "en"),
        ("Yes.", "de"),
        ("Ja, aber später.", "de"),
        ("はい", "ja"),
        ("Yes.", "ja"),
    ],
)
def test_no_yes(said, language):
    assert not is_yes(said, language)


@given(st.text(max_size=200), st.sampled_from([None, "en", "de", "xx"]))
def test_any_text_is_judged(said, language):
    assert is_yes(said, language) in (True, False)
    assert not is_yes(said + " no", language)
