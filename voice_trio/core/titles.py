"""What a conversation is called that nobody has named, and how words are looked for."""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_TITLE_CHARS: Final = 100
"""Of a name that a person gives, in code points."""

MAX_QUERY_CHARS: Final = 100

_TITLE_CHARS = 60
_MAX_TERMS = 8
_OBEYED = "*?["
"""By SQLite's GLOB."""


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


def has_all(text: str, terms: tuple[str, ...]) -> bool:
    """Return whether each of ``terms``, as `terms_in` gives them, stands in ``text``, in letters of either size."""
    small = text.lower()
    return all(term in small for term in terms)


def glob_of(term: str) -> str:
    """Return the pattern of SQLite's GLOB for texts that have ``term`` in them, in letters of either size."""
    return f"*{''.join(map(_either_size, term))}*"


def _either_size(char: str) -> str:
    sizes = {one for one in (char, char.lower(), char.upper()) if len(one) == 1}
    return f"[{''.join(sorted(sizes))}]" if len(sizes) > 1 or char in _OBEYED else char
