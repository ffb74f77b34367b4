"""Where in a reply markup is open, told one character at a time: nothing may be cut there.

Each kind of markup has a reader, a generator that is sent the characters behind the opening one. It ends when the
markup is closed, or as soon as what follows shows that it is none: a "<" before a space, a "$" before money and
words, a "](" before prose. So what only looks like markup is open for a few characters at most, and what is markup for
`LONGEST`; then it is given up. Characters that a reader has taken are not looked at again: the work grows with the text
alone. What counts as a tag or as a formula is decided by the modules that say them (`core.speakable`).

Within a fenced block of code nothing is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from enum import Enum, auto

from voice_trio.core import speakable_latex_words as latex
from voice_trio.core.speakable_tags import LONGEST_NAME, is_bare_attribute, is_tag_name

LONGEST = 2000
"""Characters after which markup that is still open is taken for none."""

_LONGEST_CODE = 120
_FENCE_LINE = 200


class _End(Enum):
    SILENT = auto()
    """Closed by this character; none of it is said."""
    SAID = auto()
    """Closed by this character."""
    BEFORE = auto()
    """Closed before this character; none of it is said."""
    NONE = auto()
    """No markup, as this character shows; or closed before it."""


_Reader = Generator[None, str, _End]

FENCE = re.compile(r"[ \t>]*+(?P<fence>`{3,}+|~{3,}+)(?P<info>[^\n]*+)")
"""A line that opens or closes a block of code."""


class OpenMarkup:
    """Told a reply's characters in order, says how many of the last ones are markup that is not closed."""

    def __init__(self) -> None:
        self.length = 0
        """Characters of the markup that is open; 0 for none."""
        self._reader: _Reader | None = None
        self._last = ""  # the last character
        self._line: list[str] = []  # the beginning of the line
        self._fence = ""

    def feed(self, char: str) -> int:
        """Take the next character; return of how many characters, up to it or just before it, nothing will be said."""
        silent = 0
        if self._reader is None:
            self._open(char)
        else:
            try:
                self._reader.send(char)
                self.length += 1
                if self.length > LONGEST:
                    self._reader, self.length = None, 0
            except StopIteration as stop:
                silent = self._closed(stop.value, char)
        self._last = char
        self._follow_line(char)
        return silent

    def _closed(self, end: _End, char: str) -> int:
        length, self._reader, self.length = self.length, None, 0
        if end in (_End.BEFORE, _End.NONE):
            self._open(char)
        return length + 1 if end is _End.SILENT else length if end is _End.BEFORE else 0

    def _open(self, char: str) -> None:
        if self._fence:
            return
        reader: Callable[[], _Reader] | None = None
        if char == "<":
            reader = _angle
        elif char == "`":
            reader = _code
        elif char == "\\":
            reader = _command
        elif char == "$" and not self._last.isalnum() and self._last != "$":
            reader = _dollar
        elif char == "]":
            reader = _link_end
        elif char == "h" and not self._last.isalnum():
            reader = _address
        if reader:
            self._reader, self.length = reader(), 1
            next(self._reader)

    def _follow_line(self, char: str) -> None:
        if char != "\n":
            if len(self._line) < _FENCE_LINE:
                self._line.append(char)
            return
        line, self._line = "".join(self._line), []
        fence = FENCE.match(line)
        if fence is None or self._reader is not None:
            return
        if not self._fence:
            self._fence = "" if "`" in fence["info"] else fence["fence"]
        elif fence["fence"].startswith(self._fence) and not fence["info"].strip():
            self._fence = ""


def _angle() -> _Reader:
    """Read a tag, a comment, a declaration."""
    char = yield
    if char in "!?":
        return (yield from _declaration(char))
    if char == "/":
        char = yield
    name = ""
    while char.isalnum() or char in "-_:":
        name += char
        if len(name) > LONGEST_NAME:
            return _End.NONE
        char = yield
    if not is_tag_name(name):
        return _End.NONE
    while True:
        while char.isspace():
            char = yield
        if char == "/":
            char = yield
            return _End.SILENT if char == ">" else _End.NONE
        if char == ">":
            return _End.SILENT
        attribute = ""
        while char.isalnum() or char in "-_:.@":
            attribute += char
            char = yield
        while attribute and char.isspace():
            char = yield
        if attribute and char == "=":
            char = yield
            while char.isspace():
                char = yield
            if char in "\"'":
                yield from _until(char)
                char = yield
            else:
                while not char.isspace() and char not in "<>":
                    char = yield
        elif not is_bare_attribute(attribute):
            return _End.NONE


