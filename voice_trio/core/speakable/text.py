"""What a person would say for a piece of a reply's written text, and where in it each spoken character comes from.

The text is scanned once from left to right. At each place the first rule of one ordered table that fits takes its
match and adds what is said for it to a `Draft`; the rules stand in modules by their subject, their order here. An act
returns where the text goes on if that is not the end of the match, and declines by returning where the match began:
then only the rules that never decline are tried. Inside a line's `code` nothing is markup.

Markdown's signs are dropped one by one, never looked for in pairs: a phrase may hold the first half of a pair, and its
other half comes with the next. Tags, links and formulas come whole (`core.phrases` sees to it), if they have a sane
length. Only what a line begins with, and whether it stands in code, in a comment or in an address, is carried from
phrase to phrase.

No rule looks further than a fixed number of characters, or further than what it then takes, or twice at the same
run of characters; so time and spoken text grow with the text and no faster, whatever it holds.

Code is not read out: the block is named once, and what stands in it is skipped. Else nothing that has letters or
figures is silent but tags, comments, script and style, the destinations and titles of links, footnote marks, and what
a command of LaTeX governs for the printer alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voice_trio.core.speakable import dates, latex, links, math as maths, money, numbers, phone, signs, tags, words
from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.figures import plain_figures

_Act = Callable[[re.Match[str], Draft], int | None]
_Rules = tuple[tuple[str, _Act], ...]

_GAP: _Rules = ((r"\s++(?![*^·x×>›»→%])", signs.gap),)
"""White space, unless a sign of arithmetic may stand behind it."""

_MARKUP: _Rules = (
    (tags.COMMENT, tags.comment),
    (tags.DECLARATION, tags.declaration),
    (links.ENTITY, links.entity),
    (links.LINK_END, links.link_end),
    (links.FOOTNOTE, signs.nothing),
    (r"!(?=\[)", signs.nothing),
    (latex.COMMAND, latex.command),
)

_TENTATIVE_MARKUP: _Rules = (
    (tags.TAG, tags.tag),
    (latex.DISPLAY, latex.display),
    (latex.INLINE, latex.inline),
)

_TENTATIVE: _Rules = (
    (phone.LOCAL_PHONE, phone.local_phone),
    (maths.STARS_POWER, maths.stars_power),
    (maths.TIMES, maths.times),
)

_CERTAIN: _Rules = (
    (tags.ENCLOSED, tags.enclosed),
    (links.URL, links.url),
    (links.EMAIL, links.email),
    (signs.EMOTICON, signs.gap),
    (dates.DATE, dates.date),
    (dates.DOTTED_DATE, dates.dotted_date),
    (phone.PHONE, phone.phone),
    (phone.SHORT_PHONE, phone.phone),
    (phone.ADDRESS, phone.address),
    (phone.HARDWARE, phone.hardware),
    (phone.SERIAL, phone.serial),
    (dates.CLOCK, dates.clock),
    (dates.HOUR, dates.hour),
    (numbers.RATIO, numbers.ratio),
    (money.MONEY, money.money),
    (money.CASH, money.cash),
    (numbers.HEIGHT, numbers.height),
    (dates.SLASHED_DATE, dates.slashed_date),
    (numbers.INCHES, numbers.inches),
    (numbers.MODULO, numbers.modulo),
    (numbers.FRACTION, numbers.fraction),
    (numbers.VULGAR, numbers.vulgar),
    (numbers.HEX, numbers.hexadecimal),
    (numbers.SCIENTIFIC, numbers.scientific),
    (numbers.NUMBER, numbers.number),
    (maths.POWER, maths.power),
    (maths.ISOTOPE, maths.isotope),
    (maths.RAISED, maths.raised),
    (maths.BY, maths.by),
    (maths.VARIABLE, maths.variable),
    (maths.ROOT, maths.root),
    (maths.FUNCTION, maths.function),
    (maths.NAMED_FUNCTION, maths.named_function),
    (maths.FACTORIAL, maths.factorial),
    (maths.GREEK, maths.greek),
    (words.ET_CETERA, words.et_cetera),
    (words.ABBREVIATION, words.abbreviation),
    (words.SAINT, words.saint),
    (words.NUMBERED, words.numbered),
    (words.MONTH, words.month),
    (words.VERSION, words.version),
    (words.WITH, words.with_),
    (words.WORD, words.word),
    (signs.PLURAL, signs.plural),
    (signs.INDEX, signs.gap),
    (signs.SHARP, signs.sharp),
    (signs.HASH, signs.hash_),
    (signs.ELLIPSIS, signs.ellipsis),
    (signs.SCOPE, signs.gap),
    (signs.DOT_INSIDE, signs.dot_inside),
    (signs.RUN, signs.gap),
    (signs.MENU, signs.menu),
    (signs.MIDDLE_DOT, signs.middle_dot),
    (signs.SIGN, signs.sign),
    (signs.PUNCTUATION, signs.punctuation),
    (signs.COMPARISON, signs.comparison),
    (signs.DASH, signs.dash),
    (signs.ABOUT, signs.about),
    (signs.UNDERSCORE, signs.gap),
    (signs.SLASH, signs.slash),
    (r"\(\)", signs.nothing),
    (r"\s+", signs.gap),
    (signs.PAUSES, signs.pause),
    (r"(?s:.)", signs.other),
)

FENCE = re.compile(r"[ \t>]*+(?P<fence>`{3,}+|~{3,}+)(?P<info>[^\n]*+)")
"""A line that opens or closes a block of code."""


class _Scanner:
    """Rules in their order, as one pattern; with a second one for where a rule declines."""

    def __init__(self, *groups: _Rules) -> None:
        self._match, self._acts = _compiled(*groups)
        self._rest, self._rest_acts = _compiled(_GAP, _CERTAIN)

    def run(self, text: str, at: int, end: int, draft: Draft) -> int:
        """Say ``text`` from ``at`` on; return where it goes on, at ``end`` or behind it."""
        while at < end:
            match = self._match(text, at, end)
            after = self._acts[match.lastgroup or ""](match, draft) if match else end
            if match and after == at:
                match = self._rest(text, at, end)
                after = self._rest_acts[match.lastgroup or ""](match, draft) if match else end
            at = after if after is not None else match.end() if match else end
        return at


def _compiled(*groups: _Rules) -> tuple[Callable[[str, int, int], re.Match[str] | None], dict[str, _Act]]:
    rules = [rule for group in groups for rule in group]
    pattern = "|".join(f"(?P<rule{index}>{pattern})" for index, (pattern, _) in enumerate(rules))
    return re.compile(pattern).match, {f"rule{index}": act for index, (_, act) in enumerate(rules)}


def _line_code(m: re.Match[str], draft: Draft) -> None:
    """`code`, in which nothing is markup."""
    _CODE.run(m.string, m.start("code"), m.end("code"), draft)


_LINE_CODE: _Rules = ((r"(?<!`)(?P<ticks>`{1,3})(?P<code>[^`\n]{1,120})(?P=ticks)(?!`)", _line_code),)
_CODE = _Scanner(_GAP, _TENTATIVE, _CERTAIN)
_PROSE = _Scanner(_GAP, _LINE_CODE, _TENTATIVE_MARKUP, _MARKUP, _TENTATIVE, _CERTAIN)

# Repeated groups are not possessive, here and in what speakable uses: CPython 3.11.2 forgets to step back when the last
# round of such a group fails halfway, and loses a sign.
_REFERENCE = re.compile(
    r"[ \t]*+\[(?!\^)[^\[\]\n]{1,100}\]:\s+(?:<[^<>\s]*+>|[^\s<>]{0,2000}?[/.#][^\s<>]*+)(?:\s*+\Z|\s++[\"'(])"
)
_BLOCK = re.compile(
    r"(?:[ \t]*+(?:>|#{1,6}(?=\s)|[-*+•‣◦▪–](?=\s)|\[[ xX]\](?=\s)))*(?:[ \t]*+(?P<number>\d{1,3})[.)](?=\s))?"
)
_DRAWN = " \t\r\n-*_=:|+~#"
"""A line of nothing but these is drawn, not written: a rule, an underline, the line under a table's head."""


