"""Cuts a reply into phrases while it is still being written: each is spoken as soon as it stands.

Every decision is taken when a character that is not white space arrives, from the reply's text up to and including
that character. So the phrases depend on the text alone, never on how it was cut into tokens; only `flush`, which
stands for time gone by, can change them. And so a stop that is the last thing written is not judged yet: what follows
tells "3." of "3.14" from the end of a sentence, and "etc." inside one from "etc." at its end.

Markup is read before anything is cut: a tag with its attributes, a comment, a link's address and title, a line's code,
a formula, a web address stand whole in one phrase. While it is open (`core.markup` tells), a phrase can only end before
it; what of it is not said counts for no length. That holds for `flush` too, which gives out what stands before the open
markup and keeps the rest. The wait is short by law: what only looks like markup is dropped at the first character that
shows it, and what is never closed after `markup.LONGEST` characters; from there on it is text like any other.

A phrase that grows too long ends between words, but not inside an amount or a sum: "5 km", "+1 555", "3 - 4".

White space after a phrase belongs to that phrase, which is therefore handed out with the first character of the next
one. Law: the phrases' texts joined are the reply, to the last character. Hence the only phrases of nothing but white
space: that of a reply which is nothing else, and what white space comes last of all, after a `flush`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voice_trio.core import markup
from voice_trio.core.markup import OpenMarkup

LONG = 60
"""Characters after which a phrase that somebody waits for ends at the last word boundary."""

LONG_LATER = 100
"""The same for those after it, which are to be whole clauses: while one is heard, the next has time to be written."""

CLAUSE = 40
"""Characters from which on a later phrase ends at a comma. A voice says a clause as one, so shorter ones stay with what
follows."""

LONGEST = 120
"""Characters, neither markup nor white space around them counted, that no phrase exceeds, though it have no word
boundary at all. With its markup no phrase exceeds this and `markup.LONGEST` together."""

WORTH_SPEAKING_CHARS = 20
WORTH_SPEAKING_WORDS = 4
"""Either is more than a second of speech, in which the next phrase can be written and synthesised. Until so much was
given out somebody waits, and a phrase of that size ends at a comma."""

OPENING_WORDS = 2
"""So many words let the very first phrase end at a comma or a colon: what comes after it is waited for in any case, and
is waited for less while something is heard."""

_STOPS = frozenset(".?!…。？！")
_WIDE_STOPS = frozenset("。？！")
_CLAUSE_MARKS = frozenset(",;:–—，、；：")
_BREAKABLE = frozenset("—，、；：")
"""A word may begin right after these, without white space."""
_HELD = frozenset("+-−–=*/<>×÷·±^%°()$€£¥₹#")
"""With figures, what holds the words of an amount or a sum together."""
_RIGHT = ")]}»”’」』）】》"
"""Closing signs that cannot be mistaken for opening ones."""
_CLOSERS = _RIGHT + "\"'*_`~ \t\u00a0\u202f"
"""What may stand between a stop and the end of its sentence; Markdown's emphasis closes like a quotation mark."""
_OPENERS = "\"'*_`~([{«“‘「『（【《#>"
_NEWLINES = frozenset("\n\r\x0b\x0c\x85\u2028\u2029")

_TITLES = re.compile(
    "dr|mr|mrs|ms|prof|rev|hon|gen|col|capt|cpt|lt|sgt|gov|sen|rep|pres|st|mt|messrs|mme|mlle"
    r"|e\.g|eg|i\.e|ie|vs|cf|viz|approx|ca"
)
"""Always followed by what they belong to."""
_BEFORE_NUMBER = re.compile("rs|kr|nos?|pp?|figs?|vol|ch|sec|art|eq")
_OPEN_ENDED = re.compile(
    r"etc|inc|ltd|co|corp|jr|sr|al|dept|est|ext|max|min|avg|ave|blvd|rd|ph\.d"
    "|ft|yd|oz|lbs?|hrs?|mins?|secs?|tbsp|tsp|mio|mrd|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|thurs?|fri|sat|sun"
)
"""May stand inside a sentence or end it: the next letter's case tells."""
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_LIST_NUMBER = re.compile(r"[\s#>*_+•-]*\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5}|[IVX]{1,5})\.[*_\s]*")
_LAST_TAGS = re.compile(r"(?:</?[a-zA-Z][^<>]{0,30}>\s*+)+\Z")
_TAIL = 32
"""Characters looked back at to judge a stop: longer than any abbreviation with its quotation marks."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is spoken in one breath: characters ``start`` to ``end`` of the reply; ``index`` counts from 0."""

    index: int
    start: int
    end: int
    text: str


