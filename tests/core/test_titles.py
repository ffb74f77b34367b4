"""What a conversation is called that nobody has named, and how words are looked for in it."""

import sqlite3

import pytest

from voice_trio.core.titles import has_all, spellings, terms_in, title_of


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("", ""),
        ("  What is\n the weather?  ", "What is the weather?"),
        ("a" * 60, "a" * 60),
        ("a" * 61, "a" * 58 + " …"),
        ("word " * 20, "word word word word word word word word word word word …"),
        ("Well, " * 20, "Well, Well, Well, Well, Well, Well, Well, Well, Well …"),
    ],
)
def test_a_title_is_the_first_words(said, title):
    assert title_of(said) == title
    assert len(title) <= 60


def test_the_words_of_a_query_are_looked_for_each_once_and_not_too_many():
    assert terms_in("  Tea TEA with\tmilk ") == ("tea", "with", "milk")
    assert terms_in("") == ()
    assert len(terms_in(" ".join(map(str, range(20))))) == 8
    assert terms_in("u\u0308ber") == ("über",)


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Green TEA, please", "tea green", True),
        ("Green tea", "tea black", False),
        ("Über den Fluß", "ÜBER fluß", True),
        ("100 * 2 [in all]?", "* [in ]?", True),
        ("anything", "%", False),
        ("abc", "a_c", False),
        ("ПРИВЕТ", "привет", True),
        ("🥚 eggs", "🥚", True),
    ],
)
def test_in_the_database_words_are_found_as_they_are_elsewhere(text, query, found):
    assert has_all(text, terms_in(query)) is found
    database = sqlite3.connect(":memory:")
    for term in terms_in(query):
        rows = [database.execute("SELECT instr(lower(?), ?)", (text, one)).fetchone() for one in spellings(term)]
        assert any(at for (at,) in rows) or not found
    database.close()
