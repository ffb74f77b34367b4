"""Where in a reply markup is open, told one character at a time: nothing may be cut there.

Each kind of markup has a reader, a generator that is sent the characters behind the opening one. It ends when the
markup is closed, or as soon as what follows shows that it is none: a "<" before a space, a "$" before money and
words, a "](" before prose. So what only looks like markup is open for a few characters at most, and what is markup for
`LONGEST`; then it is given up. Characters that a reader has taken are not looked at again: the work grows with the text
alone. What counts as a tag or as a formula is decided by the modules that say them (`core.speakable`).

Within a fenced block of code nothing is open.
"""

from __future__ import annotations

from collections.abc import Callable

from voice_trio.core import markup_readers as readers
from voice_trio.core.markup_readers import End, Reader
from voice_trio.core.speakable.text import FENCE

LONGEST = 2000
"""Characters after which markup that is still open is taken for none."""

_FENCE_LINE = 200


class OpenMarkup:
    """Told a reply's characters in order, says how many of the last ones are markup that is not closed."""

    def __init__(self) -> None:
        self.length = 0
        """Characters of the markup that is open; 0 for none."""
        self._reader: Reader | None = None
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

    def _closed(self, end: End, char: str) -> int:
        length, self._reader, self.length = self.length, None, 0
        if end in (End.BEFORE, End.NONE):
            self._open(char)
        return length + 1 if end is End.SILENT else length if end is End.BEFORE else 0

    def _open(self, char: str) -> None:
        if self._fence:
            return
        reader: Callable[[], Reader] | None = None
        if char == "<":
            reader = readers.angle
        elif char == "`":
            reader = readers.code
        elif char == "\\":
            reader = readers.command
        elif char == "$" and not self._last.isalnum() and self._last != "$":
            reader = readers.dollar
        elif char == "]":
            reader = readers.link_end
        elif char == "h" and not self._last.isalnum():
            reader = readers.address
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