_SILENT_TAIL = 20
"""Characters of a phrase in silence that are kept: as many as the longest end of a silence has."""


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
        self._silent_until = ""  # what ends the silence that the last phrase was cut in
        self._silent_tail = ""  # the last of that phrase, where that end may have begun

    def speak(self, text: str) -> Spoken:
        """Return what is said for ``text``, the reply's next phrase."""
        draft, written = Draft(), plain_figures(text)
        at = self._rest_of_silence(written) or self._rest_of_link(written)
        while at < len(written):
            at = self._line(written, at, draft)
        self._in_link = bool(written) and draft.open_link_end == len(written)
        self._silent_until = draft.silent_until or self._silent_until
        self._silent_tail = written[draft.silent_from :][-_SILENT_TAIL:] if self._silent_until else ""
        return Spoken(draft.text, draft.source, len(text))

    def _rest_of_silence(self, text: str) -> int:
        if not self._silent_until:
            return 0
        before = len(self._silent_tail)
        end = tags.SILENT_ENDS[self._silent_until].search(self._silent_tail + text)
        if end is None:
            self._line_begins = text.endswith("\n") or (not text and self._line_begins)
            return len(text)
        self._silent_until = ""
        return max(end.end() - before, 0)

    def _rest_of_link(self, text: str) -> int:
        if not self._in_link:
            return 0
        return next((at for at, char in enumerate(text) if char.isspace()), len(text))

    def _line(self, text: str, at: int, draft: Draft) -> int:
        """Say the line of ``text`` that begins at ``at``; return where the next one begins."""
        end = text.find("\n", at) + 1 or len(text)
        begins, line = self._line_begins, text[at:end]
        self._line_begins = line.endswith("\n") or (begins and line.isspace())
        if begins and self._fenced(line, at, draft):
            return end
        if self._fence:
            return end
        if begins and _REFERENCE.match(line):
            return tags.silence(text, at, "line", draft)
        if begins and not line.strip(_DRAWN):
            draft.pause(".", at)
            return end
        prefix = _BLOCK.match(text, at, end) if begins else None
        block = prefix is not None and prefix.end() > at
        if prefix is not None and block:
            draft.pause(".", at)
            at = prefix.end()
            if prefix["number"]:
                draft.copy(prefix["number"], prefix.start("number"))
                draft.mark(",", at - 1)
        after = _PROSE.run(text, at, end, draft)
        if after > end:  # what began in this line goes beyond it
            self._line_begins = text[after - 1] == "\n"
            return after
        if line.endswith("\n") and (block or line.lstrip().startswith("|")):
            draft.pause(".", end - 1)
        return end

    def _fenced(self, line: str, at: int, draft: Draft) -> bool:
        """Return whether ``line`` opens or closes a block of code, and note that it does."""
        fence = FENCE.match(line)
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
            draft.say(latex.CODE, at + fence.start("fence"))
        draft.pause(".", at)
        return True
