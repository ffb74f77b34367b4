"""What was heard as words: without case, punctuation and short forms, each with its place in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

LONGEST_CHARS: Final = 400
"""A longer text has no tokens: nobody says as much to have one thing done."""
MOST_TOKENS: Final = 60


class Token(NamedTuple):
    """A word, a number in figures, or a sign."""

    word: str
    start: int
    """Its first code point in the text."""
    end: int


_TOKEN: Final = re.compile(
    r"""
    (?P<dotted> (?:[^\W\d_]\.\s?)+[^\W\d_]\b\.? ) |
    (?P<number> \d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)? | \d+:\d\d(?!\d) | \d+(?:\.\d+)? | \.\d+ ) |
    (?P<sign> [-+−–*×÷/^%()=°$€£√²³½¼¾] ) |
    (?P<word> [^\W\d_]+(?:['’][^\W\d_]+)* )
    """,
    re.VERBOSE,
)

_SHORT: Final = {
    "n't": "not",
    "'ll": "will",
    "'re": "are",
    "'ve": "have",
    "'d": "would",
    "'m": "am",
}
_NO_WORDS: Final = frozenset(["um", "umm", "uh", "uhm", "er", "erm", "hm", "hmm"])
_WITH_IS: Final = frozenset(
    ("what", "it", "that", "where", "who", "how", "when", "there", "here", "he", "she", "which", "time")
)
_WHOLE: Final = {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "let's": ("let", "us"),
    "whats": ("what", "is"),
    "thats": ("that", "is"),
    "hows": ("how", "is"),
    "gimme": ("give", "me"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "dont": ("do", "not"),
    "o'clock": ("oclock",),
    "ok": ("okay",),
    "workout": ("work", "out"),
    "alright": ("all", "right"),
}
_SIGNS: Final = {
    "−": ("-",),
    "–": ("-",),
    "×": ("*",),
    "÷": ("/",),
    "%": ("percent",),
    "°": ("degrees",),
    "²": ("squared",),
    "³": ("cubed",),
    "½": ("half",),
    "¼": ("quarter",),
    "¾": ("three", "quarters"),
}


def tokens(text: str) -> list[Token]:
    """Return the tokens of ``text``; none where it is longer than anybody's wish."""
    if len(text) > LONGEST_CHARS:
        return []
    found = [*_tokens(text)]
    return found if len(found) <= MOST_TOKENS else []


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        for word in _words(match, text):
            if word not in _NO_WORDS:
                yield Token(word, start, end)


def _words(match: re.Match[str], text: str) -> tuple[str, ...]:
    written = unicodedata.normalize("NFC", match[0]).casefold()
    match match.lastgroup:
        case "dotted":
            return (re.sub(r"[.\s]", "", written),)
        case "number":
            return (written.replace(",", ""),)
        case "sign":
            return _sign(match, text, written)
        case _:
            return _spelled_out(written.replace("’", "'"))


def _sign(match: re.Match[str], text: str, written: str) -> tuple[str, ...]:
    words = _SIGNS.get(written, (written,))
    # A hyphen joins words, and a dash parts them; a minus stands before a number.
    if words == ("-",) and not re.match(r"\s?[\d(]", text[match.end() : match.end() + 2]):
        return ()
    return words


def _spelled_out(word: str) -> tuple[str, ...]:
    if word in _WHOLE:
        return _WHOLE[word]
    head, apostrophe, tail = word.rpartition("'")
    if not apostrophe:
        return (word,)
    if word.endswith("n't"):
        return word[:-3], "not"
    if f"'{tail}" in _SHORT:
        return head, _SHORT[f"'{tail}"]
    if tail == "s" and head in _WITH_IS:
        return head, "is"
    return (word.replace("'", ""),)