def _declaration(char: str) -> _Reader:
    if char == "!":
        char = yield
        if char == "-":
            char = yield
            if char != "-":
                return _End.NONE
            yield from _until("-->")
            return _End.SILENT
    else:
        char = yield
    if not char.isalpha():
        return _End.NONE
    yield from _until(">")
    return _End.SILENT


def _until(end: str) -> Generator[None, str, str]:
    """Read up to ``end``; return what was read."""
    text = ""
    last = ""
    while last != end:
        char = yield
        last = (last + char)[-len(end) :]
        text = (text + char)[-LONGEST_NAME:]
    return text


def _link_end() -> _Reader:
    """Read what follows a link's words: its address and title, up to the closing bracket."""
    char = yield
    if char != "(":
        return _End.NONE
    char = yield
    while char.isspace():
        char = yield
    if char == "<":
        yield from _until(">")
        char = yield
    depth = 0
    while not char.isspace():
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return _End.SILENT
        char = yield
    while char.isspace():
        char = yield
    if char in "\"'(":
        yield from _until({"(": ")"}.get(char, char))
        char = yield
        while char.isspace():
            char = yield
    return _End.SILENT if char == ")" else _End.NONE


def _address() -> _Reader:
    """Read a web address: to the next white space."""
    for expected in "ttp":
        char = yield
        if char != expected:
            return _End.NONE
    char = yield
    if char == "s":
        char = yield
    for expected in "://":
        if char != expected:
            return _End.NONE
        char = yield
    while not char.isspace() and char not in '<>"':
        char = yield
    return _End.BEFORE


def _code() -> _Reader:
    """Read `code` in a line."""
    ticks = 1
    char = yield
    while char == "`":
        ticks += 1
        char = yield
    run = 0
    for _ in range(_LONGEST_CODE):
        if char == "\n":
            return _End.NONE
        run = run + 1 if char == "`" else 0
        char = yield
        if run == ticks and char != "`":
            return _End.NONE
    return _End.NONE


def _dollar() -> _Reader:
    """Read a formula between dollar signs; what can be money or prose is none."""
    char = yield
    if char == "$":
        return (yield from _block("$$"))
    if char.isspace():
        return _End.NONE
    words = 2 if char.isdigit() else 3  # letters in a row that no formula has
    letters, marked, before = 0, False, ""
    while char != "$":
        if char == "\n":
            return _End.NONE
        marked = marked or char in "\\^_={}"
        letters = letters + 1 if char.isalpha() else 0
        stopped = char.isspace() and before in (".,;:!?" if words == 2 else ".;:!?")
        if not marked and (letters >= words or (before and stopped)):
            return _End.NONE
        if char == "\\":
            yield  # whatever it makes of the next one
        before = char
        char = yield
    return _End.NONE if before.isspace() else _End.SAID


def _block(end: str) -> _Reader:
    """Read a formula of many lines; an empty line breaks it off."""
    last = ""
    while not last.endswith(end):
        char = yield
        last = (last + char)[-8:] if not char.isspace() or char == "\n" else last
        if last.endswith("\n\n"):
            return _End.NONE
    return _End.SAID


def _command() -> _Reader:
    r"""Read \(, \[, \begin{equation} to their ends; \frac with its arguments."""
    char = yield
    if char in "([":
        return (yield from _block("\\" + {"(": ")", "[": "]"}[char]))
    if not char.isalpha():
        return _End.SAID
    name = ""
    while char.isascii() and char.isalpha():
        name = (name + char)[-LONGEST_NAME:]
        char = yield
    if name == "begin" and char == "{":
        environment = (yield from _until("}")).removesuffix("}")
        if environment.rstrip("*") in latex.MATH:
            yield from _until(f"\\end{{{environment}}}")
        return _End.SAID
    while char in "{[":
        depth = 0
        while True:
            depth += (char in "{[") - (char in "}]")
            if char == "\\":
                yield
            if not depth:
                break
            char = yield
            if char == "\n":
                return _End.NONE
        char = yield
    return _End.NONE
