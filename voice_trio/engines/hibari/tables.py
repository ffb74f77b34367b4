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

_ENTRY: Final = re.compile(rb'(?<=[{,])("(?:[^"\\]|\\.)*"):("(?:[^"\\]|\\.)*"|\{[^{}]*\})')
"""A key with its value: text, or an object without objects."""


class Table:
    """A JSON object whose values are texts, or objects without objects: read only, and asked like a dictionary."""

    def __init__(self, text: bytes, start: int = 0, end: int | None = None) -> None:
        """``text``, UTF-8 without white space, holds the object from ``start`` to ``end``.

        Keys are spelled in one way only: characters outside ASCII as themselves. Raises `ValueError` if there is none.
        """
        import numpy as np

        entries = _ENTRY.finditer(text, start, len(text) if end is None else end)
        # The sum of the key above its place, so that one sort orders both.
        both = np.fromiter((crc32(entry[1]) << 32 | entry.start() for entry in entries), np.uint64)
        if not both.size:
            raise ValueError("no table")
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
