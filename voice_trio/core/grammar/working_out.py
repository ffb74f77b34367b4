"""The result of a sum, in exact fractions of bounded size; only roots and broken powers are rounded.

Nothing of what was said is ever run as code.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Final

from voice_trio.core.grammar.sums import Sum

_MOST_BITS: Final = 4096
_LARGEST_FLOAT: Final = Fraction(10) ** 300


class CannotWorkOut(Exception):
    """There is no such result; the message says why, in a sentence."""


def work_out(one: Sum) -> Fraction:
    """Return the result. Raises `CannotWorkOut`."""
    match one:
        case Sum("number"):
            return _bounded(one.number)
        case Sum("negative", (inner,)):
            return -work_out(inner)
        case Sum("percent", (inner,)):
            return _bounded(work_out(inner) / 100)
        case Sum("add" | "subtract" as does, (left, Sum("percent") as share)):
            # What is added to a number as a percentage is one of that number.
            whole = work_out(left)
            return _bounded(whole + whole * work_out(share) * (1 if does == "add" else -1))
    first, second = (work_out(part) for part in one.parts)
    match one.does:
        case "add":
            return _bounded(first + second)
        case "subtract":
            return _bounded(first - second)
        case "multiply":
            return _bounded(first * second)
        case "power":
            return _power(first, second)
        case "root":
            return _root(first, int(second))
    if not second:
        raise CannotWorkOut("Nothing can be divided by zero.")
    return _bounded(first / second if one.does == "divide" else first % second)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if not base and exponent < 0:
        raise CannotWorkOut("Nothing can be divided by zero.")
    if exponent.denominator == 1:
        if abs(base) != 1 and base and _bits(base) * abs(exponent) > _MOST_BITS:
            raise CannotWorkOut("That number is too large for me.")
        return _bounded(base ** (int(exponent) % 2 + 2 if abs(base) == 1 else int(exponent)))
    if base < 0:
        raise CannotWorkOut("A negative number has no such power.")
    if abs(exponent) > _MOST_BITS or not 1 / _LARGEST_FLOAT < base < _LARGEST_FLOAT:
        if not base:
            return base
        raise CannotWorkOut("That number is too large for me.")
    try:
        return Fraction(float(base) ** float(exponent))
    except OverflowError as error:
        raise CannotWorkOut("That number is too large for me.") from error


def _root(number: Fraction, which: int) -> Fraction:
    if number < 0:
        raise CannotWorkOut("A negative number has no root that I could tell.")
    if which == 2:
        exact = Fraction(isqrt(number.numerator), isqrt(number.denominator))
        if exact * exact == number:
            return exact
        return _power(number, Fraction(1, 2))
    near = _power(number, Fraction(1, which))
    exact = Fraction(round(near))
    return exact if exact**which == number else near


def _bits(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def _bounded(number: Fraction) -> Fraction:
    if _bits(number) > _MOST_BITS:
        raise CannotWorkOut("That number is too large for me.")
    return number
