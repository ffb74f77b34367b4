"""What moment people mean by a time of the day, a day and a length of time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from voice_trio.core.grammar import days, times
from voice_trio.core.grammar.tokens import tokens
from voice_trio.skills import arguments as given
from voice_trio.skills.occurrences import at_wall, next_weekly, zone_of
from voice_trio.toolbox.base import ToolError

FARTHEST = timedelta(days=3660)
_MORNING = time(9)
"""When it is, where only a day was said."""
_EXACT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::\d\d)?")
_HALF = re.compile(r"\b(?:am|pm|in the|at night|tonight|this|noon|midday|midnight)\b")
_PART = re.compile(r"^(.*) (?:in the )?(morning|afternoon|evening|night)$")
_NOON = 12
_AFTERNOON_UNTIL = 6
"""Who wants to be reminded at five on another day does not mean the night."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is due."""

    at: float
    """Seconds since 1970."""
    zone: str
    wall: str
    """The time of the day that was meant; empty where a length of time was."""
    weekdays: tuple[int, ...] = ()


def length(said: str) -> timedelta:
    """Return how long it is. Raises `ToolError`."""
    heard = tokens(said)
    found = next((length for end, length in times.duration(heard, 0) if end == len(heard)), None)
    if found is None:
        raise ToolError("I did not make out how long.")
    if not timedelta(seconds=1) <= found <= FARTHEST:
        raise ToolError("That has to be at least one second, and at most ten years.")
    return found


def moment(arguments: Mapping[str, Any], now: datetime, *, afternoons: bool) -> Moment:
    """Return what is meant by ``after``, or by ``at``, ``day`` and ``every``: the next such moment. Raises `ToolError`.

    A time of the day that may be one of two is the next of them; on another day than today it is as it was said, and
    with ``afternoons`` it is in the afternoon up to six.
    """
    after, said = given.text(arguments, "after"), given.text(arguments, "at", most=60)
    day, every = given.text(arguments, "day", most=60), given.text(arguments, "every", most=100)
    if after:
        return Moment(now.timestamp() + length(after).total_seconds(), zone_of(now), "")
    if not said and not day:
        raise ToolError("Please say when, such as at five, or in ten minutes.")
    zone = zone_of(now)
    part = _PART.fullmatch(day)
    day, half = (part[1], part[2]) if part else (day, "")
    options = _times(said, half) if said else [_MORNING]
    try:
        if every:
            weekdays, wall = _weekdays(every), options[0]
            return Moment(next_weekly(weekdays, wall, zone, now.timestamp()), zone, f"{wall:%H:%M}", weekdays)
        if not day:
            return _soonest(options, now, zone)
        on = _day(day, now.date())
        wall = _likely(options, on == now.date(), now, afternoons=afternoons)
        found = Moment(at_wall(on, wall, zone), zone, f"{wall:%H:%M}")
    except OverflowError as error:
        raise ToolError("That is farther away than any calendar goes.") from error
    if found.at <= now.timestamp():
        raise ToolError("That time is over already.")
    if found.at - now.timestamp() > FARTHEST.total_seconds():
        raise ToolError("That is farther away than ten years.")
    return found


def weekdays_in(said: str) -> tuple[int, ...] | None:
    """Return which days of the week are meant: "weekday", "monday and friday"; None where that is none."""
    words = [word.removesuffix("s") for word in re.findall(r"[a-z]+", said.casefold())]
    words = [word for word in words if word not in ("every", "and", "on", "each", "all", "morning", "evening")] or words
    if set(words) <= {"day", "daily", "morning", "evening", "week"}:
        return tuple(range(7))
    found: set[int] = set()
    for word in words:
        match word:
            case "weekday":
                found |= {*range(5)}
            case "weekend":
                found |= {5, 6}
            case _ if word in days.WEEKDAYS:
                found.add(days.WEEKDAYS.index(word))
            case _:
                return None
    return tuple(sorted(found)) or None


def _weekdays(said: str) -> tuple[int, ...]:
    found = weekdays_in(said)
    if found is None:
        raise ToolError("I did not make out on which days of the week.")
    return found


def names_half(said: str) -> bool:
    """Return whether a time of the day says in which half of the day it is."""
    return _HALF.search(said) is not None


def _times(said: str, half: str) -> list[time]:
    """Return what times of the day ``said`` may be, in the ``half`` of the day that was said, if it was."""
    exact = _EXACT.fullmatch(said)
    heard = tokens(said)
    found = next((time for end, time in times.clock(heard, 0) if end == len(heard)), None)
    if exact is not None:
        found = time(int(exact[1]), int(exact[2]))
    if found is None:
        raise ToolError("I did not make out that time.")
    if exact is not None or names_half(said) or not 0 < found.hour <= _NOON:
        return [found]
    both = [found.replace(hour=found.hour % _NOON), found.replace(hour=found.hour % _NOON + _NOON)]
    if half:
        return both[:1] if half == "morning" else both[1:]
    # As it was said is the first: twelve is noon.
    return both if found.hour < _NOON else both[::-1]


def _likely(options: list[time], is_today: bool, now: datetime, *, afternoons: bool) -> time:
    if is_today:
        return next((wall for wall in sorted(options) if wall > now.time()), options[0])
    if afternoons and 0 < options[0].hour <= _AFTERNOON_UNTIL:
        return options[-1]
    return options[0]


def _soonest(options: list[time], now: datetime, zone: str) -> Moment:
    ahead = (
        (at_wall(now.date() + timedelta(days=days), wall, zone), wall) for days in range(3) for wall in sorted(options)
    )
    at, wall = next((at, wall) for at, wall in ahead if at > now.timestamp())
    return Moment(at, zone, f"{wall:%H:%M}")


def _day(said: str, today: date) -> date:
    day = days.read(said)
    if day is None:
        raise ToolError("I did not make out which day you mean.")
    found = day.on(today)
    if found is None:
        raise ToolError("There is no such day in the calendar.")
    return found
