"""Leaves of a model's text what it says: without its thinking, its calls of tools, and the tokens of its template.

A mark (`reply_marks`) that is named, between quotation marks or backticks, is text. So is what only looks like one.

Some templates open the thinking in the prompt, and the reply then only closes it: what was before that is thinking.
Nothing in the text says so until it is closed. So everything is in doubt at first, and held back, for as long as its
reader lets it be: until `settle`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from voice_trio.core.reply_marks import STARTS, Mark, Unfinished, mark_at

MAX_DOUBTFUL_CHARS: Final = 100_000
"""Of what is in doubt no more is kept: no reply is as long."""

_LONGEST_HEADER: Final = 200
_QUOTES: Final = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}
_OTHERS: Final = frozenset({"user", "system", "developer", "tool", "function", "ipython", "observation"})


class _State(Enum):
    SAYING = auto()
    THINKING = auto()
    CALLING = auto()
    HEADER = auto()
    HEADER_LINE = auto()
    OVER = auto()


class SaidText:
    """One reply's text in, in pieces of any length; what of it is said out.

    How it is cut changes nothing but when. Takes time in proportion to the text, and holds back no more than a mark's
    length, and what is in doubt.
    """

    def __init__(self) -> None:
        self.thought = False
        """There was thinking."""
        self.called = False
        """There was a call of a tool."""
        self.closed_only = False
        """Thinking was closed that was never opened."""
        self._state = _State.SAYING
        self._unfinished = ""
        self._doubtful: list[str] | None = []
        self._doubtful_chars = 0
        self._out: list[str] = []
        self._header = ""
        self._before = ""  # the last character said
        self._quote = ""  # the last character of all
        self._trims = False

    @property
    def in_doubt(self) -> bool:
        """Whether all that came may yet turn out to be thinking."""
        return self._doubtful is not None

    @property
    def thinks(self) -> bool:
        """Whether what comes next is thinking."""
        return self._state is _State.THINKING

    def push(self, text: str) -> str:
        """Take ``text``; return what is said for certain."""
        self._read(self._unfinished + text, last=False)
        return self._taken()

    def settle(self) -> str:
        """Take what is in doubt for said, now and from now on; return it."""
        if self._doubtful is not None:
            self._out[:0] = self._doubtful
            self._doubtful = None
        return self._taken()

    def finish(self) -> str:
        """Return the rest that is said: the reply is over."""
        self._read(self._unfinished, last=True)
        return self.settle()

    def _taken(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    def _read(self, text: str, *, last: bool) -> None:
        self._unfinished = ""
        at = 0
        while at < len(text):
            start = STARTS.search(text, at)
            if start is None:
                self._plain(text[at:])
                return
            if start.start() > at:
                self._plain(text[at : start.start()])
                at = start.start()
            found = mark_at(text, at)
            if isinstance(found, Unfinished):
                if not last:
                    self._unfinished = text[at:]
                    return
                found = None
            if found and self._quote in _QUOTES and self._state is _State.SAYING:
                if found.end == len(text) and not last:
                    self._unfinished = text[at:]
                    return
                if text[found.end : found.end + 1] == _QUOTES[self._quote]:
                    found = None
            if found is None:
                self._plain(text[at])
                at += 1
                continue
            self._mark(found.mark, text[at : found.end])
            at = found.end

    def _mark(self, mark: Mark, spelled: str) -> None:
        if self._state is _State.OVER:
            return
        in_header = self._state in (_State.HEADER, _State.HEADER_LINE)
        match mark:
            case Mark.THINK if self._state is not _State.CALLING:
                self._think()
            case Mark.THOUGHT:
                self._stop_thinking()
            case Mark.TOOL if self._state is not _State.THINKING:
                self._state = _State.CALLING
                self.called = True
            case Mark.CALLED if self._state is _State.CALLING:
                self._state = _State.SAYING
            case Mark.HEADER | Mark.HEADER_LINE:
                self._header = f"{self._header} " if in_header else ""
                self._state = _State.HEADER if mark is Mark.HEADER else _State.HEADER_LINE
            case Mark.MESSAGE if in_header:
                self._begin_message()
            case Mark.END:
                self._state = _State.SAYING
            case Mark.OTHER:
                self._state = _State.OVER
            case Mark.ANSWER if not self.thought:
                self._plain(spelled)
                return
        self._quote = ""
        self._trims = self._trims or not self._before.strip()

    def _think(self) -> None:
        self._state = _State.THINKING
        self.thought = True
        if self._doubtful is not None:
            self._out.extend(self._doubtful)
            self._doubtful = None

    def _stop_thinking(self) -> None:
        if not self.thought:
            self.thought = self.closed_only = True
            self._before = ""
            self._doubtful = None
        self._state = _State.SAYING

    def _begin_message(self) -> None:
        words = self._header.casefold().split()
        self._state = _State.SAYING
        if words and (words[0] in _OTHERS or words[0].startswith("functions.")):
            self._state = _State.OVER
        elif "analysis" in words:
            self._think()
        elif any(word.startswith("to=") for word in words):
            self._state = _State.CALLING
            self.called = True

    def _plain(self, text: str) -> None:
        match self._state:
            case _State.SAYING:
                self._say(text)
            case _State.HEADER:
                room = _LONGEST_HEADER - len(self._header)
                self._header += text[:room]
                if len(text) > room:
                    self._begin_message()
                    self._plain(text[room:])
            case _State.HEADER_LINE:
                line, ended, rest = text.partition("\n")
                self._header += line[:_LONGEST_HEADER]
                if ended:
                    self._begin_message()
                    self._plain(rest)

    def _say(self, text: str) -> None:
        if self._trims:
            text = text.lstrip()
        if not text:
            return
        self._trims = False
        self._before = self._quote = text[-1]
        if self._doubtful is None:
            self._out.append(text)
        elif self._doubtful_chars < MAX_DOUBTFUL_CHARS:
            self._doubtful.append(text)
            self._doubtful_chars += len(text)
