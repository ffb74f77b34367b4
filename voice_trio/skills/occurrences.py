"""When an alert is due: times of the day in a time zone, through its changes, as seconds since 1970."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voice_trio.core.alerts import Alert

WEEK = 7


def zone_of(now: datetime) -> str:
    """Return the name of the zone of ``now``; empty where it has none, as that of the machine's own clock."""
    return now.tzinfo.key if isinstance(now.tzinfo, ZoneInfo) else ""


def at_wall(day: date, wall: time, zone: str) -> float:
    """Return when the clocks of ``zone`` show ``wall`` on ``day``, the first time if they do twice.

    Where they skip it, it is when they would have shown it: an hour later by what they show. Raises `OverflowError`
    for days that no calendar has.
    """
    shown = datetime.combine(day, wall)
    try:
        there = shown.astimezone() if not zone else shown.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        # It was known when the alert was set.
        there = shown.astimezone()
    return there.astimezone(UTC).timestamp()


def local(at: float, zone: str) -> datetime:
    """Return what the clocks of ``zone`` show at ``at``."""
    try:
        return datetime.fromtimestamp(at, ZoneInfo(zone)) if zone else datetime.fromtimestamp(at).astimezone()
    except (ZoneInfoNotFoundError, ValueError):
        return datetime.fromtimestamp(at).astimezone()


def next_weekly(weekdays: Sequence[int], wall: time, zone: str, after: float) -> float:
    """Return when the clocks of ``zone`` show ``wall`` next, later than ``after``, on one of ``weekdays``."""
    today = local(after, zone).date()
    ahead = (today + timedelta(days=days) for days in range(WEEK + 2))
    due = (at_wall(day, wall, zone) for day in ahead if day.weekday() in weekdays)
    return next(at for at in due if at > after)


def next_after(alert: Alert, after: float) -> float | None:
    """Return when ``alert`` is due next, later than ``after``; None where it is due once only."""
    if not alert.weekdays:
        return None
    return next_weekly(alert.weekdays, time.fromisoformat(alert.wall), alert.zone, after)
