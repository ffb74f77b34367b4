"""What may stand in the slots of our sentences, and as what it is handed to a skill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from voice_trio.core.grammar import days, sums, times, units
from voice_trio.core.grammar.grammar import Kind
from voice_trio.core.grammar.numbers import numbers
from voice_trio.core.grammar.tokens import Token
from voice_trio.skills.places import places

_LARGEST: Final = 10**15
_LONGEST_NAME: Final = 3
"""Of a list, in words."""

Found = Iterator[tuple[int, Any]]


def _said(heard: Sequence[Token], at: int, end: int) -> str:
    words = " ".join(token.word for token in heard[at:end])
    return re.sub(r"(\d) (st|nd|rd|th)\b", r"\1\2", words)


def _clock(heard: Sequence[Token], at: int) -> Found:
    return ((end, time.strftime("%H:%M")) for end, time in times.clock(heard, at))


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


def _list_name(heard: Sequence[Token], at: int) -> Found:
    return ((end, _said(heard, at, end)) for end in range(at + 1, min(len(heard), at + _LONGEST_NAME) + 1))


def _number(heard: Sequence[Token], at: int) -> Found:
    return ((end, _plain(float(number))) for end, number in numbers(heard, at) if abs(number) < _LARGEST)


def _plain(number: float) -> int | float:
    return int(number) if number.is_integer() else number


KINDS: Final[Mapping[str, Kind]] = {
    "amount": _amount,
    "clock": _clock,
    "day": _day,
    "duration": _duration,
    "listname": _list_name,
    "number": _number,
    "place": places,
    "sum": _sum,
    "unit": units.units,
}
"""Kind of slot -> what yields what may stand there."""
