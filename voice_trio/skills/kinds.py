"""What may stand in the slots of our sentences, and as what it is handed to a skill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from voice_trio.core.grammar import days, sums, times, units
from voice_trio.core.grammar.grammar import Kind
from voice_trio.core.grammar.numbers import numbers
from voice_trio.core.grammar.tokens import Token
from voice_trio.skills.moments import names_half, weekdays_in
from voice_trio.skills.places import places

_LARGEST: Final = 10**15
_LONGEST_NAME: Final = 3
"""Of a list or a timer, in words."""
_LONGEST_WEEKLY: Final = 7
_NOON: Final = 12
_PARTS: Final = ("morning", "afternoon", "evening", "night")

Found = Iterator[tuple[int, Any]]


def _said(heard: Sequence[Token], at: int, end: int) -> str:
    words = " ".join(token.word for token in heard[at:end])
    return re.sub(r"(\d) (st|nd|rd|th)\b", r"\1\2", words)


def _clock(heard: Sequence[Token], at: int) -> Found:
    return ((end, time.strftime("%H:%M")) for end, time in times.clock(heard, at))


def _clock_time(heard: Sequence[Token], at: int) -> Found:
    """A time of the day: in figures where it can be no other, in words where it may be in either half of the day."""
    for end, time in times.clock(heard, at):
        if 0 < time.hour <= _NOON and not names_half(_said(heard, at, end)):
            minutes = f" {'oh ' if time.minute < 10 else ''}{time.minute}" if time.minute else ""
            yield end, f"{time.hour}{minutes}"
        else:
            yield end, time.strftime("%H:%M")


def _morning(heard: Sequence[Token], at: int) -> Found:
    """The same where people get up: before noon, unless something else is said."""
    return ((end, time.strftime("%H:%M")) for end, time in times.clock(heard, at))


def _some_day(heard: Sequence[Token], at: int) -> Found:
    """A day, and perhaps a part of it: "tomorrow morning"."""
    for end, day in _day(heard, at):
        yield end, day
        if end < len(heard) and heard[end].word in _PARTS:
            yield end + 1, f"{day} {heard[end].word}"


def _weekly(heard: Sequence[Token], at: int) -> Found:
    """Days of each week: "every day", "on weekdays", "every monday and friday"."""
    if heard[at].word not in ("every", "each", "on", "weekdays", "daily"):
        return
    for end in range(at + 1, min(len(heard), at + _LONGEST_WEEKLY) + 1):
        words = [token.word for token in heard[at:end]]
        is_many = words[0] != "on" or words[-1].endswith("s")
        if is_many and weekdays_in(" ".join(words)) and words[-1] not in ("every", "each", "on", "and"):
            yield end, _said(heard, at + (words[0] in ("every", "each", "on")), end)


def _duration(heard: Sequence[Token], at: int) -> Found:
    return ((end, _said(heard, at, end)) for end, _ in times.duration(heard, at))


def _day(heard: Sequence[Token], at: int) -> Found:
    begin = at + (heard[at].word == "on")
    return ((end, _said(heard, begin, end)) for end, _ in days.days(heard, at))


def _sum(heard: Sequence[Token], at: int) -> Found:
    found = sums.read_at(heard, at)
    if found is not None and not found[1].is_bare:
        yield found[0], _said(heard, at, found[0])


def _amount(heard: Sequence[Token], at: int) -> Found:
    for end, (number, unit) in units.amounts(heard, at):
        if abs(number) < _LARGEST:
            yield end, {"amount": _plain(float(number)), "unit": unit}


def _name(heard: Sequence[Token], at: int) -> Found:
    return ((end, _said(heard, at, end)) for end in range(at + 1, min(len(heard), at + _LONGEST_NAME) + 1))


def _number(heard: Sequence[Token], at: int) -> Found:
    return ((end, _plain(float(number))) for end, number in numbers(heard, at) if abs(number) < _LARGEST)


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number


KINDS: Final[Mapping[str, Kind]] = {
    "amount": _amount,
    "clock": _clock,
    "clocktime": _clock_time,
    "day": _day,
    "duration": _duration,
    "listname": _name,
    "morning": _morning,
    "number": _number,
    "place": places,
    "someday": _some_day,
    "sum": _sum,
    "timername": _name,
    "unit": units.units,
    "weekly": _weekly,
}
"""Kind of slot -> what yields what may stand there."""
