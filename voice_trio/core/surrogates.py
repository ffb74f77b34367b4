"""Text whose pieces were cut inside a character, as servers do that cut by UTF-16 code units."""

from __future__ import annotations


class Mender:
    """Joins the halves of surrogate pairs across pieces of a text; a half without its other becomes U+FFFD."""

    def __init__(self) -> None:
        self._half = ""

    def push(self, text: str) -> str:
        """Return what of the text so far is whole; it can be encoded."""
        text = self._half + text
        self._half = ""
        if "\ud800" <= text[-1:] <= "\udbff":
            self._half, text = text[-1], text[:-1]
        return mend(text)


def mend(text: str) -> str:
    """Return ``text`` with its surrogate pairs joined, and U+FFFD for each half without its other."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
