"""Figures, times and lists as they are best heard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

_MOST_DIGITS = 15
_DECIMALS = 4


def figure(number: Fraction | float, *, decimals: int = _DECIMALS) -> str:
    """Return ``number`` rounded for the ear: exact where ``decimals`` are enough, else "about" four figures of it."""
    exact = Fraction(number)
    if exact < 0:
        return re.sub(r"^(about )?", r"\1minus ", figure(-exact, decimals=decimals))
    if exact >= 10**_MOST_DIGITS or 0 < exact < Fraction(1, 10**6):
        return _in_powers(exact)
    for places in range(decimals + 1):
        if exact * 10**places == int(exact * 10**places):
            return f"{_decimal(exact, places):,}"
    places = next(places for places in range(10) if exact * 10**places >= 1000)
    return f"about {_short(_decimal(exact, places))}"


def rounded(number: float) -> str:
    """Return what came out of a conversion, where a last digit that is off by rounding is no digit."""
    return figure(Fraction(f"{number:.12g}"), decimals=2)


def _decimal(exact: Fraction, decimals: int) -> Decimal:
    scaled = round(exact * 10**decimals)
    return Decimal(scaled).scaleb(-decimals) if decimals else Decimal(scaled)


def _short(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_powers(exact: Fraction) -> str:
    """Return a very large or very small number as a short one and a power of ten."""
    power = len(str(exact.numerator)) - len(str(exact.denominator))
    if exact < Fraction(10) ** power:
        power -= 1
    near = round(exact / Fraction(10) ** power, 2)
    about = "" if near * Fraction(10) ** power == exact else "about "
    times = "" if near == 1 else f"{_short(_decimal(near, 2))} times "
    return f"{about}{times}10 to the power of {str(power).replace('-', 'minus ')}"


def clock(moment: datetime) -> str:
    """Return the time of day: "3:45 PM", "noon"."""
    if moment.minute == 0 and moment.hour in (0, 12):
        return "noon" if moment.hour else "midnight"
    return f"{(moment.hour - 1) % 12 + 1}:{moment:%M} {'AM' if moment.hour < 12 else 'PM'}"


def day(moment: date, *, year: bool) -> str:
    """Return the day: "Thursday, November 26", and with the year if that is wanted."""
    return f"{moment:%A, %B} {moment.day}" + (f", {moment.year}" if year else "")


def listed(things: Sequence[str]) -> str:
    """Return ``things`` as they are told: "milk, eggs and bread"."""
    return " and ".join(filter(None, (", ".join(things[:-1]), *things[-1:])))


def count(number: int, noun: str) -> str:
    """Return a number of things: "1 day", "2 days"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """Return ``text`` with a capital at its beginning."""
    return text[:1].upper() + text[1:]
