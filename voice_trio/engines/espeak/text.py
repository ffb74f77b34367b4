"""What of a text espeak-ng survives: how long a word, a clause and a run of dotted letters may be.

espeak-ng 1.52.0 copies what it makes of a word into fields of fixed length and does not always look whether it fits.
Built with AddressSanitizer, it writes past its stack at the first of these: a word of 134 characters that it spells
("s's's's..."), one of 81 bytes of letters with a dot behind each ("A.A.A...", "é.é.é...", "a . a . a ..." as well),
165 of prefixes or 250 of suffixes ("antiantianti..."), and it reads past a list at about 300 words in a clause
("a/a/a..." has two a slash). In European Portuguese it follows a null pointer at the second "©" of a clause. A break
that ends a clause ends all of these.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

LONGEST_WORD: Final = 40
"""Characters without white space. A longer one is a compound at best, and is spoken in pieces."""
LONGEST_CLAUSE: Final = 150
"""Characters without a break of ours, after which the next white space becomes one. No phrase has as many."""
MOST_DOTS: Final = 12
"""Full stops without a break of ours: at most 4 bytes of UTF-8 before each, of 80 that there is room for."""

_ONCE: Final = "©"
"""Said once in a clause."""
_BREAK: Final = ", "
_PARTS: Final = re.compile(r"\S+|\s+")


class Spoken(NamedTuple):
    """What espeak is given in place of a text."""

    text: str
    places: list[int]
    """For every character of `text`, its place in the original; for one that was put in, that of the one behind it."""


def survivable(text: str) -> Spoken:
    """Return ``text`` with a short pause wherever it would go on for longer than espeak can take; nothing is lost."""
    made: list[str] = []
    places: list[int] = []
    clause = dots = once = 0

    def pause(place: int) -> None:
        nonlocal clause, dots, once
        # To espeak "a., b" is "a.b", while "a, b" is two clauses. The dot is not spoken in either.
        if made and made[-1] == ".":
            made.pop()
            places.pop()
        made.extend(_BREAK)
        places.extend([place] * len(_BREAK))
        clause = dots = once = 0

    for part in _PARTS.finditer(text):
        if clause >= LONGEST_CLAUSE and part[0].isspace():
            pause(part.start())
        for start, end in _pieces(part[0]):
            if start:
                pause(part.start() + start)
            for place in range(part.start() + start, part.start() + end):
                if dots >= MOST_DOTS or (once and text[place] == _ONCE):
                    pause(place)
                made.append(text[place])
                places.append(place)
                dots += text[place] == "."
                once += text[place] == _ONCE
                clause += 1
    return Spoken("".join(made), places)


def _pieces(part: str) -> list[tuple[int, int]]:
    """Return where ``part`` is cut, as [start, end): into one piece unless it is a long word."""
    if part.isspace():
        return [(0, len(part))]
    cuts = [0]
    while len(part) - cuts[-1] > LONGEST_WORD:
        first, last = cuts[-1] + LONGEST_WORD // 2, cuts[-1] + LONGEST_WORD
        joints = (at for at in range(last, first, -1) if part[at].isalnum() and not part[at - 1].isalnum())
        letters = (at for at in range(last, first, -1) if unicodedata.category(part[at])[0] not in "MC")
        cuts.append(next(joints, None) or next(letters, last))
    return list(zip(cuts, [*cuts[1:], len(part)], strict=True))
