"""The rows of alerts in the database: few and short, so each of these is one short transaction.

They raise `StoreError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import structlog

from voice_trio.core.alerts import MOST_ALERTS, Alert, alert_of, row_of
from voice_trio.core.strange_text import mend
from voice_trio.memory import schema
from voice_trio.memory.database import Database
from voice_trio.memory.transactions import Transacting

log = structlog.get_logger()

_COLUMNS = "conversation, id, kind, label, due_at, set_at, zone, wall, weekdays"


def of(database: Transacting, conversation: str) -> list[Alert]:
    """Return the conversation's alerts, the next one first, but for rows that are damaged."""
    with database.transaction() as execute:
        query = f"SELECT {_COLUMNS} FROM alerts WHERE conversation = ? ORDER BY due_at, id LIMIT {MOST_ALERTS}"
        rows = execute(query, (conversation,)).fetchall()
    alerts = [alert for row in rows if (alert := _alert(row)) is not None]
    if len(alerts) < len(rows):
        log.warning("alerts are damaged in the database and cannot be told", damaged=len(rows) - len(alerts))
    return alerts


def _alert(row: Sequence[Any]) -> Alert | None:
    """Return the alert that is in ``row``; None where it is damaged."""
    try:
        return alert_of(*row)
    except (ValueError, TypeError):
        return None


def put(database: Transacting, alert: Alert) -> bool:
    """Have ``alert`` in the place of the one of its id, or besides; False where there is no room for another one."""
    row = tuple(mend(value) if isinstance(value, str) else value for value in row_of(alert))
    with database.transaction() as execute:
        others = "SELECT count(*) FROM alerts WHERE conversation = ? AND id != ?"
        if execute(others, (alert.conversation, alert.id)).fetchone()[0] >= MOST_ALERTS:
            return False
        execute("DELETE FROM alerts WHERE conversation = ? AND id = ?", (alert.conversation, alert.id))
        execute(f"INSERT INTO alerts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return True


def remove(database: Transacting, conversation: str, gone: Sequence[str]) -> None:
    """Delete the conversation's alerts of those ids."""
    with database.transaction() as execute:
        for key in gone:
            execute("DELETE FROM alerts WHERE conversation = ? AND id = ?", (conversation, mend(key)))


def forget(database: Database, conversation: str) -> None:
    """Delete the conversation's alerts, but not every trace of them."""
    with database.transaction() as execute:
        execute("DELETE FROM alerts WHERE conversation = ?", (conversation,))


def have_old(database: Database, before: float) -> bool:
    """Return whether any was due before ``before``, seconds since 1970, and will not be again; for inf, any at all."""
    with database.transaction() as execute:
        query = "SELECT 1 FROM alerts WHERE due_at < ? AND (weekdays = '' OR ?) LIMIT 1"
        return execute(query, (before, before == inf)).fetchone() is not None


def renew(database: Database, before: float) -> None:
    """Have alerts on fresh pages: no trace is left of what is gone, nor anything that was due before ``before``.

    What comes again each week stays, unless ``before`` is inf.
    """
    with database.transaction() as execute:
        schema.renew_alerts(execute, before)
