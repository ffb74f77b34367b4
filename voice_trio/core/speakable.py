"""What a person would say for a piece of a reply's written text, and where in it each spoken character comes from.

The text is scanned once from left to right. At each place the first rule of one ordered table that fits takes its
match and adds what is said for it to a `Draft`; the rules stand in `speakable_links`, `speakable_numbers`,
`speakable_words` and `speakable_signs`, and their order here. Markdown's signs are dropped one by one, never looked for
in pairs: a phrase may hold the first half of a pair, and its other half comes with the next. Only what a line begins
with, and whether it stands in a block of code or an address, is carried from phrase to phrase.

No rule looks further than a fixed number of characters, or further than what it then takes, or twice at the same
run of characters; so time and spoken text grow with the text and no faster, whatever it holds.

Code is not read out: the block is named once, and what stands in it is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voice_trio.core import speakable_links as links
from voice_trio.core import speakable_numbers as numbers
from voice_trio.core import speakable_signs as signs
from voice_trio.core import speakable_words as words
from voice_trio.core.speakable_draft import Draft

_CODE = "code block"
"""Said in place of a block of code."""

_Act = Callable[[re.Match[str], Draft], None]

_RULES: tuple[tuple[str, _Act], ...] = (
    (r"\s+", signs.gap),
    (links.COMMENT, signs.nothing),
    (links.TAG, links.tag),
    (links.ENTITY, links.entity),
    (links.LINK_END, links.link_end),
    (links.FOOTNOTE, signs.nothing),
    (r"!(?=\[)", signs.nothing),
    (links.URL, links.url),
    (links.EMAIL, links.email),
    (signs.EMOTICON, signs.gap),
    (numbers.DATE, numbers.date),
    (numbers.PHONE, numbers.phone),
    (numbers.SERIAL, numbers.serial),
    (numbers.CLOCK, numbers.clock),
    (numbers.HOUR, numbers.hour),
    (numbers.RATIO, numbers.ratio),
    (numbers.MONEY, numbers.money),
    (numbers.HEIGHT, numbers.height),
    (numbers.SLASHED_DATE, numbers.slashed_date),
    (numbers.FRACTION, numbers.fraction),
    (numbers.VULGAR, numbers.vulgar),
    (numbers.NUMBER, numbers.number),
    (numbers.POWER, numbers.power),
    (numbers.BY, numbers.by),
    (words.ET_CETERA, words.et_cetera),
    (words.ABBREVIATION, words.abbreviation),
    (words.SAINT, words.saint),
    (words.NUMBERED, words.numbered),
    (words.MONTH, words.month),
    (words.VERSION, words.version),
    (words.WITH, words.with_),
    (words.WORD, words.word),
    (signs.PLURAL, signs.plural),
    (signs.SHARP, signs.sharp),
    (signs.HASH, signs.hash_),
    (signs.FRAC, signs.frac),
    (signs.TEX, signs.tex),
    (signs.ELLIPSIS, signs.ellipsis),
    (signs.DOT_INSIDE, signs.dot_inside),
    (signs.RUN, signs.gap),
    (signs.SIGN, signs.sign),
    (signs.PUNCTUATION, signs.punctuation),
    (signs.COMPARISON, signs.comparison),
    (signs.DASH, signs.dash),
    (signs.TIMES, signs.times),
    (signs.ABOUT, signs.about),
    (signs.UNDERSCORE, signs.gap),
    (signs.SLASH, signs.slash),
    (r"\(\)", signs.nothing),
    (signs.PAUSES, signs.pause),
    (r"(?s:.)", signs.other),
)
_SCAN = re.compile("|".join(f"(?P<rule{index}>{pattern})" for index, (pattern, _) in enumerate(_RULES)))
_ACTS = {f"rule{index}": act for index, (_, act) in enumerate(_RULES)}

# Repeated groups are not possessive, here and in what speakable uses: CPython 3.11.2 forgets to step back when the last
# round of such a group fails halfway, and loses a sign.
_FENCE = re.compile(r"[ \t>]*+(?P<fence>`{3,}+|~{3,}+)(?P<info>[^\n]*+)")
_REFERENCE = re.compile(r"[ \t]*+\[[^\[\]\n]{1,100}\]:\s")
_BLOCK = re.compile(
    r"(?:[ \t]*+(?:>|#{1,6}(?=\s)|[-*+•‣◦▪–](?=\s)|\[[ xX]\](?=\s)))*(?:[ \t]*+(?P<number>\d{1,3})[.)](?=\s))?"
)
_DRAWN = " \t\r\n-*_=:|+~#"
"""A line of nothing but these is drawn, not written: a rule, an underline, the line under a table's head."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said for a text of ``source_length`` code points; ``text`` is empty where there is nothing to say."""

    text: str
    source: tuple[int, ...]
    """For each character of ``text`` the offset in the source of what it stands for; never falling."""
    source_length: int

    def source_at(self, spoken_index: int) -> int:
        """Return how much of the source has been said before character ``spoken_index``; its length at the end."""
        if spoken_index >= len(self.source):
            return self.source_length
        return self.source[max(spoken_index, 0)]


class Speakable:
    """Turns one reply's phrases, in their order, into what is said. Never raises."""

    def __init__(self) -> None:
        self._fence = ""  # what opened the block of code that the text stands in
        self._line_begins = True  # nothing but white space so far in this line
        self._in_link = False  # the last phrase was cut inside an address

    def speak(self, text: str) -> Spoken:
        """Return what is said for ``text``, the reply's next phrase."""
        draft = Draft()
        at = self._rest_of_link(text)
        while at < len(text):
            end = text.find("\n", at) + 1 or len(text)
            self._line(text, at, end, draft)
            at = end
        self._in_link = bool(text) and draft.open_link_end == len(text)
        return Spoken(draft.text, draft.source, len(text))

    def _rest_of_link(self, text: str) -> int:
        if not self._in_link:
            return 0
        return next((at for at, char in enumerate(text) if char.isspace()), len(text))

    def _line(self, text: str, at: int, end: int, draft: Draft) -> None:
        begins, line = self._line_begins, text[at:end]
        self._line_begins = line.endswith("\n") or (begins and line.isspace())
        if begins and self._fenced(line, at, draft):
            return
        if self._fence or (begins and _REFERENCE.match(line)):
            return
        if begins and not line.strip(_DRAWN):
            draft.pause(".", at)
            return
        prefix = _BLOCK.match(text, at, end) if begins else None
        block = prefix is not None and prefix.end() > at
        if prefix is not None and block:
            draft.pause(".", at)
            at = prefix.end()
            if prefix["number"]:
                draft.copy(prefix["number"], prefix.start("number"))
                draft.mark(",", at - 1)
        for match in _SCAN.finditer(text, at, end):
            _ACTS[match.lastgroup or ""](match, draft)
        if line.endswith("\n") and (block or line.lstrip().startswith("|")):
            draft.pause(".", end - 1)

    def _fenced(self, line: str, at: int, draft: Draft) -> bool:
        """Return whether ``line`` opens or closes a block of code, and note that it does."""
        fence = _FENCE.match(line)
        if fence is None:
            return False
        opener, info = fence["fence"], fence["info"]
        if self._fence:
            if opener.startswith(self._fence) and not info.strip():
                self._fence = ""
        elif "`" in info:
            return False  # code inside a line, in long quotes
        else:
            self._fence = opener
            draft.pause(".", at)
            draft.say(_CODE, at + fence.start("fence"))
        draft.pause(".", at)
        return True
