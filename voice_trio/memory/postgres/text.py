"""Text as PostgreSQL can hold it: UTF-8 without the character U+0000.

U+0001 begins a pair, so that nothing is lost: U+0001 and "0" stand for U+0000, twice U+0001 for itself.
"""

from __future__ import annotations

import re
from typing import Final

from voice_trio.core.strange_text import mend

_PAIRS: Final = {"\0": "\1" + "0", "\1": "\1\1"}
_CHARS: Final = {pair: char for char, pair in _PAIRS.items()}
_SPECIAL: Final = re.compile("[\0\1]")
_PAIR: Final = re.compile("\1[0\1]")


def stored(text: str) -> str:
    """Return ``text`` as it is stored; a lone surrogate, which UTF-8 has no bytes for, becomes U+FFFD."""
    return _SPECIAL.sub(lambda found: _PAIRS[found[0]], mend(text))


def read(text: str) -> str:
    """Return what ``text`` was before it was stored; of a cut pair, its half."""
    return _PAIR.sub(lambda found: _CHARS[found[0]], text)
