"""Alerts: timers, alarms and reminders. What one is, and what clients are told of them and may ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Annotated, ClassVar, Final, Literal

from annotated_types import MaxLen, MinLen

from voice_trio.core.codes import Name

MOST_ALERTS: Final = 50
"""Of a conversation, at once."""

MAX_LABEL_CHARS: Final = 200

_FARTHEST_S: Final = 6e10
"""From 1970: some 1,900 years, so that a calendar has whatever is in between."""

Kind = Literal["timer", "alarm", "reminder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is to be told to the person when it is due."""

    conversation: str
    id: str
    """Its own among those of the conversation, for good."""
    kind: Kind
    label: str = ""
    """What the person calls it, or wants to be reminded of; empty where they said nothing of it."""
    due_at: float
    """Seconds since 1970, UTC."""
    set_at: float
    zone: str = ""
    """The time zone whose clock the person meant, by its IANA name; empty: the machine's own."""
    wall: str = ""
    """The time of the day at which it is due there, "07:30"; empty where a length of time was meant."""
    weekdays: tuple[int, ...] = ()
    """On which it is due again each week, 0 for Monday; none: it is due once."""


def alert_of(
    conversation: str,
    id: str,  # noqa: A002
    kind: str,
    label: str,
    due_at: float,
    set_at: float,
    zone: str,
    wall: str,
    weekdays: str,
) -> Alert:
    """Return the alert that a store kept so, see `row_of`. Raises ValueError or TypeError for what is none."""
    if kind not in ("timer", "alarm", "reminder") or not set(weekdays) <= set("0123456"):
        raise ValueError("no alert")
    if not all(isinstance(text, str) for text in (conversation, id, label, zone, weekdays)):
        raise TypeError("no text where there is to be one")
    if not (abs(due_at) < _FARTHEST_S and abs(set_at) < _FARTHEST_S):
        raise ValueError("no time that a clock shows")
    if wall or weekdays:
        time.fromisoformat(wall)
    return Alert(
        conversation=conversation,
        id=id,
        kind=kind,  # type: ignore[arg-type]
        label=label,
        due_at=due_at,
        set_at=set_at,
        zone=zone,
        wall=wall,
        weekdays=tuple(map(int, weekdays)),
    )


def row_of(alert: Alert) -> tuple[str, str, str, str, float, float, str, str, str]:
    """Return ``alert`` as a store keeps it."""
    days = "".join(map(str, alert.weekdays))
    row = alert.conversation, alert.id, alert.kind, alert.label, alert.due_at, alert.set_at, alert.zone, alert.wall
    return *row, days


# --- what clients are told, and may ask -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlert:
    """An alert, as a client shows it."""

    id: str
    kind: Kind
    label: str
    left_ms: int
    """Until it is due, from when this was said; 0 where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """All alerts that wait in the session's conversations, the next one first; at most `MOST_ALERTS`.

    Each replaces the one before it. Said whenever they change, and behind the greeting where there are any.
    """

    timers: tuple[ToldAlert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """Have an alert be no more. `Timers` answers, also where there is none of that id."""

    name: ClassVar[str] = "cancel_timer"
    id: Annotated[str, MinLen(1), MaxLen(40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Have this session tell what is due in a conversation of an earlier one, before any turn goes on with it."""

    name: ClassVar[str] = "resume"
    conversation: Name


def told(alerts: Sequence[Alert], now: float) -> Timers:
    """Return what a client is told of ``alerts`` at ``now``, seconds since 1970."""
    order = sorted(alerts, key=lambda alert: (alert.due_at, alert.id))[:MOST_ALERTS]
    return Timers(
        timers=tuple(
            ToldAlert(
                id=alert.id,
                kind=alert.kind,
                label=alert.label,
                left_ms=max(0, round((alert.due_at - now) * 1000)),
            )
            for alert in order
        )
    )
