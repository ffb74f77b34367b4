"""The spoken text in the making, with the place in the source of each of its characters.

White space and pauses are only noted, and written when more words follow. So nothing that was dropped (an emoji, a
bracket) leaves a double space, a stray comma or an empty pair of brackets behind.
"""

from __future__ import annotations

_MARKS = ".,;:!?"
_FINAL = ".!?"


class Draft:
    """Grows at its end. ``at`` is a code point offset in the source; one that would run backwards is held."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._source: list[int] = []
        self._space: int | None = None  # where in the source the space came from that the next word wants before it
        self._pause = ""  # the mark that the next word wants before that space
        self.number_end = -2  # as far from the first character as from any other
        """Where in the source the last number ended, its unit included: a dash right there means "to"."""
        self.open_link_end = -1
        """Where a link's address ended that may go on in the next phrase."""
        self.silent_until = ""
        """What ends the silence that goes on in the next phrase; empty where there is none."""
        self.silent_from = 0
        """Where in the source that silence begins."""
        self.bracket_end = -1
        """Where in the source a bracket's closing sign stands that makes no pause, and compares nothing."""

    def say(self, words: str, at: int) -> None:
        """Add ``words``, all of which stand for the one place ``at``."""
        self._separate(at)
        at = self._forward(at)
        self._text += words
        self._source += [at] * len(words)

    def copy(self, words: str, at: int) -> None:
        """Add ``words`` as they stand in the source from ``at`` on."""
        self._separate(at)
        floor = self._forward(at)
        self._text += words
        self._source += (max(floor, place) for place in range(at, at + len(words)))

    def word(self, words: str, at: int) -> None:
        """Add ``words`` as `say` does, apart from what stands beside them."""
        self.space(at)
        self.say(words, at)
        self.space(at)

    def space(self, at: int) -> None:
        """Keep what was said and what will be said apart."""
        if self._space is None:
            self._space = at

    def pause(self, mark: str, at: int) -> None:
        """Put ``mark`` ("," or ".") between what was said and what will be said, unless a mark stands there."""
        if self._pause != ".":
            self._pause = mark
        self.space(at)

    def mark(self, sign: str, at: int) -> bool:
        """Put the punctuation ``sign`` right behind what was said; of two together, the weightier stays.

        Return whether it stands there now on its own account: not before the first word, nor behind a mark that stays.
        """
        if not self._text:
            return False
        self._pause, self._space = "", None
        if self._text[-1] not in _MARKS:
            self._text.append(sign)
            self._source.append(self._forward(at))
            return True
        if sign in _FINAL and self._text[-1] not in _FINAL:
            self._text[-1] = sign
            return True
        return False

    @property
    def text(self) -> str:
        """What is said."""
        return "".join(self._text)

    @property
    def source(self) -> tuple[int, ...]:
        """Of each character of `text`, its offset in the source; never falling."""
        return tuple(self._source)

    def _separate(self, at: int) -> None:
        if self._text:
            if self._pause and self._text[-1] not in _MARKS:
                self._text.append(self._pause)
                self._source.append(self._forward(at if self._space is None else self._space))
            if self._space is not None:
                self._text.append(" ")
                self._source.append(self._forward(self._space))
        self._pause, self._space = "", None

    def _forward(self, at: int) -> int:
        return max(at, self._source[-1]) if self._source else at
