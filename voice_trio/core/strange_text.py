"""Text from outside: JSON taken apart in one go, and characters that were cut in halves made whole."""

from __future__ import annotations

import gc
import json
from typing import Any


def parse(text: str | bytes, **options: Any) -> Any:
    """Return what ``text`` says; ``options`` are those of `json.loads`. Raises ValueError and RecursionError.

    Thousands of empty lists in it would each bring the garbage collector's next look at everything closer, though none
    of them is garbage yet: a few kilobytes could cost as much as megabytes. So it looks once, afterwards.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text, **options)
    finally:
        if collects:
            gc.enable()


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
