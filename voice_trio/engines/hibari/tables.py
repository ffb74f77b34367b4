"""hibari's tables of words, kept as the text that they are on disk.

Read into dictionaries, the pronunciations and the tagger's weights take 95 MB of each process; as their JSON, with a
number and a place for each key beside it, 12 MB. A sentence asks for some hundreds of entries, and each takes a few
microseconds.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left
from typing import Any, Final
from zlib import crc32

_ENTRY: Final = re.compile(rb'("(?:[^"\\]|\\.)*"):("(?:[^"\\]|\\.)*"|\{[^{}]*\})')
"""A key with its value: text, or an object without objects."""
_ESCAPED: Final = re.compile(rb"\\.")
_QUOTE, _COLON, _OPEN, _CLOSE = b'":{}'


class Table:
    """A JSON object whose values are texts, or objects without objects: read only, and asked like a dictionary."""

    def __init__(self, text: bytes, start: int = 0, end: int | None = None) -> None:
        """``text``, UTF-8 without white space, holds the object from ``start`` to ``end``.

        Keys are spelled in one way only: characters outside ASCII as themselves. Raises `ValueError` if there is none.
        """
        import numpy as np

        begins, ends = _keys(text, start, len(text) if end is None else end)
        if not begins.size:
            raise ValueError("no table")
        sums = map(crc32, map(text.__getitem__, map(slice, begins.tolist(), ends.tolist())))
        # The sum of the key above its place, so that one sort orders both.
        both = np.fromiter(sums, np.uint64, begins.size) << np.uint64(32) | begins.astype(np.uint64)
        both.sort()
        self._text = text
        self._sums = array("I", (both >> np.uint64(32)).astype(np.uint32).tobytes())
        """CRC-32 of each key, rising."""
        self._places = array("I", both.astype(np.uint32).tobytes())

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: str) -> Any:
        """Return what stands behind ``key``; None where it is not in the table."""
        wanted = json.dumps(key, ensure_ascii=False).encode(errors="replace")
        checksum = crc32(wanted)
        at = bisect_left(self._sums, checksum)
        while at < len(self._sums) and self._sums[at] == checksum:
            entry = _ENTRY.match(self._text, self._places[at])
            if entry is not None and entry[1] == wanted:
                return json.loads(entry[2])
            at += 1
        return None

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None


def _keys(text: bytes, start: int, end: int) -> tuple[Any, Any]:
    """Return where the keys of the object in ``text`` begin, and where they end.

    Whole arrays are looked at at once: a pattern that is matched 277,000 times takes most of a second.
    """
    import numpy as np

    signs = np.frombuffer(text, np.uint8)[start:end]
    is_quote = signs == _QUOTE
    for escaped in _ESCAPED.finditer(text, start, end):
        is_quote[escaped.end() - 1 - start] = False
    quotes = np.flatnonzero(is_quote)
    opening, closing = quotes[: len(quotes) // 2 * 2].reshape(-1, 2).T
    braces = np.flatnonzero((signs == _OPEN) | (signs == _CLOSE))
    braces = braces[np.searchsorted(quotes, braces) % 2 == 0]
    depths = np.cumsum(np.where(signs[braces] == _OPEN, 1, -1))
    inside = np.searchsorted(braces, opening)
    is_key = (np.concatenate([[0], depths])[inside] == 1) & (signs[opening - 1] != _COLON)
    return start + opening[is_key], start + closing[is_key] + 1
