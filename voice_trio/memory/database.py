"""The file in which conversations are remembered: one SQLite connection, for one thread at a time.

# Theory

Durable. When COMMIT returns, the transaction is in the write-ahead log. That alone outlives a kill -9, since the kernel
has it; ``synchronous=FULL`` also syncs the log to the disk at every COMMIT, so it outlives a power cut too. (NORMAL,
often advised for WAL, would lose the last turns then.) Where the file system cannot share memory, SQLite stays with its
rollback journal, which under FULL keeps the same promise, more slowly.

Forgotten. A deleted row is overwritten with zeros (``secure_delete``); `rewriting` sees to the traces that it left.

There. SQLite goes on writing to a file that was deleted, and trusts what it has in memory of one that was overwritten,
so what it calls committed may be gone with the process. `files` tells whether they are those that were opened.

Shared. Other processes may use the file at the same time, ``voice-trio forget`` for one. Each waits for the others'
transactions, but not for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from voice_trio import private_files
from voice_trio.core.called import spelled
from voice_trio.core.history import Record, is_shorter
from voice_trio.memory import schema
from voice_trio.memory.base import CannotRemember, StoreBusy, StoreError, StoreFull
from voice_trio.memory.files import SUFFIXES, Files
from voice_trio.memory.record_rows import RECORD, record_of, row_of, storable

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")

_SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
"""After these nothing that the connection has in memory can be trusted."""


class Database:
    """An open database. Any thread may use it, one at a time. Its methods wait for the disk, and raise `StoreError`."""

    def __init__(self, path: Path, *, busy_s: float, key: bytes | None = None) -> None:
        """Open the database at ``path``, making what is missing of it; raises `CannotRemember`.

        ``busy_s`` is how long each transaction may wait for those of other processes. ``key`` signs the ids of a
        database that has to be made.
        """
        self.path = path
        self.spoilt = False
        """Whether it has to be opened anew before anything is to be had of it."""
        try:
            _make(path)
            self.connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise cannot_remember(path, error) from error
        try:
            for pragma in _PRAGMAS:
                self.connection.execute(f"PRAGMA {pragma}")
            with self.transaction() as execute:
                self.key, self.new = schema.migrate(execute, key)
        except (sqlite3.Error, StoreError) as error:
            self.close()
            raise cannot_remember(path, error) from error
        self.files = Files(path)

    def close(self) -> None:
        """Close it; the last connection to go also brings the log into the file, and deletes it."""
        self.connection.close()

    def leave(self) -> None:
        """Close it where others may have taken its place: wherever its file is, it has all that was committed."""
        with suppress(sqlite3.Error):
            if self.files.elsewhere():
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self.close()
        self.files.discard_log()

    def add(self, record: Record) -> None:
        """Keep ``record`` as the last one of its conversation."""
        with self.transaction() as execute:
            if self._has(execute, "leaving", record):
                raise StoreError("UNIQUE: this turn is remembered already")
            execute(
                f"""
                INSERT INTO records ({schema.COLUMNS})
                SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM (
                    SELECT max(seq) AS seq FROM records WHERE conversation = ?1
                    UNION ALL SELECT max(seq) FROM leaving WHERE conversation = ?1
                )
                """,
                row_of(record),
            )

    def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one that it is a part of, if there is one."""
        record = replace(record, said=storable(record.said), reply=storable(record.reply))
        for table in ("records", "leaving"):
            with self.transaction() as execute:
                turn = record.session, record.turn
                row = execute(f"SELECT {RECORD} FROM {table} WHERE session = ? AND turn = ?", turn).fetchone()
                if row is not None and is_shorter(record, record_of(*row)):
                    execute(
                        f"UPDATE {table} SET said = ?, reply = ?, heard = ?, outcome = ?, calls = ?"
                        " WHERE session = ? AND turn = ?",
                        (record.said, record.reply, record.heard, str(record.outcome), spelled(record.calls), *turn),
                    )

    def has(self, record: Record) -> bool:
        """Return whether ``record`` is kept."""
        with self._telling():
            return any(self._has(self.connection.execute, table, record) for table in ("records", "leaving"))

    def recall(self, conversation: str, limit: int) -> list[Record]:
        """Return the latest ``limit`` records of ``conversation``, oldest first."""
        with self._telling():
            rows = self.connection.execute(
                f"""
                SELECT seq, {RECORD} FROM records WHERE conversation = ?1
                UNION ALL SELECT seq, {RECORD} FROM leaving WHERE conversation = ?1
                ORDER BY seq DESC LIMIT ?2
                """,
                (conversation, limit),
            ).fetchall()
        return [record_of(*row) for _, *row in reversed(rows)]

    def read(self, query: str, parameters: schema.Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows that ``query``, which changes nothing, finds."""
        with self._telling():
            return self.connection.execute(query, parameters).fetchall()

    def has_leaving(self) -> bool:
        """Return whether turns wait to be carried over."""
        return bool(self.read("SELECT 1 FROM leaving LIMIT 1"))

    # --- deleting: each of these is one short transaction ---------------------------------------------------------

    def forget(self, conversation: str, *, limit: int) -> int:
        """Delete at most ``limit`` turns of ``conversation`` and return how many."""
        for table in ("leaving", "records"):
            rows = f"SELECT rowid FROM {table} WHERE conversation = ? LIMIT ?"
            with self.transaction() as execute:
                if turns := execute(f"DELETE FROM {table} WHERE rowid IN ({rows})", (conversation, limit)).rowcount:
                    return turns
        return 0

    def look_for(self, before: float, *, above: int, limit: int) -> tuple[bool, int | None]:
        """Look at ``limit`` rows above the one with the id ``above`` for any that ended before ``before``.

        Return whether there are, and the id of the last row that was looked at; None where there are no more.
        """
        with self._telling():
            query = "SELECT rowid, ended_at < ? FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?"
            rows = self.connection.execute(query, (before, above, limit)).fetchall()
        return any(old for _, old in rows), rows[-1][0] if rows else None

    def turn_out(self) -> None:
        """Have all turns leave, to be carried over; where some are leaving already, nothing is changed."""
        with self.transaction() as execute:
            if not self.has_leaving():
                schema.turn_out(execute)

    def carry_over(self, before: float, *, limit: int) -> int | None:
        """Carry over ``limit`` of the turns that leave, but delete those that ended before ``before``.

        Return how many were deleted; None where there was none to carry.
        """
        with self.transaction() as execute:
            chosen = "SELECT rowid FROM leaving ORDER BY rowid LIMIT ?"
            (last,) = execute(f"SELECT max(rowid) FROM ({chosen})", (limit,)).fetchone()
            if last is None:
                return None
            deleted: int = execute("DELETE FROM leaving WHERE rowid <= ? AND ended_at < ?", (last, before)).rowcount
            execute(
                f"INSERT INTO records ({schema.COLUMNS}) SELECT {schema.COLUMNS} FROM leaving WHERE rowid <= ?", (last,)
            )
            execute("DELETE FROM leaving WHERE rowid <= ?", (last,))
        return deleted

    def settle(self, *, little_pages: int) -> None:
        """End the carrying over: give back the last pages, and the room if ``little_pages`` hold what is left."""
        with self.transaction() as execute:
            if not self.has_leaving():
                schema.renew_leaving(execute)
        with self._telling():
            (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
            (free,) = self.connection.execute("PRAGMA freelist_count").fetchone()
            if pages - free <= little_pages:
                self.connection.execute("VACUUM")
            busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("database is locked")

    # --- how SQLite is spoken to ----------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[schema.Execute]:
        """One that writes: all of it happens, or nothing."""
        with self._telling():
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection.execute
                self.connection.execute("COMMIT")
            finally:
                # SQLite has rolled back by itself after some errors, after others it waits to be told.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Make what SQLite says a `StoreError`."""
        try:
            yield
        except sqlite3.Error as error:
            # Some errors are the module's own, and have no code. The first byte of a code is its kind.
            kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
            self.spoilt = self.spoilt or kind in _SPOILT
            kinds = {sqlite3.SQLITE_BUSY: StoreBusy, sqlite3.SQLITE_FULL: StoreFull}
            raise kinds.get(kind, StoreError)(f"the database {self.path} cannot be used: {error}") from error

    @staticmethod
    def _has(execute: schema.Execute, table: str, record: Record) -> bool:
        query = f"SELECT 1 FROM {table} WHERE session = ? AND turn = ?"
        return execute(query, (record.session, record.turn)).fetchone() is not None


def cannot_remember(path: Path, error: Exception) -> CannotRemember:
    """Return what to tell a person who wants the database at ``path``, which ``error`` keeps from being opened."""
    match error:
        case FileExistsError() | NotADirectoryError():
            reason = "that is a file, not a folder"
        case OSError():
            reason = error.strerror or str(error)
        case _:
            reason = str(error.__cause__ or error)
    return CannotRemember(
        f"Conversations cannot be remembered in {path.parent}: {reason}. "
        "Choose another folder with STREAM_DATA_DIR, or remember nothing with STREAM_MEMORY=off."
    )


def _make(path: Path) -> None:
    """Make the file, and the folder it is in, for nobody else's eyes. Raises `OSError`."""
    private_files.make_folder(path.parent)
    # SQLite would make a file that everybody may read; its other files get the mode of this one.
    private_files.make_file(path)
    for suffix in SUFFIXES:
        private_files.tighten(path.with_name(path.name + suffix))
