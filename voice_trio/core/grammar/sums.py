"""Arithmetic as people say and write it: "seven times eight", "15 percent of 80", "2 * (3 + 4) ^ 2".

A sum is read by recursive descent, as deep as anybody's brackets go. `working_out` has the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar

from voice_trio.core.grammar.numbers import figures_at, numbers_from_zero, ordinal, word_at
from voice_trio.core.grammar.tokens import Token, tokens

T = TypeVar("T")

_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Sum:
    """A number, or what is to be done with some."""

    does: str
    parts: tuple[Sum, ...] = ()
    number: Fraction = Fraction(0)

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to be worked out."""
        return self.does == "number" or (self.does == "negative" and self.parts[0].is_bare)


_TERMS: Final = [
    (("plus",), "add"),
    (("+",), "add"),
    (("added", "to"), "add"),
    (("minus",), "subtract"),
    (("-",), "subtract"),
    (("take", "away"), "subtract"),
    (("less",), "subtract"),
]
_FACTORS: Final = [
    (("times",), "multiply"),
    (("*",), "multiply"),
    (("x",), "multiply"),
    (("multiplied", "by"), "multiply"),
    (("time",), "multiply"),
    (("by",), "multiply"),
    (("divided", "by"), "divide"),
    (("divide", "by"), "divide"),
    (("/",), "divide"),
    (("over",), "divide"),
    (("modulo",), "remainder"),
    (("mod",), "remainder"),
]
_ROOTS: Final = [
    (("the", "square", "root", "of"), 2),
    (("square", "root", "of"), 2),
    (("square", "root"), 2),
    (("the", "root", "of"), 2),
    (("root", "of"), 2),
    (("root",), 2),
    (("√",), 2),
    (("sqrt",), 2),
    (("the", "cube", "root", "of"), 3),
    (("cube", "root", "of"), 3),
]
_PAIRS: Final = [
    (("the", "sum", "of"), {"and": "add"}),
    (("sum", "of"), {"and": "add"}),
    (("the", "product", "of"), {"and": "multiply"}),
    (("product", "of"), {"and": "multiply"}),
    (("the", "difference", "between"), {"and": "subtract"}),
    (("difference", "between"), {"and": "subtract"}),
    (("add",), {"and": "add", "to": "add"}),
    (("subtract",), {"from": "subtract"}),
    (("multiply",), {"by": "multiply"}),
    (("divide",), {"by": "divide"}),
]
"""What stands before two numbers -> what stands between them -> what is done; "from" turns them round."""
_TIMES: Final = [
    (("twice",), Fraction(2)),
    (("double",), Fraction(2)),
    (("triple",), Fraction(3)),
    (("half", "of"), Fraction(1, 2)),
]


def read(text: str) -> Sum | None:
    """Return what ``text`` says; None where it is, or goes on with, something else than a sum."""
    heard = tokens(text)
    found = read_at(heard, 0)
    return found[1] if found is not None and found[0] == len(heard) else None


def read_at(heard: Sequence[Token], at: int) -> tuple[int, Sum] | None:
    """Return where the longest sum that begins there ends, and it; None where there is none."""
    return _Reader(heard).terms(at, 0)