class PhraseAggregator:
    """Tokens of one reply in, phrases out. Takes time in proportion to the text, however it is cut."""

    def __init__(self) -> None:
        self._index = 0
        self._awaited = True  # so little was given out that somebody waits for more
        self._start = 0  # where in the reply the pending characters begin
        self._at_line_start = True  # nothing but white space stands before them in their line
        self._pending: list[str] = []  # the characters that are in no phrase yet
        self._first: int | None = None  # where in them something other than white space begins
        self._gap = 0  # how many white space characters they end in
        self._newline = False  # one of those is a line break
        self._boundary = 0  # where their last word begins; 0 while there is but one
        self._inner = 0  # the same, though it be inside an amount
        self._words = 0
        self._markup = OpenMarkup()
        self._unsaid = 0  # how many of them are markup that is closed, and makes no sound

    def push(self, token: str) -> list[Phrase]:
        """Add ``token``; return the phrases that it completes."""
        phrases = []
        for char in token:
            if char.isspace():
                self._gap += 1
                self._newline = self._newline or char in _NEWLINES
                self._pending.append(char)
                self._unsaid += self._markup.feed(char)
                continue
            cut = self._cut_before(char)
            if cut:
                phrases.append(self._emit(cut))
            self._append(char)
            self._unsaid += self._markup.feed(char)
        return phrases

    def flush(self) -> list[Phrase]:
        """Return all that is pending: nothing more has come for so long that the voice would fall silent.

        Markup that is open keeps waiting, and so does what has no letter and no digit (white space, or the first signs
        of Markdown) and says nothing.
        """
        cut = self._closed
        return [self._emit(cut)] if any(map(str.isalnum, self._pending[:cut])) else []

    def finish(self) -> list[Phrase]:
        """Return the rest: the reply is over."""
        return [self._emit(len(self._pending))] if self._pending else []

    @property
    def _closed(self) -> int:
        """How many pending characters stand before the markup that is open, if one is."""
        return len(self._pending) - self._markup.length

    def break_off(self) -> list[Phrase]:
        """Return the rest as far as it is a whole sentence: the reply broke off."""
        self._gap = max(self._gap, 1)
        whole = self._first is not None and not self._markup.length and self._ends_here()
        return self.finish() if whole else []

    def _ends_here(self) -> bool:
        """Say whether a sentence or a line is over, if another one were to follow."""
        written = "".join(self._pending).rstrip()
        return self._newline or self._ends_sentence(written[-_TAIL:] + " ", "A")

    def _append(self, char: str) -> None:
        if self._first is None:
            self._first = len(self._pending)
            self._at_line_start = self._at_line_start or self._newline
            self._words = 1
        else:
            before = self._pending[-1]
            if self._gap and not self._markup.length:
                self._inner = len(self._pending)
                if not self._holds(char):
                    self._boundary = self._inner
            elif before in _BREAKABLE and not self._markup.length:
                self._boundary = self._inner = len(self._pending)
            self._words += self._gap > 0 and not self._markup.length
        self._gap = 0
        self._newline = False
        self._pending.append(char)

    def _holds(self, char: str) -> bool:
        """Return whether the word before the white space that comes last, and the one that begins, are one amount."""
        last = self._pending[-self._gap - 1]
        return last.isnumeric() or char.isnumeric() or last in _HELD or char in _HELD

    def _cut_before(self, char: str) -> int:
        """Return how many pending characters are a phrase, now that ``char`` (no white space) follows; 0 for none."""
        if self._first is None:
            return 0
        size = len(self._pending)
        if not self._markup.length:
            if self._newline:
                return size
            last = self._pending[-1]
            if self._gap or last in _WIDE_STOPS or last in _RIGHT or last in _BREAKABLE:
                before = self._before()
                if self._ends_sentence(before, char) or self._ends_clause(before, char):
                    return size
        return self._too_long(char)

    def _too_long(self, char: str) -> int:
        closed = self._closed
        length = closed - (self._first or 0) - self._unsaid
        if length < (LONG if self._awaited else LONG_LATER) and closed < markup.LONGEST:
            return 0
        if self._gap and not self._markup.length and not self._holds(char):
            return len(self._pending)
        if self._boundary or (length < LONGEST and closed < markup.LONGEST):
            return self._boundary
        return self._inner or closed

    def _before(self) -> str:
        """Return the last pending characters, without tags at their end."""
        tail = "".join(self._pending[-_TAIL:])
        return _LAST_TAGS.sub("", tail) if self._unsaid else tail

    def _ends_sentence(self, before: str, following: str) -> bool:
        core = before.rstrip(_CLOSERS)
        if not core or core[-1] not in _STOPS or following in _STOPS or following in _RIGHT:
            return False
        if core[-1] in _WIDE_STOPS:
            return True
        if not self._gap:
            return False
        if core[-1] in "?!":
            quoted = len(core) < len(before.rstrip())
            return not (quoted and following.islower()) and following not in "=+*/^"  # "Stop!" he said; n! = 6
        if core[-1] == "…" or core.endswith(("..", ". .")):
            return not following.islower()
        return self._full_stop_ends(core, following)

    def _full_stop_ends(self, core: str, following: str) -> bool:
        words = core[:-1].split()
        word = words[-1].lstrip(_OPENERS) if words else ""
        key = word.casefold()
        if _TITLES.fullmatch(key):
            return False
        if _BEFORE_NUMBER.fullmatch(key):
            return not following.isdigit()
        if _OPEN_ENDED.fullmatch(key):
            return following.isupper() or following in _OPENERS[:-2]
        if _DOTTED.fullmatch(word):
            return word.islower() and following.isupper()  # "at 5 p.m. We", but "the U.S. Army", "J.R.R. Tolkien"
        if len(word) == 1 and word.isupper() and word != "I":
            return False  # an initial
        return not (self._at_line_start and len(self._pending) < _TAIL and self._is_list_number())

    def _is_list_number(self) -> bool:
        return _LIST_NUMBER.fullmatch("".join(self._pending)) is not None

    def _ends_clause(self, before: str, following: str) -> bool:
        core = before.rstrip(_CLOSERS)
        dashed = core.endswith((" -", "--")) and not following.isdigit() and following not in _HELD
        if not core or not (core[-1] in _CLAUSE_MARKS or dashed):
            return False
        length = len("".join(self._pending).strip()) - self._unsaid
        if not self._awaited:
            return length >= CLAUSE
        words = WORTH_SPEAKING_WORDS if self._index else OPENING_WORDS
        return length >= WORTH_SPEAKING_CHARS or self._words >= words

    def _emit(self, cut: int) -> Phrase:
        whole = cut == len(self._pending)
        phrase = Phrase(self._index, self._start, self._start + cut, "".join(self._pending[:cut]))
        worth = len(phrase.text.strip()) >= WORTH_SPEAKING_CHARS or len(phrase.text.split()) >= WORTH_SPEAKING_WORDS
        self._awaited = self._awaited and not worth
        self._at_line_start = whole and (self._newline or (self._first is None and self._at_line_start))
        self._index += 1
        self._start += cut
        self._rescan(self._pending[cut:])
        return phrase

    def _rescan(self, rest: list[str]) -> None:
        """Begin a phrase with ``rest``: a word's beginning, open markup, or nothing."""
        self._pending = rest
        self._first = 0 if rest else None
        self._gap = next((at for at, char in enumerate(reversed(rest)) if not char.isspace()), len(rest))
        self._newline = any(char in _NEWLINES for char in rest[len(rest) - self._gap :])
        self._boundary = self._inner = 0
        self._words = 1 if rest else 0
        self._unsaid = 0
