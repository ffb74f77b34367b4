"""How alerts are spoken of: how long, when, and what is said when they are due."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from voice_trio.core.alerts import Alert
from voice_trio.skills import spoken
from voice_trio.skills.occurrences import local

_SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_TOLD_PARTS = 2
"""Of what is left: "1 hour and 5 minutes" is exact enough where seconds are left, too."""

_MINE = {"i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are"}


def length(seconds: float, *, parts: int = 4) -> str:
    """Return a length of time, of at most ``parts`` units: "ten seconds", "one hour and 30 minutes"."""
    return spoken.listed(
        [f"{_number(count)} {unit}{'' if count == 1 else 's'}" for count, unit in _counts(seconds, parts)]
    )


def left(seconds: float) -> str:
    """Return how long it is until then, as exact as anybody wants to hear it."""
    return length(seconds, parts=_TOLD_PARTS)


def called(alert: Alert) -> str:
    """Return what the person would call ``alert``: "your pasta timer", "your ten-second timer"."""
    match alert.kind:
        case "timer":
            return f"your {alert.label or _as_adjective(alert.due_at - alert.set_at)} timer"
        case "alarm":
            named = f" called {alert.label}" if alert.label else ""
            return f"your alarm for {spoken.clock(local(alert.due_at, alert.zone))}{named}"
        case "reminder":
            return f"your reminder to {yours(alert.label)}"


def when(alert: Alert, now: datetime) -> str:
    """Return when an alarm or a reminder is due: "7:30 AM tomorrow", "8 AM on weekdays"."""
    due = local(alert.due_at, alert.zone)
    told = spoken.clock(due)
    if alert.weekdays:
        return f"{told} {_weekly(alert.weekdays)}"
    match (due.date() - now.astimezone(due.tzinfo).date()).days:
        case 0:
            return f"{told} today"
        case 1:
            return f"{told} tomorrow"
        case days if 1 < days < 7:
            return f"{told} on {due:%A}"
    return f"{told} on {spoken.day(due, year=due.year != now.year)}"


def told(alerts: Sequence[Alert], missed_before: float) -> str:
    """Return what is said of ``alerts`` that are due, in one go: first of those that were due before ``missed_before``.

    Both are seconds since 1970.
    """
    missed = [_missed(alert) for alert in alerts if alert.due_at < missed_before]
    now = [_due(alert) for alert in alerts if alert.due_at >= missed_before]
    away = f"While you were away, {'; '.join(missed)}." if missed else ""
    return " ".join([*filter(None, [away]), *now])


def yours(text: str) -> str:
    """Return what a person said of themselves as it is said to them: "call my mum", "call your mum"."""
    return re.sub(r"[A-Za-z]+", lambda word: _MINE.get(word[0].casefold(), word[0]), text)


def _due(alert: Alert) -> str:
    match alert.kind:
        case "timer":
            return f"{spoken.sentence(called(alert))} is up."
        case "alarm":
            name = f" {spoken.sentence(alert.label)}." if alert.label else ""
            return f"It is {spoken.clock(local(alert.due_at, alert.zone))}. This is your alarm.{name}"
        case "reminder":
            return f"Here is your reminder: {yours(alert.label)}."


def _missed(alert: Alert) -> str:
    at = spoken.clock(local(alert.due_at, alert.zone))
    match alert.kind:
        case "timer":
            return f"{called(alert)} was up at {at}"
        case "alarm":
            return f"{called(alert)} was due"
        case "reminder":
            return f"I had a reminder for you at {at}: {yours(alert.label)}"


def _as_adjective(seconds: float) -> str:
    """Return a length of time before a noun: "ten-second", "one-hour-and-30-minute"."""
    counts = _counts(seconds, 4)
    return "-and-".join(f"{_number(count)}-{unit}" for count, unit in counts)


def _counts(seconds: float, parts: int) -> list[tuple[int, str]]:
    rest = max(1, round(seconds))
    found: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        if len(found) == parts - 1 and found and rest:
            # The last that is told is rounded to.
            rest = round(rest / size) * size if rest >= size else rest
        count, rest = divmod(rest, size)
        if count and len(found) < parts:
            found.append((count, unit))
    return found


def _number(count: int) -> str:
    return _SMALL[count] if 0 < count < len(_SMALL) else f"{count:,}"


def _weekly(weekdays: Sequence[int]) -> str:
    match tuple(sorted(weekdays)):
        case (0, 1, 2, 3, 4, 5, 6):
            return "every day"
        case (0, 1, 2, 3, 4):
            return "on weekdays"
        case (5, 6):
            return "on weekends"
        case days:
            return f"every {spoken.listed([_DAYS[day] for day in days])}"
