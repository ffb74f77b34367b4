"""Token numbers to text: the reader of Moonshine's ``tokenizer.bin``.

The file is a row of entries, one a token, as Moonshine's own ``bin-tokenizer`` writes them: a byte of length, or two
where the first is 128 and more (its lower seven bits, then the second byte times 128), and so many bytes of the token.
An entry of length 0 is a number that is not used. It is a vocabulary of SentencePiece's kind: a space is U+2581, a byte
that no token has is a token of its own, and what stands in angle brackets is a mark of the model's and no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

START, END = 1, 2
"""Tokens with which a text begins and ends, in every vocabulary of Moonshine's."""

_SPACE = "\u2581"
_MARKS = {START: b"<s>", END: b"</s>"}


class Damaged(Exception):
    """A vocabulary that cannot be one; the message says where it breaks, as the end of a sentence."""


class Tokenizer:
    """The text of each token."""

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self._tokens = tokens

    def __len__(self) -> int:
        return len(self._tokens)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ``ids``, without marks and without white space around it.

        A character of which a byte is missing is U+FFFD.
        """
        pieces = (self._tokens[one] for one in ids)
        text = b"".join(piece for piece in pieces if not _is_mark(piece)).decode(errors="replace")
        return text.replace(_SPACE, " ").strip()


def read(data: bytes) -> Tokenizer:
    """Return the vocabulary in ``data``, the bytes of a ``tokenizer.bin``. Raises `Damaged`."""
    tokens: list[bytes] = []
    at = 0
    while at < len(data):
        begin, size = at + 1, data[at]
        if size >= 128:
            if begin == len(data):
                raise Damaged(f"it ends in the length of token {len(tokens)}")
            begin, size = begin + 1, data[begin] * 128 + size - 128
        at = begin + size
        if at > len(data):
            raise Damaged(f"it ends inside token {len(tokens)}")
        tokens.append(data[begin:at])
    for number, mark in _MARKS.items():
        if tokens[number : number + 1] != [mark]:
            raise Damaged(f"its token {number} is not {mark.decode()}")
    return Tokenizer(tokens)


def _is_mark(piece: bytes) -> bool:
    return len(piece) > 2 and piece.startswith(b"<") and piece.endswith(b">")
