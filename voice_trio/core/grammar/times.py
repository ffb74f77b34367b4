"""Times of the day and durations in words and figures, as recognizers write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time, timedelta
from fractions import Fraction
from typing import Final

from voice_trio.core.grammar.numbers import below_hundred, cardinal, fraction, numbers_from_zero, word_at
from voice_trio.core.grammar.tokens import Token

UNITS: Final = {
    name: seconds
    for seconds, names in (
        (1, "second seconds sec secs"),
        (60, "minute minutes min mins"),
        (3600, "hour hours hr hrs"),
        (86_400, "day days"),
        (604_800, "week weeks"),
    )
    for name in names.split()
}
"""Word -> seconds."""

LONGEST: Final = timedelta(days=36_600)
_HALVES: Final = {"morning": "am", "afternoon": "pm", "evening": "pm", "night": "pm"}
_QUARTERS: Final = {"half": 30, "quarter": 15}


def clock(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, time]]:
    """Yield each time of the day that begins there, with where it ends.

    Without "am", "pm" or a word for the part of the day an hour is taken as it is said: "three" is 3:00.
    """
    match word_at(tokens, at):
        case "noon" | "midday":
            yield at + 1, time(12)
        case "midnight":
            yield at + 1, time(0)
    for end, hour, minute in _said(tokens, at):
        yield from _with_half(tokens, end, hour, minute)


def _said(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int, int]]:
    """Yield what may be an hour and its minutes, the hour as it is said."""
    word = word_at(tokens, at)
    hours, colon, minutes = word.partition(":")
    if colon and hours.isascii() and minutes.isascii():
        yield at + 1, int(hours[:3]), int(minutes)
        return
    yield from _past(tokens, at)
    hour = _small(tokens, at)
    if hour is None:
        return
    end, number = hour
    yield end + (word_at(tokens, end) == "oclock"), number, 0
    if word_at(tokens, end) in ("oh", "o", "zero"):
        minute = _small(tokens, end + 1)
        if minute is not None and minute[1] < 10:
            yield minute[0], number, minute[1]
    elif (minute := _small(tokens, end)) is not None and minute[1] >= 10:
        yield minute[0], number, minute[1]


def _past(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int, int]]:
    """Yield "half past two", "a quarter to three", "ten minutes past four"."""
    at += word_at(tokens, at) == "a"
    part = _QUARTERS.get(word_at(tokens, at))
    count = (at + 1, part) if part else _small(tokens, at)
    if count is None:
        return
    end, minutes = count
    end += word_at(tokens, end) in ("minute", "minutes")
    before = word_at(tokens, end) in ("to", "before", "of", "til", "till")
    if not before and word_at(tokens, end) not in ("past", "after"):
        return
    hour = _small(tokens, end + 1)
    if hour is None or not 0 < minutes < 60:
        return
    said = hour[1]
    if before:
        said, minutes = (said - 1) or 12, 60 - minutes
    yield hour[0], said, minutes


def _with_half(tokens: Sequence[Token], end: int, hour: int, minute: int) -> Iterator[tuple[int, time]]:
    """Yield the time, with and without the half of the day that stands behind it."""
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return
    yield end, time(hour % 24, minute)
    half = word_at(tokens, end)
    behind = end + 1
    if half not in ("am", "pm"):
        if (word_at(tokens, end), word_at(tokens, end + 1)) == ("in", "the"):
            half, behind = _HALVES.get(word_at(tokens, end + 2), ""), end + 3
        elif (word_at(tokens, end), word_at(tokens, end + 1)) == ("at", "night"):
            half, behind = "pm", end + 2
        elif half == "tonight":
            half = "pm"
        elif half == "this":
            half, behind = _HALVES.get(word_at(tokens, end + 1), ""), end + 2
        else:
            return
    if half and hour <= 12:
        yield behind, time(hour % 12 + 12 * (half == "pm"), minute)


def _small(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """Return a number of at most two digits, in words or figures, and where it ends."""
    word = word_at(tokens, at)
    if word.isascii() and word.isdigit() and len(word) <= 2:
        return at + 1, int(word)
    return below_hundred(tokens, at)


def duration(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, timedelta]]:
    """Yield each duration that begins there, with where it ends; at most `LONGEST`."""
    for end, seconds, unit in _lengths(tokens, at):
        yield from _bounded(end, seconds)
        yield from _further(tokens, end, seconds, unit)


def _further(tokens: Sequence[Token], end: int, seconds: Fraction, unit: int) -> Iterator[tuple[int, timedelta]]:
    """Yield what a duration is with the smaller units that follow: "and thirty seconds", "and a half"."""
    joined = end + (word_at(tokens, end) == "and")
    part = fraction(tokens, joined)
    if part is not None and joined > end and word_at(tokens, part[0]) not in (*UNITS, "of", "a", "an"):
        yield from _bounded(part[0], seconds + part[1] * unit)
    for behind, more, smaller in _lengths(tokens, joined):
        if smaller < unit:
            yield from _bounded(behind, seconds + more)
            yield from _further(tokens, behind, seconds + more, smaller)


def _lengths(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Fraction, int]]:
    """Yield each number of one unit that begins there: where it ends, its seconds, those of the unit."""
    for end, number in _counts(tokens, at):
        unit = UNITS.get(word_at(tokens, end))
        if unit is not None:
            yield end + 1, number * unit, unit


def _counts(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Fraction]]:
    word = word_at(tokens, at)
    if word in ("a", "an", "one"):
        yield at + 1, Fraction(1)
    part = fraction(tokens, at)
    if part is not None:
        # "half an hour", "three quarters of an hour"
        end = part[0] + (word_at(tokens, part[0]) == "of")
        if word_at(tokens, end) in ("a", "an"):
            yield end + 1, part[1]
    for end, number in numbers_from_zero(tokens, at):
        if word != "a" or number != 1:
            yield end, number
    if cardinal(tokens, at) is None and word == "couple":
        yield at + 1 + (word_at(tokens, at + 1) == "of"), Fraction(2)


def _bounded(end: int, seconds: Fraction) -> Iterator[tuple[int, timedelta]]:
    if seconds <= LONGEST.total_seconds():
        yield end, timedelta(seconds=float(seconds))
