"""What the database holds, and how an older one, or an empty file, comes to hold it.

``records`` has the turns. ``leaving`` is empty but while what is remembered moves to fresh pages (`rewriting`): a turn
is in one of the two, and a reader looks into both. ``list_items`` has what stands on people's lists, ``alerts`` what is
still to be told to them, and ``titles`` the names that people gave their conversations. ``issuer`` has one row, the key
of the ids.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from math import inf
from sqlite3 import Cursor

from voice_trio.memory.base import StoreError
from voice_trio.memory.ids import KEY_BYTES
from voice_trio.memory.record_rows import RECORD
from voice_trio.memory.transactions import Parameters as Parameters

Execute = Callable[..., Cursor]

COLUMNS = RECORD.replace("conversation,", "conversation, seq,")

_FIRST_TURNS = """
    CREATE TABLE {} (
        conversation TEXT NOT NULL,
        seq INTEGER NOT NULL,
        session TEXT NOT NULL,
        turn INTEGER NOT NULL,
        said TEXT NOT NULL,
        reply TEXT NOT NULL,
        heard INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        ended_at REAL NOT NULL,
        PRIMARY KEY (conversation, seq),
        UNIQUE (session, turn)
    )
"""
"""As they were before there were tools."""

_CALLS = "calls TEXT NOT NULL DEFAULT ''"
"""What tools of the server did in a turn, as `core.called` spells it."""

_ORIGIN = "origin TEXT NOT NULL DEFAULT ''"
"""Why the server began a turn that nobody asked for."""

_TURNS = _FIRST_TURNS.replace("ended_at REAL NOT NULL,", f"ended_at REAL NOT NULL, {_CALLS}, {_ORIGIN},")

_LISTS = """
    CREATE TABLE IF NOT EXISTS list_items (
        conversation TEXT NOT NULL,
        seq INTEGER NOT NULL,
        list TEXT NOT NULL,
        item TEXT NOT NULL,
        added_at REAL NOT NULL,
        PRIMARY KEY (conversation, seq)
    )
"""

_ALERTS = """
    CREATE TABLE IF NOT EXISTS alerts (
        conversation TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        due_at REAL NOT NULL,
        set_at REAL NOT NULL,
        zone TEXT NOT NULL,
        wall TEXT NOT NULL,
        weekdays TEXT NOT NULL,
        PRIMARY KEY (conversation, id)
    )
"""
"""``due_at`` and ``set_at`` are seconds since 1970; the rest is as `core.alerts` spells it."""

_TITLES = "CREATE TABLE IF NOT EXISTS titles (conversation TEXT PRIMARY KEY, title TEXT NOT NULL)"

_MIGRATIONS: Sequence[Sequence[str]] = (
    ("CREATE TABLE issuer (key BLOB NOT NULL)", _FIRST_TURNS.format("records")),
    # A database that the first schema made has a list of its conversations, too.
    (_FIRST_TURNS.format("leaving"), "DROP TABLE IF EXISTS conversations"),
    (f"ALTER TABLE records ADD COLUMN {_CALLS}", f"ALTER TABLE leaving ADD COLUMN {_CALLS}"),
    (_LISTS,),
    (_TITLES,),
    (_ALERTS, f"ALTER TABLE records ADD COLUMN {_ORIGIN}", f"ALTER TABLE leaving ADD COLUMN {_ORIGIN}"),
)
"""What makes each version of the schema from the one before it; ``user_version`` says how many were done."""


def migrate(execute: Execute, key: bytes | None) -> tuple[bytes, bool]:
    """Bring the schema up to date, in a transaction; return the key of the ids, and whether there was nothing before.

    ``key`` is for a database that has none yet; without one, it is drawn. Raises `StoreError` for what is not ours,
    and for what is damaged as far as one look shows it.
    """
    (version,) = execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise StoreError("a newer voice_trio wrote what is there")
    new = version == 0
    if version < 0 or (new and execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()):
        raise StoreError("the database there is another program's")
    for statements in _MIGRATIONS[version:]:
        for statement in statements:
            execute(statement)
    if version < len(_MIGRATIONS):
        execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    if new:
        execute("INSERT INTO issuer VALUES (?)", (key or secrets.token_bytes(KEY_BYTES),))
    for table in ("records", "leaving"):
        execute(f"SELECT {COLUMNS} FROM {table} LIMIT 1").fetchone()
    return _key(execute), new


def turn_out(execute: Execute) -> None:
    """Have every turn leave: ``records`` is new and empty. ``leaving`` must have been empty, too."""
    execute("DROP TABLE leaving")
    execute("ALTER TABLE records RENAME TO leaving")
    execute(_TURNS.format("records"))


def renew_leaving(execute: Execute) -> None:
    """Give back the pages of ``leaving``, which must be empty: its last ones may have traces of what was there."""
    execute("DROP TABLE leaving")
    execute(_TURNS.format("leaving"))


def renew_lists(execute: Execute, before: float) -> None:
    """Have lists in a fresh table, without what was added before ``before``, seconds since 1970."""
    execute("ALTER TABLE list_items RENAME TO old_items")
    execute(_LISTS)
    execute("INSERT INTO list_items SELECT * FROM old_items WHERE added_at >= ?", (before,))
    execute("DROP TABLE old_items")


def renew_titles(execute: Execute) -> None:
    """Have titles in a fresh table, without those of conversations that have no turns any more."""
    execute("ALTER TABLE titles RENAME TO old_titles")
    execute(_TITLES)
    left = "SELECT 1 FROM {} WHERE {}.conversation = old_titles.conversation"
    either = " OR ".join(f"EXISTS ({left.format(table, table)})" for table in ("records", "leaving"))
    execute(f"INSERT INTO titles SELECT * FROM old_titles WHERE {either}")
    execute("DROP TABLE old_titles")


def renew_alerts(execute: Execute, before: float) -> None:
    """Have alerts in a fresh table, but those due before ``before``, seconds since 1970, that will not be again.

    For inf that is all of them.
    """
    execute("ALTER TABLE alerts RENAME TO old_alerts")
    execute(_ALERTS)
    query = "INSERT INTO alerts SELECT * FROM old_alerts WHERE due_at >= ? OR (weekdays != '' AND ?)"
    execute(query, (before, before < inf))
    execute("DROP TABLE old_alerts")


def _key(execute: Execute) -> bytes:
    rows = execute("SELECT key FROM issuer LIMIT 2").fetchall()
    match rows:
        case [(bytes() as key,)] if len(key) == KEY_BYTES:
            return key
    trouble = "missing" if not rows else "there more than once" if len(rows) > 1 else "damaged"
    raise StoreError(
        f"the key in the database that signs the ids of conversations is {trouble} "
        "(put back a copy of the file, or move it away to begin anew)"
    )
