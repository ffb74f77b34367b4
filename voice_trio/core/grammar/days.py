"""Days in words and figures: "tomorrow", "next friday", "in ten days", "the 5th of march", "christmas"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal

from voice_trio.core.grammar.numbers import below_hundred, cardinal, ordinal, word_at
from voice_trio.core.grammar.tokens import Token, tokens

WEEKDAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH_WORDS: Final = "january february march april may june july august september october november december"
MONTHS: Final = _MONTH_WORDS.split()
_SHORT_MONTHS: Final = {month[:3]: number for number, month in enumerate(MONTHS, start=1)} | {"sept": 9}
_LENGTHS: Final = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_FEASTS: Final = {
    "christmas": (12, 25),
    "christmas day": (12, 25),
    "christmas eve": (12, 24),
    "boxing day": (12, 26),
    "new year's day": (1, 1),
    "new year's eve": (12, 31),
    "new year": (1, 1),
    "halloween": (10, 31),
    "valentine's day": (2, 14),
    "saint patrick's day": (3, 17),
    "april fools day": (4, 1),
    "the fourth of july": (7, 4),
}
_FARTHEST: Final = 36_600


@dataclass(frozen=True, slots=True)
class Day:
    """A day as it was said, which today decides."""

    kind: Literal["away", "weekday", "last weekday", "yearly", "date"]
    """A weekday is the next one that comes, and the last one the latest that was: neither is today."""
    number: int = 0
    """Days from today, or the weekday from 0 for Monday on."""
    month: int = 0
    day: int = 0
    year: int = 0

    def on(self, today: date) -> date | None:
        """Return the date; None where there is no such day, or none that a calendar has."""
        try:
            match self.kind:
                case "away":
                    return today + timedelta(days=self.number)
                case "last weekday":
                    return today - timedelta(days=(today.weekday() - self.number - 1) % 7 + 1)
                case "weekday":
                    return today + timedelta(days=(self.number - today.weekday() - 1) % 7 + 1)
                case "date":
                    return date(self.year, self.month, self.day)
            return self._next(today)
        except (ValueError, OverflowError):
            return None

    def _next(self, today: date) -> date | None:
        """Return the day of the year that comes next, today included; the 29th of February waits for a leap year."""
        for year in range(today.year, today.year + 9):
            try:
                found = date(year, self.month, self.day)
            except ValueError:
                continue
            if found >= today:
                return found
        return None


_FEAST_WORDS: Final = [([token.word for token in tokens(name)], day) for name, day in _FEASTS.items()]
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def read(text: str) -> Day | None:
    """Return the day that ``text`` is the name of, or the date in figures; None for anything else."""
    iso = _ISO.fullmatch(text.strip()[:20])
    if iso is not None:
        return Day("date", year=int(iso[1]), month=int(iso[2]), day=int(iso[3]))
    heard = tokens(text)
    return next((day for end, day in days(heard, 0) if end == len(heard)), None)


def days(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Day]]:
    """Yield each day that begins there, with where it ends."""
    yield from _near(heard, at)
    yield from _away(heard, at)
    yield from _weekday(heard, at)
    yield from _of_month(heard, at)
    for words, (month, day) in _FEAST_WORDS:
        if [token.word for token in heard[at : at + len(words)]] == words:
            yield at + len(words), Day("yearly", month=month, day=day)


def _near(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Day]]:
    words = [token.word for token in heard[at : at + 4]]
    for said, number in (
        ("today", 0),
        ("tomorrow", 1),
        ("yesterday", -1),
        ("the day after tomorrow", 2),
        ("day after tomorrow", 2),
        ("the day before yesterday", -2),
        ("day before yesterday", -2),
    ):
        row = said.split()
        if words[: len(row)] == row:
            yield at + len(row), Day("away", number)


def _away(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Day]]:
    """Yield "in ten days", "two weeks from now", "three days ago"."""
    ahead = word_at(heard, at) == "in"
    begin = at + ahead
    count = cardinal(heard, begin)
    if count is None and word_at(heard, begin) in ("a", "one"):
        count = begin + 1, Fraction(1)
    if count is None or count[1].denominator != 1:
        return
    end, number = count
    length = _LENGTHS.get(word_at(heard, end))
    if length is None or number * length > _FARTHEST:
        return
    match ahead, word_at(heard, end + 1), word_at(heard, end + 2):
        case True, _, _:
            yield end + 1, Day("away", int(number) * length)
        case _, "ago", _:
            yield end + 2, Day("away", -int(number) * length)
        case _, "from", "now" | "today":
            yield end + 3, Day("away", int(number) * length)


def _weekday(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Day]]:
    which = word_at(heard, at)
    begin = at + (which in ("next", "this", "on", "last", "coming"))
    if (word := word_at(heard, begin)) in WEEKDAYS:
        yield begin + 1, Day("last weekday" if which == "last" else "weekday", WEEKDAYS.index(word))


def _of_month(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Day]]:
    """Yield "march third", "the 5th of march", "5 march", and with a year."""
    begin = at + (word_at(heard, at) in ("on", "the"))
    begin += word_at(heard, begin) == "the" and begin > at
    if (month := _month(heard, begin)) and (day := _day(heard, begin + 1 + (word_at(heard, begin + 1) == "the"))):
        yield from _with_year(heard, day[0], month, day[1])
    elif day := _day(heard, begin):
        end = day[0] + (word_at(heard, day[0]) == "of")
        if month := _month(heard, end):
            yield from _with_year(heard, end + 1, month, day[1])


def _with_year(heard: Sequence[Token], end: int, month: int, day: int) -> Iterator[tuple[int, Day]]:
    yield end, Day("yearly", month=month, day=day)
    year = word_at(heard, end)
    if re.fullmatch(r"[0-9]{4}", year):
        yield end + 1, Day("date", year=int(year), month=month, day=day)
        return
    # "twenty twenty six"
    rest = below_hundred(heard, end + 1) if year == "twenty" else None
    if rest is not None:
        yield rest[0], Day("date", year=2000 + rest[1], month=month, day=day)


def _month(heard: Sequence[Token], at: int) -> int:
    word = word_at(heard, at)
    return MONTHS.index(word) + 1 if word in MONTHS else _SHORT_MONTHS.get(word, 0)


def _day(heard: Sequence[Token], at: int) -> tuple[int, int] | None:
    which = ordinal(heard, at) or below_hundred(heard, at)
    word = word_at(heard, at)
    if which is None and word.isascii() and word.isdigit() and len(word) <= 2:
        which = at + 1, int(word)
    return which if which is not None and 1 <= which[1] <= 31 else None