class _Reader:
    """Reads a sum out of tokens; each method returns where what it read ends."""

    def __init__(self, heard: Sequence[Token]) -> None:
        self._heard = heard
        self._singles: dict[int, tuple[int, Sum] | None] = {}
        """What was read from where: so nothing is read twice, whatever stands around it."""

    def terms(self, at: int, depth: int) -> tuple[int, Sum] | None:
        """Read what is added and subtracted."""
        found = self._factors(at, depth)
        while found is not None and (sign := self._one_of(_TERMS, found[0])) is not None:
            further = self._factors(sign[0], depth)
            if further is None:
                break
            found = further[0], Sum(sign[1], (found[1], further[1]))
        return found

    def _factors(self, at: int, depth: int) -> tuple[int, Sum] | None:
        found = self._power(at, depth)
        while found is not None and (sign := self._one_of(_FACTORS, found[0])) is not None:
            further = self._power(sign[0], depth)
            if further is None:
                break
            found = further[0], Sum(sign[1], (found[1], further[1]))
        return found

    def _power(self, at: int, depth: int) -> tuple[int, Sum] | None:
        found = self._single(at, depth)
        while found is not None:
            end, base = found
            match self._words(end, 2):
                case ("squared", *_):
                    found = end + 1, Sum("power", (base, _number(2)))
                    continue
                case ("cubed", *_):
                    found = end + 1, Sum("power", (base, _number(3)))
                    continue
                case ("^", *_):
                    further = self._power(end + 1, depth + 1)
                case ("*", "*"):
                    further = self._power(end + 2, depth + 1)
                case ("to", "the"):
                    further = self._exponent(end + 2, depth + 1)
                case _:
                    return found
            if further is None:
                return found
            found = further[0], Sum("power", (base, further[1]))
        return None

    def _exponent(self, at: int, depth: int) -> tuple[int, Sum] | None:
        """Read "power of three", "third power" or "power three"."""
        if word_at(self._heard, at) == "power":
            return self._single(at + 1 + (word_at(self._heard, at + 1) == "of"), depth)
        which = ordinal(self._heard, at)
        if which is None:
            return None
        return which[0] + (word_at(self._heard, which[0]) == "power"), _number(which[1])

    def _single(self, at: int, depth: int) -> tuple[int, Sum] | None:
        """Read a number, or what stands before one or around some."""
        if depth > _DEEPEST:
            return None
        if at not in self._singles:
            self._singles[at] = self._new_single(at, depth)
        return self._singles[at]

    def _new_single(self, at: int, depth: int) -> tuple[int, Sum] | None:
        word = word_at(self._heard, at)
        if word in ("minus", "negative", "-"):
            return _with("negative", self._power(at + 1, depth + 1))
        if word == "(":
            inner = self.terms(at + 1, depth + 1)
            return (inner[0] + 1, inner[1]) if inner is not None and word_at(self._heard, inner[0]) == ")" else None
        if (root := self._one_of(_ROOTS, at)) is not None:
            return _with("root", self._single(root[0], depth + 1), _number(root[1]))
        if (pair := self._one_of(_PAIRS, at)) is not None:
            return self._pair(pair[0], pair[1], depth)
        if (times := self._one_of(_TIMES, at)) is not None:
            return _with("multiply", self._single(times[0], depth + 1), _number(times[1]))
        return self._amount(at, depth)

    def _amount(self, at: int, depth: int) -> tuple[int, Sum] | None:
        """Read a number, and what it is a part of: "15 percent of 80", "two thirds of nine"."""
        longest = max(numbers_from_zero(self._heard, at), default=None)
        if longest is None:
            return None
        end, number = longest
        amount = _number(number)
        part = figures_at(self._heard, at) is None and number < 1
        if self._words(end, 1) == ("percent",) or self._words(end, 2) == ("per", "cent"):
            end += 1 if self._words(end, 1) == ("percent",) else 2
            amount, part = Sum("percent", (amount,)), True
            if word_at(self._heard, end) == "off" and (whole := self._power(end + 1, depth + 1)) is not None:
                return whole[0], Sum("subtract", (whole[1], amount))
        if part and word_at(self._heard, end) == "of" and (whole := self._power(end + 1, depth + 1)) is not None:
            return whole[0], Sum("multiply", (amount, whole[1]))
        return end, amount

    def _pair(self, at: int, joined: dict[str, str], depth: int) -> tuple[int, Sum] | None:
        one = self._single(at, depth + 1)
        between = "" if one is None else word_at(self._heard, one[0])
        if one is None or between not in joined:
            return None
        other = self._single(one[0] + 1, depth + 1)
        if other is None:
            return None
        return other[0], Sum(joined[between], (other[1], one[1]) if between == "from" else (one[1], other[1]))

    def _one_of(self, rows: list[tuple[tuple[str, ...], T]], at: int) -> tuple[int, T] | None:
        return next(((at + len(row), value) for row, value in rows if self._words(at, len(row)) == row), None)

    def _words(self, at: int, count: int) -> tuple[str, ...]:
        return tuple(token.word for token in self._heard[at : at + count])


def _number(number: Fraction | int) -> Sum:
    return Sum("number", number=Fraction(number))


def _with(does: str, found: tuple[int, Sum] | None, *more: Sum) -> tuple[int, Sum] | None:
    return None if found is None else (found[0], Sum(does, (found[1], *more)))
