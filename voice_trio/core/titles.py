"""What a conversation is called that nobody has named, and how words are looked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase
from typing import Final

MAX_TITLE_CHARS: Final = 100
"""Of a name that a person gives, in code points."""

MAX_QUERY_CHARS: Final = 100

_TITLE_CHARS = 60
_MAX_TERMS = 8

_SMALL_ASCII = str.maketrans(ascii_uppercase, ascii_lowercase)


def title_of(said: str) -> str:
    """Return the first words of what was ``said``, at most 60 code points in one line; empty where there are none."""
    line = " ".join(said.split())
    if len(line) <= _TITLE_CHARS:
        return line
    # Two are for the mark that there was more.
    whole_words = line[: _TITLE_CHARS - 1].rpartition(" ")[0]
    return (whole_words or line[: _TITLE_CHARS - 2]).rstrip(" ,;:") + " …"


def terms_in(query: str) -> tuple[str, ...]:
    """Return what is to be found of ``query``: its words, each once, the first eight of them."""
    return tuple(dict.fromkeys(unicodedata.normalize("NFC", query).lower().split()))[:_MAX_TERMS]


def spellings(term: str) -> tuple[str, ...]:
    """Return how ``term`` may be written, ASCII letters always small: in small letters, capitals, or with one capital.

    SQLite makes ASCII letters small at once, and knows nothing of the sizes of others.
    """
    written = (term.lower(), term.upper(), term.capitalize())
    return tuple(dict.fromkeys(one.translate(_SMALL_ASCII) for one in written))


def has_all(text: str, terms: Iterable[str]) -> bool:
    """Return whether each of ``terms``, as `terms_in` gives them, stands in ``text``, in letters of either size."""
    small = text.translate(_SMALL_ASCII)
    return all(any(spelling in small for spelling in spellings(term)) for term in terms)
