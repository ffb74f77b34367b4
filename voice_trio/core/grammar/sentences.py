"""Example sentences with slots, as they are written, and as they are matched.

``what (time|hour) is it [right now] [in {place}]``: what stands in brackets may be left out, one of what stands in
parentheses is said, and a slot ``{place}`` takes what its kind takes. ``{item:text}`` is a slot of the kind ``text``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voice_trio.core.grammar.tokens import tokens


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something that a person says, and what is meant by it."""

    pattern: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What is meant whatever stands in the slots."""


@dataclass(frozen=True, slots=True)
class Word:
    """One that has to be said."""

    word: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for what differs."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several rows is said."""

    rows: tuple[Row, ...]
    """The empty one stands for nothing at all."""


Row = tuple[Word | Slot | Choice, ...]

_PIECE: Final = re.compile(r"(?P<sign>[][()|])|\{(?P<name>\w+)(?::(?P<kind>\w+))?\}|(?P<words>[^][(){}|]+)")
_CLOSES: Final = {"(": ")", "[": "]"}


def parse(pattern: str) -> Row:
    """Return ``pattern`` as it is matched. Raises `ValueError` where it is not well formed."""
    pieces = [*_PIECE.finditer(pattern)]
    if sum(len(piece[0]) for piece in pieces) != len(pattern):
        raise ValueError(f"{pattern!r} has a brace that does not stand around a name")
    rows, at = _rows(pieces, 0, "")
    if at != len(pieces) or len(rows) != 1 or not rows[0]:
        raise ValueError(f"{pattern!r} has brackets that do not match, or nothing to be said")
    return rows[0]


def _rows(pieces: list[re.Match[str]], at: int, closing: str) -> tuple[list[Row], int]:
    rows: list[Row] = []
    row: list[Word | Slot | Choice] = []
    while at < len(pieces):
        piece, at = pieces[at], at + 1
        sign = piece["sign"]
        if sign in _CLOSES:
            inner, at = _rows(pieces, at, _CLOSES[sign])
            row.append(Choice((*inner, ()) if sign == "[" else tuple(inner)))
        elif sign == "|":
            rows.append(tuple(row))
            row = []
        elif sign is not None:
            if sign != closing:
                raise ValueError(f"there is a {sign} without its beginning")
            return [*rows, tuple(row)], at
        elif piece["name"] is not None:
            row.append(Slot(piece["name"], piece["kind"] or piece["name"]))
        else:
            row.extend(Word(token.word) for token in tokens(piece["words"]))
    if closing:
        raise ValueError(f"there is no {closing}")
    return [*rows, tuple(row)], at


def words_of(row: Row) -> Iterator[str]:
    """Yield each word of ``row``, those of its choices included."""
    for part in row:
        match part:
            case Word(word):
                yield word
            case Choice(rows):
                for inner in rows:
                    yield from words_of(inner)


def slots_of(row: Row) -> Iterator[Slot]:
    """Yield each slot of ``row``."""
    for part in row:
        match part:
            case Slot():
                yield part
            case Choice(rows):
                for inner in rows:
                    yield from slots_of(inner)
