"""The tokens of Moonshine's decoder, as text.

The file is a row of entries, one a token: its length in a byte, or for 128 and more in two (the low 7 bits of the
first, and the second times 128), and then its bytes. That is the form of `bin-tokenizer` in Moonshine's own repository.
A space is U+2581. Each of the 256 bytes is a token too, for what no other token spells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SPACE = "\u2581"
_TWO_BYTES = 128


def read_tokens(data: bytes) -> Sequence[bytes]:
    """Return what each token spells, by its number; an unused one spells nothing. Raises `ValueError` on damage."""
    tokens: list[bytes] = []
    at = 0
    while at < len(data):
        size, at = data[at], at + 1
        if size >= _TWO_BYTES:
            if at == len(data):
                raise ValueError("the list of tokens ends inside an entry's length")
            size, at = data[at] * _TWO_BYTES + size - _TWO_BYTES, at + 1
        if at + size > len(data):
            raise ValueError("the list of tokens ends inside an entry")
        tokens.append(data[at : at + size])
        at += size
    return tokens


def spelt(numbers: Iterable[int], tokens: Sequence[bytes]) -> str:
    """Return the text of the tokens with these ``numbers``, without marks such as ``<s>``."""
    words = b"".join(tokens[number] for number in numbers if not _is_mark(tokens[number]))
    return words.decode(errors="replace").replace(_SPACE, " ").strip()


def _is_mark(token: bytes) -> bool:
    return len(token) > 1 and token.startswith(b"<") and token.endswith(b">")
