"""The file in which conversations are remembered: one SQLite connection, for one thread at a time.

# Theory

Durable. When COMMIT returns, the transaction is in the write-ahead log. That alone outlives a kill -9, since the kernel
has it; ``synchronous=FULL`` also syncs the log to the disk at every COMMIT, so it outlives a power cut too. (NORMAL,
often advised for WAL, would lose the last turns then.) Where the file system cannot share memory, SQLite stays with its
rollback journal, which under FULL keeps the same promise, more slowly.

Forgotten. A deleted row leaves its words in the file. ``secure_delete`` writes zeros over it, but not over the copies
that were made when a full page was split: `Database.scrub` therefore writes the whole file anew from what is still
remembered (VACUUM, its temporary copy in memory), brings that from the log into the file, and cuts the log to nothing.

Shared. Other processes may use the file at the same time, ``voice-trio forget`` for one. Each waits for the others'
transactions, but not for long.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from voice_trio.core.history import Record
from voice_trio.core.messages import Outcome
from voice_trio.memory.base import CannotRemember, StoreError
from voice_trio.memory.ids import KEY_BYTES

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")

_MIGRATIONS: Sequence[Sequence[str]] = (
    (
        "CREATE TABLE issuer (key BLOB NOT NULL)",
        "CREATE TABLE conversations (id TEXT PRIMARY KEY NOT NULL, begun_at REAL NOT NULL)",
        """
        CREATE TABLE records (
            conversation TEXT NOT NULL REFERENCES conversations (id),
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
        """,
    ),
)
"""What makes each version of the schema from the one before it; ``user_version`` says how many were done."""


class Database:
    """An open database. Any thread may use it, one at a time. Its methods wait for the disk, and raise `StoreError`."""

    def __init__(self, path: Path, *, busy_s: float) -> None:
        """Open the database at ``path``, making what is missing of it; raises `CannotRemember`.

        ``busy_s`` is how long each transaction may wait for those of other processes.
        """
        self.path = path
        try:
            _make(path)
            self.connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise cannot_remember(path, error) from error
        try:
            for pragma in _PRAGMAS:
                self.connection.execute(f"PRAGMA {pragma}")
            self.key = self._migrate()
        except (sqlite3.Error, StoreError) as error:
            self.close()
            raise cannot_remember(path, error) from error

    def close(self) -> None:
        """Close it; the last connection to go also brings the log into the file, and deletes it."""
        self.connection.close()

    def add(self, record: Record) -> None:
        """Keep ``record`` as the last one of its conversation."""
        with self.transaction() as execute:
            execute("INSERT OR IGNORE INTO conversations VALUES (?, ?)", (record.conversation, record.ended_at))
            execute(
                """
                INSERT INTO records (conversation, seq, session, turn, said, reply, heard, outcome, ended_at)
                SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM records WHERE conversation = ?1
                """,
                (
                    record.conversation,
                    record.session,
                    record.turn,
                    _storable(record.said),
                    _storable(record.reply),
                    record.heard,
                    str(record.outcome),
                    record.ended_at,
                ),
            )

    def recall(self, conversation: str, limit: int) -> list[Record]:
        """Return the latest ``limit`` records of ``conversation``, oldest first."""
        with self._telling():
            rows = self.connection.execute(
                """
                SELECT conversation, session, turn, said, reply, heard, outcome, ended_at
                FROM records WHERE conversation = ? ORDER BY seq DESC LIMIT ?
                """,
                (conversation, limit),
            ).fetchall()
        return [_record(*row) for row in reversed(rows)]

    def count(self) -> tuple[int, int]:
        """Return how many conversations and how many turns are remembered."""
        with self._telling():
            query = "SELECT (SELECT count(*) FROM conversations), (SELECT count(*) FROM records)"
            conversations, turns = self.connection.execute(query).fetchone()
        return conversations, turns

    def forget(self, conversation: str) -> int:
        """Delete ``conversation`` and return how many turns it had."""
        with self.transaction() as execute:
            turns = execute("DELETE FROM records WHERE conversation = ?", (conversation,)).rowcount
            execute("DELETE FROM conversations WHERE id = ?", (conversation,))
        return turns

    def forget_before(self, before: float) -> int:
        """Delete the turns that ended before ``before`` and return how many; infinity deletes all."""
        with self.transaction() as execute:
            turns = execute("DELETE FROM records WHERE ended_at < ?", (before,)).rowcount
            execute("DELETE FROM conversations WHERE id NOT IN (SELECT conversation FROM records)")
        return turns

    def scrub(self) -> None:
        """Leave no trace in the file of what was deleted."""
        with self._telling():
            self.connection.execute("VACUUM")
            busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise sqlite3.OperationalError("database is locked")

    def _migrate(self) -> bytes:
        """Bring the schema up to date and return the key for ids. Finds out, too, whether the file can be written."""
        with self.transaction() as execute:
            (version,) = execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise StoreError("a newer voice_trio wrote what is there")
            for statements in _MIGRATIONS[version:]:
                for statement in statements:
                    execute(statement)
            if version == 0:
                execute("INSERT INTO issuer VALUES (?)", (secrets.token_bytes(KEY_BYTES),))
            execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
            key: bytes
            (key,) = execute("SELECT key FROM issuer").fetchone()
        return key

    @contextmanager
    def transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
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
            raise StoreError(f"the database {self.path} cannot be used: {error}") from error


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
    """Make the file, and the folder it is in, for nobody else's eyes; leave alone what is there. Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite would make a file that everybody may read; its other files get the mode of this one. One that is there must
    # not be opened: closing it would drop the locks that this process has on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _storable(text: str) -> str:
    """Return ``text`` with a mark for each lone surrogate, which UTF-8 has no bytes for; its length stays the same."""
    return text.encode(errors="replace").decode()


def _record(
    conversation: str, session: str, turn: int, said: str, reply: str, heard: int, outcome: str, ended_at: float
) -> Record:
    return Record(
        conversation=conversation,
        session=session,
        turn=turn,
        said=said,
        reply=reply,
        heard=heard,
        outcome=Outcome(outcome),
        ended_at=ended_at,
    )
