"""What the database holds, and how an older one, or an empty one, comes to hold it.

All of it stands in a schema of its own, ``voice_trio``, so that others may have tables in the same database.
``records`` has the turns, ``titles``, ``list_items`` and ``alerts`` what belongs to conversations besides, ``issuer``
the key of their ids. ``nodes`` has a row for each server that has conversations, and ``claims`` one for each that it
has: see `claims`.

Servers that start together wait for one another (an advisory lock), so that each step is done once. While servers of
two versions use one database, which an upgrade one by one brings about, the older ones go on with tables that are
newer: so a step may add, but neither take away nor rename.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from voice_trio.memory.base import StoreError
from voice_trio.memory.ids import KEY_BYTES
from voice_trio.memory.postgres.connection import Connection
from voice_trio.memory.transactions import Execute

_LOCK: Final = 0x766F6963655F7472
"""The name of the lock, for PostgreSQL a number: "voice_tr"."""

_OLDEST: Final = 12

_FIRST: Final = (
    "CREATE TABLE voice_trio.issuer (id INT PRIMARY KEY CHECK (id = 1), key BYTEA NOT NULL)",
    # Ids are compared as Python does, and not as any language would.
    """
    CREATE TABLE voice_trio.records (
        id BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
        conversation TEXT COLLATE "C" NOT NULL,
        seq BIGINT NOT NULL,
        session TEXT NOT NULL,
        turn BIGINT NOT NULL,
        said TEXT NOT NULL,
        reply TEXT NOT NULL,
        heard BIGINT NOT NULL,
        outcome TEXT NOT NULL,
        ended_at DOUBLE PRECISION NOT NULL,
        calls TEXT NOT NULL,
        origin TEXT NOT NULL,
        PRIMARY KEY (conversation, seq),
        UNIQUE (session, turn)
    )
    """,
    # For what is too old.
    "CREATE INDEX records_by_time ON voice_trio.records (ended_at)",
    'CREATE TABLE voice_trio.titles (conversation TEXT COLLATE "C" PRIMARY KEY, title TEXT NOT NULL)',
    """
    CREATE TABLE voice_trio.list_items (
        conversation TEXT NOT NULL,
        seq BIGINT NOT NULL,
        list TEXT NOT NULL,
        item TEXT NOT NULL,
        added_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (conversation, seq)
    )
    """,
    """
    CREATE TABLE voice_trio.alerts (
        conversation TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        due_at DOUBLE PRECISION NOT NULL,
        set_at DOUBLE PRECISION NOT NULL,
        zone TEXT NOT NULL,
        wall TEXT NOT NULL,
        weekdays TEXT NOT NULL,
        PRIMARY KEY (conversation, id)
    )
    """,
    "CREATE TABLE voice_trio.nodes (node TEXT PRIMARY KEY, deadline TIMESTAMPTZ NOT NULL)",
    "CREATE SEQUENCE voice_trio.epochs",
    """
    CREATE TABLE voice_trio.claims (
        conversation TEXT PRIMARY KEY,
        node TEXT NOT NULL REFERENCES voice_trio.nodes ON DELETE CASCADE,
        epoch BIGINT NOT NULL DEFAULT nextval('voice_trio.epochs')
    )
    """,
    "CREATE INDEX claims_of_node ON voice_trio.claims (node)",
)

_MIGRATIONS: Final[Sequence[Sequence[str]]] = (_FIRST,)
"""What makes each version of the schema from the one before it; ``migrations`` has a row for each that was done."""


def migrate(connection: Connection) -> bytes:
    """Bring the schema up to date; return the key of the ids, which is drawn if there is none.

    Raises `StoreError` for a server or a database that cannot be used, and for what a newer version wrote.
    """
    if int(connection.version.split(".")[0]) < _OLDEST:
        raise StoreError(f"that is PostgreSQL {connection.version}; {_OLDEST} or a later one is needed")
    if connection.encoding != "UTF8":
        raise StoreError(f"the database keeps text as {connection.encoding}; make one with the encoding UTF8")
    with connection.transaction(stepwise=True) as execute:
        execute("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
        done = _done(execute)
        if done > len(_MIGRATIONS):
            raise StoreError("a newer voice_trio wrote what is there")
        for version, statements in enumerate(_MIGRATIONS[done:], start=done + 1):
            for statement in statements:
                execute(statement)
            execute("INSERT INTO voice_trio.migrations (version) VALUES (?)", (version,))
        drawn = secrets.token_hex(KEY_BYTES)
        execute("INSERT INTO voice_trio.issuer VALUES (1, decode(?, 'hex')) ON CONFLICT DO NOTHING", (drawn,))
        (key,) = execute("SELECT key FROM voice_trio.issuer").fetchone()
    if len(key) != KEY_BYTES:
        raise StoreError("the key in the database that signs the ids of conversations is damaged")
    return bytes(key)


def _done(execute: Execute) -> int:
    """Return how many migrations were done; make what that is kept in."""
    (table,) = execute("SELECT to_regclass('voice_trio.migrations')::text").fetchone()
    if table is None:
        # Not everybody may make a schema: then it was made for us.
        if execute("SELECT to_regnamespace('voice_trio')::text").fetchone() == (None,):
            execute("CREATE SCHEMA voice_trio")
        execute("CREATE TABLE voice_trio.migrations (version INT PRIMARY KEY, done_at TIMESTAMPTZ DEFAULT now())")
    (done,) = execute("SELECT coalesce(max(version), 0) FROM voice_trio.migrations").fetchone()
    return int(done)
