r"""How a person says a formula in LaTeX: \frac{a+b}{c} is "a plus b over c", \sqrt[3]{8} the "cube root of 8".

A formula is read from left to right by one reader, which reads what a command governs in the same way. What stands in
a pair of braces is looked for over a fixed number of characters, and no deeper than `_DEPTH`: beyond, braces are signs
without a sound. A command that nobody knows is said by its name; before an argument it is a shape, and not said.
"""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable import latex_words as words
from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.math import greek_name
from voice_trio.core.speakable.signs import SIGNS
from voice_trio.core.speakable.words import names, plain

LONGEST = 2000
"""Characters after which a formula, or a pair of braces, that was opened is none."""
_DEPTH = 10

_TOKEN = re.compile(
    r"(?P<space>\s+)|\\(?P<command>[a-zA-Z]+)\*?|(?P<row>\\\\(?:\[[^\[\]\n]{0,20}\])?)|\\(?P<escape>.)"
    r"|(?P<number>\d{1,3}(?:(?:,|\{,\})\d{3}){1,8}(?!\d)|\d+)(?P<part>\.\d+)?|(?P<word>[^\W\d_]+)|(?P<script>[_^])"
    r"|(?P<prime>['′]+)|(?P<brace>[{}])|(?P<sign><=|>=|!=|->|=>|:=|.)",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"\s*\{")
_OPTION = re.compile(r"\s*\[(?P<option>[^\[\]\n]{0,60})\]")
_COLUMNS = re.compile(r"\s*(?:\[[^\[\]\n]{0,60}\])?(?:\{[lcrp|@X\d. ]{1,30}\})?")
_LIMITS = re.compile(r"(?:\s*\\(?:no)?limits)?\s*(?P<script>[_^])\s*")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_ESCAPES = {"%": "percent", "#": "number", "&": "and", "$": "dollars", "|": ""}
_SIGNS = SIGNS | {"-": "minus", "−": "minus", "*": "times", "/": "over", "<": "less than", ">": "greater than"}
_SIGNS |= {"!": "factorial", "·": "times", ":=": "is defined as", "&": "", "~": "", "~=": "about"}
_ROOTS = {"2": "square root of", "3": "cube root of", "4": "fourth root of"}
_POWERS = {"2": "squared", "3": "cubed", r"\circ": "degrees", "T": "transpose", r"\top": "transpose", "*": "star"}
_POWERS |= {r"\prime": "prime", "'": "prime", r"\dagger": "dagger", "+": "plus", "-": "minus"}
_CAPITALS = names("gamma delta theta lambda xi pi sigma upsilon phi psi omega")


