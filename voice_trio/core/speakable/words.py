"""How a person says what is written in letters: abbreviations in full, words as they are."""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable.dates import MONTHS
from voice_trio.core.speakable.draft import Draft

_ABBREVIATIONS = {
    "e.g": "for example",
    "eg": "for example",
    "i.e": "that is",
    "ie": "that is",
    "vs": "versus",
    "approx": "approximately",
    "cf": "compare",
    "dr": "Doctor",
    "mr": "Mister",
    "mrs": "Missus",
    "ms": "Miz",
    "prof": "Professor",
    "jr": "Junior",
    "sr": "Senior",
    "mt": "Mount",
}
_NUMBERED = {"no": "number", "nos": "numbers", "fig": "figure", "figs": "figures", "p": "page", "pp": "pages"}
_NUMBERED |= {"vol": "volume", "ch": "chapter", "sec": "section", "eq": "equation"}
_MONTHS = {name[:3]: name for name in MONTHS if name != "May"} | {"Sept": "September"}
_WORDS = {"vs": "versus", "Ms": "Miz", "aka": "also known as"}

# No letters here, though Python's \w has them: superscripts and vulgar fractions are the business of numbers.
_LETTER = r"[^\W\d_⁰¹²³⁴-⁹ⁿ¼-¾⅐-⅞]"

ET_CETERA = r"(?<![\w.])[Ee]tc\.(?P<etc_end>(?=\s*+(?:\Z|[A-Z])))?"
ABBREVIATION = (
    r"(?<![\w.])(?P<abbreviation>[Ee]\.g|[Ii]\.e|eg|ie|[Vv]s|[Aa]pprox|cf|[DM]r|Mrs|Ms|Prof|Jr|Sr|Mt)\.(?!\w)"
)
SAINT = r"(?<![\w.])St\.(?=\s[A-Z])"
NUMBERED = r"(?<![\w.])(?P<numbered>[Nn]os?|[Ff]igs?|[Vv]ol|[Cc]h|[Ss]ec|pp?|[Ee]q)\.\s?(?=\d)"
MONTH = rf"(?<!\w)(?P<month_name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?(?=\s\d{{1,2}}(?!\d))"
VERSION = r"(?<!\w)v(?=\d)"
WITH = r"(?<!\w)w/(?P<without>o(?!\w))?(?=\s|\w)"
WORD = rf"{_LETTER}++(?:['’]{_LETTER}++)*"


def et_cetera(m: re.Match[str], draft: Draft) -> None:
    """etc., whose full stop may be the sentence's too."""
    draft.say("et cetera", m.start())
    if m["etc_end"] is not None:
        draft.mark(".", m.end() - 1)


def abbreviation(m: re.Match[str], draft: Draft) -> None:
    """e.g.: "for example"; Dr.: "Doctor"."""
    draft.say(_ABBREVIATIONS[m["abbreviation"].lower()], m.start())


def saint(m: re.Match[str], draft: Draft) -> None:
    """St. before a name."""
    draft.say("Saint", m.start())


def numbered(m: re.Match[str], draft: Draft) -> None:
    """No. 5: "number 5"."""
    draft.word(_NUMBERED[m["numbered"].lower()], m.start())


def month(m: re.Match[str], draft: Draft) -> None:
    """Jan 5: "January 5"."""
    draft.say(_MONTHS[m["month_name"]], m.start())


def version(m: re.Match[str], draft: Draft) -> None:
    """v1.2: "version 1.2"."""
    draft.word("version", m.start())


def with_(m: re.Match[str], draft: Draft) -> None:
    """w/ and w/o."""
    draft.word("without" if m["without"] else "with", m.start())


def word(m: re.Match[str], draft: Draft) -> None:
    """A word stays as it is, in plain letters."""
    text = m[0]
    if text in _WORDS:
        draft.say(_WORDS[text], m.start())
    elif text.isascii():
        draft.copy(text, m.start())
    else:
        for offset, char in enumerate(text):
            draft.say(plain(char), m.start() + offset)


def names(text: str) -> frozenset[str]:
    """Return the words of ``text``."""
    return frozenset(text.split())


def plain(char: str) -> str:
    """Return 'a' for its bold, full-width or circled twins, a straight apostrophe for a curly one."""
    if char == "’":
        return "'"
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) <= 4 and plain.isascii() and plain.isalnum() else char
