"""The rows of turns in the database: each of these is one short step, and may be done again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from voice_trio.core.called import spelled
from voice_trio.core.history import Record, is_shorter
from voice_trio.memory.base import ClaimLost, StoreError
from voice_trio.memory.postgres.connection import Collided, Connection
from voice_trio.memory.record_rows import RECORD, record_of, row_of, storable

_IS_THERE: Final = "SELECT 1 FROM voice_trio.records WHERE session = ? AND turn = ?"


def add(connection: Connection, record: Record, epoch: int, *, again: bool) -> None:
    """Keep ``record`` as the last one of its conversation, if the claim of that ``epoch`` is there still.

    ``again`` says that it may have been kept by an earlier try. Raises `ClaimLost`.
    """
    # Who would take the claim waits for the end of this, and this for the end of that: KEY SHARE.
    rows = connection.write(
        f"""
        WITH claim AS MATERIALIZED (
            SELECT conversation FROM voice_trio.claims WHERE conversation = ? AND epoch = ? FOR KEY SHARE
        )
        INSERT INTO voice_trio.records (seq, {RECORD})
        SELECT coalesce((SELECT max(seq) FROM voice_trio.records WHERE conversation = ?), 0) + 1,
            ?, ?, ?::bigint, ?, ?, ?::bigint, ?, ?::double precision, ?, ?
        FROM claim ON CONFLICT DO NOTHING RETURNING 1
        """,
        (record.conversation, epoch, record.conversation, *row_of(record)),
    )
    if rows:
        return
    if connection.read(_IS_THERE, (record.session, record.turn)):
        if again:
            return
        raise StoreError("UNIQUE: this turn is remembered already")
    query = "SELECT 1 FROM voice_trio.claims WHERE conversation = ? AND epoch = ?"
    if connection.read(query, (record.conversation, epoch)):
        # Of an earlier try, which the server has not done with.
        raise Collided
    raise ClaimLost("another server went on with that conversation")


def amend(connection: Connection, record: Record) -> None:
    """Have ``record`` in the place of the one that it is a part of, if there is one."""
    record = replace(record, said=storable(record.said), reply=storable(record.reply))
    turn = record.session, record.turn
    with connection.transaction() as execute:
        row = execute(f"SELECT {RECORD} FROM records WHERE session = ? AND turn = ?", turn).fetchone()
        if row is not None and is_shorter(record, record_of(*row)):
            execute(
                "UPDATE records SET said = ?, reply = ?, heard = ?, outcome = ?, calls = ?"
                " WHERE session = ? AND turn = ?",
                (record.said, record.reply, record.heard, str(record.outcome), spelled(record.calls), *turn),
            )


def recall(connection: Connection, conversation: str, limit: int) -> list[Record]:
    """Return the latest ``limit`` records of ``conversation``, oldest first."""
    query = f"SELECT {RECORD} FROM voice_trio.records WHERE conversation = ? ORDER BY seq DESC LIMIT ?"
    return [record_of(*row) for row in reversed(connection.read(query, (conversation, limit)))]


def prune(connection: Connection, before: float, limit: int) -> int:
    """Delete ``limit`` turns that ended before ``before``, seconds since 1970; return how many there were."""
    return len(
        connection.write(
            "DELETE FROM voice_trio.records WHERE id IN"
            " (SELECT id FROM voice_trio.records WHERE ended_at < ? LIMIT ?) RETURNING 1",
            (before, limit),
        )
    )


def prune_rest(connection: Connection, before: float) -> None:
    """Delete what else is older, and names of what has no turns any more."""
    with connection.transaction(stepwise=True) as execute:
        execute("DELETE FROM list_items WHERE added_at < ?", (before,))
        execute("DELETE FROM alerts WHERE due_at < ? AND (weekdays = '' OR ? = 'Infinity'::float8)", (before, before))
        execute("DELETE FROM titles AS t WHERE NOT EXISTS (SELECT FROM records WHERE conversation = t.conversation)")


def forget(connection: Connection, conversation: str) -> int:
    """Delete ``conversation``, and all that belongs to it; return how many turns it had."""
    with connection.transaction(stepwise=True) as execute:
        for table in ("list_items", "titles", "alerts"):
            execute(f"DELETE FROM {table} WHERE conversation = ?", (conversation,))
        return len(execute("DELETE FROM records WHERE conversation = ? RETURNING 1", (conversation,)).fetchall())