class Reader:
    """Reads one formula, or one command, into a draft."""

    def __init__(self, text: str, draft: Draft) -> None:
        self._text = text
        self._draft = draft
        self._depth = 0
        self._cells = False  # & parts cells
        self._approaches = False  # below "lim"
        self._function = False  # the last token can have an argument in brackets
        self._quiet: list[bool] = []  # of each open bracket, whether it makes no pause

    def read(self, at: int, end: int) -> None:
        """Say the text from ``at`` to ``end``."""
        self._depth += 1
        while at < end:
            m = _TOKEN.match(self._text, at, end)
            if m is None:
                break
            at = self._token(m, end)
        self._depth -= 1

    def _token(self, m: re.Match[str], end: int) -> int:
        at, after = m.start(), m.end()
        function, kind = self._function, m.lastgroup
        self._function = False
        if m["command"]:
            return self.command(m["command"], at, after, end)
        if m["script"]:
            return self._script(m["script"], at, after, end, function)
        if kind in ("number", "part"):
            for offset, char in enumerate(m[0]):
                if char.isdigit() or char == ".":
                    self._draft.copy(char, at + offset)
            self._draft.space(after - 1)
        elif m["word"]:
            self._word(m[0], at)
        elif m["prime"]:
            self._draft.word("prime", at)
            self._function = True
        elif m["row"]:
            self._draft.pause(".", at)
        elif m["escape"]:
            name = _ESCAPES.get(m["escape"], "")
            self._draft.word(name, at) if name else self._draft.space(at)
        elif m["sign"]:
            self._sign(m["sign"], at, function)
        else:
            self._draft.space(at)
            self._function = function
        return after

    def _word(self, text: str, at: int) -> None:
        greek = any("\u0370" <= char <= "\u03ff" for char in text)
        for offset, char in enumerate(text):
            if "\u0370" <= char <= "\u03ff":
                self._draft.word(greek_name(char), at + offset)
            else:
                self._draft.say(plain(char), at + offset)
        if not greek:
            self._draft.space(at + len(text) - 1)
        self._function = text in words.FUNCTIONS or (len(text) == 1 and text in "fghFGPO")

    def _sign(self, sign: str, at: int, function: bool) -> None:
        if sign in "([":
            self._quiet.append(function)
            self._draft.word("of", at) if function else self._draft.pause(",", at)
        elif sign in ")]":
            quiet = self._quiet.pop() if self._quiet else False
            self._draft.space(at) if quiet else self._draft.pause(",", at)
        elif sign == "|" or (sign == "&" and self._cells):
            self._draft.pause(",", at)
        elif sign in ".,;:?":
            self._draft.mark(sign, at)
            self._draft.space(at)
        elif _SIGNS.get(sign):
            self._draft.word(_SIGNS[sign], at)
        elif unicodedata.category(sign)[0] in "LN":
            self._draft.say(plain(sign), at)
        else:
            self._draft.space(at)

    def command(self, name: str, at: int, after: int, end: int) -> int:
        """Say the command ``name`` that stands from ``at`` to ``after``; return where what it governs ends."""
        draft = self._draft
        if name in ("begin", "end"):
            return self.environment(after, end)
        if name == "item":
            draft.pause(".", at)
        elif name.endswith(("frac", "binom")):
            draft.space(at)
            after = self._argument(after, end)
            draft.word("over" if name.endswith("frac") else "choose", after - 1)
            after = self._argument(after, end)
            draft.space(after - 1)
        elif name == "sqrt":
            option = _OPTION.match(self._text, after, end)
            index = option["option"].strip() if option else "2"
            draft.word(_ROOTS.get(index) or f"{_letters(index)}-th root of", at)
            after = self._argument(option.end() if option else after, end)
        elif name in words.BIG:
            return self._big(name, at, after, end)
        elif name in words.BEHIND:
            after = self._argument(after, end)
            draft.word(words.BEHIND[name], after - 1)
        elif name in words.SKIPPED:
            option = _OPTION.match(self._text, after, end)
            after = option.end() if option else after
            after = self._span(after, end)[2] if _ARGUMENT.match(self._text, after, end) else after
        else:
            self.name(name, at, after)
            if name.startswith("text") or name in ("mbox", "emph"):
                begin, stop, close = self._span(after, end)
                after = self._words(begin, stop, close) if begin > after else after
        return min(after, end)

    def name(self, name: str, at: int, after: int) -> None:
        """Say what ``name`` stands for, if it has a sound."""
        said = words.FUNCTIONS.get(name) or words.BEFORE.get(name) or words.SIGNS.get(name)
        if self._approaches and name in ("to", "rightarrow"):
            said = "approaches"
        if said is None and (name in words.QUIET or _ARGUMENT.match(self._text, after)):
            said = ""
        if said is None:
            self._draft.space(at)
            self._draft.say(name.lower() if _greek(name) else name, at)
            return
        self._function = name in words.FUNCTIONS
        self._draft.word(said, at) if said else self._draft.space(at)

    def environment(self, after: int, end: int) -> int:
        r"""Pass \begin{name}[...]{...}; return where its content begins."""
        begin, stop, close = self._span(after, end)
        if begin == after:
            return after
        self._cells = self._text[begin:stop].rstrip("*") in words.COLUMNS
        self._draft.pause("," if self._cells else ".", after)
        columns = _COLUMNS.match(self._text, close, end)
        return columns.end() if columns else close

    def _big(self, name: str, at: int, after: int, end: int) -> int:
        draft = self._draft
        draft.word(words.BIG[name], at)
        for _ in range(2):
            limits = _LIMITS.match(self._text, after, end)
            if limits is None:
                break
            below = limits["script"] == "_"
            above = below and _LIMITS.match(self._text, self._span(limits.end(), end, whole=True)[2], end)
            under = words.UNDER.get(name) or ("from" if above else "over")
            draft.word(under if below else "to", limits.start("script"))
            self._approaches = below and name.startswith("lim")
            after = self._argument(limits.end(), end, whole=True)
            self._approaches = False
        draft.word("of", after - 1)
        return after

    def _script(self, script: str, at: int, after: int, end: int, function: bool) -> int:
        if self._depth > _DEPTH:
            self._draft.space(at)
            return after
        begin, stop, close = self._span(after, end, whole=True)
        text = self._text[begin:stop].strip()
        base = script == "_" and self._text[max(0, at - 3) : at] == "log"
        self._function = function
        if script == "^" and function and text == "-1":
            self._draft.word("inverse", at)
        elif script == "^" and text in _POWERS and not (text in "+-" and self._text[close : close + 1].isalnum()):
            self._draft.word(_POWERS[text], at)
        else:
            shaped = text.isalnum() or text.startswith(("\\text", "\\mathrm"))
            said = "to the power" if script == "^" else "base" if base else "" if shaped else "sub"
            self._draft.word(said, at) if said else self._draft.space(at)
            close = self._argument(after, end, whole=True)
            self._function = function
        return close

    def _span(self, at: int, end: int, *, whole: bool = False) -> tuple[int, int, int]:
        """Return where the argument at ``at`` begins and stops, and where the text goes on.

        Without braces it is one character, or one number if ``whole``, or one command.
        """
        found = _ARGUMENT.match(self._text, at, end)
        if found:
            stop = self._stop(found.end(), end)
            return found.end(), stop, min(stop + 1, end)
        while at < end and self._text[at].isspace():
            at += 1
        m = _TOKEN.match(self._text, at, end)
        if m is None or m["brace"]:
            return at, at, at
        stop = m.end() if m["command"] or (whole and m["number"]) else at + 1
        return at, stop, stop

    def _argument(self, at: int, end: int, *, whole: bool = False) -> int:
        """Say the argument at ``at``; return where the text goes on."""
        if at >= end or self._depth > _DEPTH:
            return min(at, end)
        begin, stop, close = self._span(at, end, whole=whole)
        self._draft.space(at)
        if begin == stop:
            return max(begin, at)
        m = _TOKEN.match(self._text, begin, end)
        if m and m["command"] and stop == close:
            self._depth += 1
            close = self._token(m, end)
            self._depth -= 1
            return close
        self.read(begin, stop)
        self._draft.space(stop - 1)
        return close

    def _stop(self, at: int, end: int) -> int:
        """Return where the brace stands that closes the one before ``at``."""
        depth, limit = 1, min(end, at + LONGEST)
        for m in _BRACE.finditer(self._text, at, limit):
            depth += {"{": 1, "}": -1}.get(m[0], 0)
            if not depth:
                return m.start()
        return limit

    def _words(self, at: int, stop: int, close: int) -> int:
        r"""Say what stands in \text{...}; return ``close``."""
        self._draft.space(at - 1)
        for place in range(at, stop):
            char = self._text[place]
            if char.isalnum() or (char in "-'" and place > at and self._text[place - 1].isalnum()):
                self._draft.copy(char, place)
            elif char in ".,;:?!":
                self._draft.mark(char, place)
            else:
                self._draft.space(place)
        self._draft.space(close - 1)
        return close


def _greek(name: str) -> bool:
    """Return whether ``name`` is a capital Greek letter's."""
    return name[:1].isupper() and name.lower() in _CAPITALS


def _letters(text: str) -> str:
    """Return the letters and figures of ``text``."""
    return "".join(char for char in text if char.isalnum()) or "n"
