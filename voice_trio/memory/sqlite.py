"""A store that outlives the process.

The database is used by one thread at a time, for which all callers wait in one queue. One that has waited too long
leaves it with nothing done. What has begun is waited for to its end, so the answer is always the true one: a commit
that failed or was cancelled has written nothing. The limits of the queue and of the database add up to less than a
turn waits for its commit, so a turn always hears why. What takes long is done in short steps, each of which queues
anew.

Before it writes, a commit looks whether the files are still there. If they are not, or the database was found to be
spoilt, it is opened anew: this turn says what is lost, and the next ones are remembered again, if need be in a new
file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from typing import TypeVar, TypeVarTuple

import structlog
import trio

from voice_trio.core.history import Record
from voice_trio.memory import rewriting
from voice_trio.memory.base import RECALLED_RECORDS, CannotRemember, StoreBusy, StoreError, StoreLost
from voice_trio.memory.database import Database
from voice_trio.memory.ids import Issuer

log = structlog.get_logger()

BUSY_S = 2.0
"""How long a transaction may wait for another process's."""

_QUEUE_S = 2.5
"""How long to wait for the thread."""

_CLOSE_S = 5.0

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SqliteStore:
    """Keeps conversations in ``database``, which is its own to use, and to close."""

    def __init__(self, database: Database) -> None:
        self._path = database.path
        self._database: Database | None = database
        self._key = database.key
        self._issuers = [Issuer(database.key)]
        """The first issues; what any of them issued is known, since it may be in use."""
        self._latest: Record | None = None
        """What was committed last to the files as they are."""
        self._doubted = False
        """Whether the files have been seen not to be those that were opened."""
        self._loss: StoreLost | None = None
        """What nobody has been told yet."""
        self._one_thread = trio.CapacityLimiter(1)

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        await trio.lowlevel.checkpoint()
        return self._issuers[0].issue()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records, oldest first; None where it is not known."""
        if not any(issuer.knows(conversation) for issuer in self._issuers):
            await trio.lowlevel.checkpoint()
            return None
        # A reader that nobody waits for any more is left to itself: it changes nothing, and keeps its place to its end.
        return await self._queue(True, self._recall, conversation)

    async def commit(self, record: Record) -> None:
        """Keep ``record``; one of a conversation that was deleted begins it anew."""
        await self._queue(False, self._commit, record)

    async def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one that it is a part of."""
        await self._queue(False, self._amend, record)

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``, and every trace of it."""
        return await self.rewrite(lambda database: rewriting.prune(database, before))

    async def rewrite(self, how: Callable[[Database], Generator[int, None, None]]) -> int:
        """Do what is one of `rewriting`'s, in steps between which others have their turn; return how many it deleted.

        Raises `StoreError`; what was done until then is done.
        """
        rewritten = 0
        with closing(how(await self._queue(False, self._open))) as steps:
            while (deleted := await self._queue(False, self._step, steps)) is not None:
                rewritten += deleted
                await trio.sleep(rewriting.PAUSE_S)
        return rewritten

    async def use(self, work: Callable[[Database], T]) -> T:
        """Do ``work`` with the database, as everything else is done with it. Raises `StoreError`."""
        return await self._queue(False, lambda: work(self._open()))

    async def change(self, work: Callable[[Database], T]) -> T:
        """Do ``work``, which may write, in the same way. Raises `StoreError`."""
        return await self._queue(False, self._change, work)

    async def aclose(self) -> None:
        """Close the database once nobody uses it; a thread that waits for a dead disk is not waited for."""
        with trio.move_on_after(_CLOSE_S, shield=True):
            await trio.to_thread.run_sync(self._close, limiter=self._one_thread, abandon_on_cancel=True)

    # --- in the thread --------------------------------------------------------------------------------------------

    def _recall(self, conversation: str) -> Sequence[Record]:
        database = self._database
        if database is None or database.spoilt:
            database = self._reopen()
        database.files.mend()
        return database.recall(conversation, RECALLED_RECORDS)

    def _commit(self, record: Record) -> None:
        database = self._open()
        self._tell_loss()
        database.add(record)
        self._latest = record
        if database.files.replaced():
            # While it was being written, of all moments: it is kept only if the next one has it.
            self._reopen()
            self._tell_loss()
        else:
            database.files.note()

    def _amend(self, record: Record) -> None:
        # Of what is lost, the next commit tells.
        database = self._open()
        database.amend(record)
        database.files.note()

    def _change(self, work: Callable[[Database], T]) -> T:
        database = self._open()
        try:
            return work(database)
        finally:
            database.files.note()

    def _step(self, steps: Iterator[int]) -> int | None:
        database = self._open()
        deleted = next(steps, None)
        database.files.note()
        return deleted

    def _close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()

    def _open(self) -> Database:
        """Return a database that is where it belongs. Raises `StoreError`."""
        database = self._database
        if database is None or database.spoilt:
            return self._reopen()
        database.files.mend()
        # Most often it is another process that brought its part of the log into the database; if it is anything else,
        # what SQLite has in memory of it is worth nothing.
        return self._reopen() if database.files.replaced() or database.files.touched() else database

    def _reopen(self) -> Database:
        """Open the database anew, and find out whether it has what was remembered. Raises `StoreError`."""
        old = self._database
        if old is not None:
            self._doubted = self._doubted or old.spoilt or old.files.replaced()
            self._database = None
            old.leave()
        try:
            database = Database(self._path, busy_s=BUSY_S, key=self._key)
        except CannotRemember as error:
            raise StoreError(str(error)) from error
        self._database = database
        missing = self._doubted and self._latest is not None and not database.has(self._latest)
        if database.new or database.key != self._key or missing:
            log.error(
                "what was remembered is lost: the database was deleted or replaced while it was in use",
                file=str(self._path),
                begun_anew=database.new,
            )
            self._loss = StoreLost(f"the database {self._path} was deleted or replaced while it was in use")
        elif self._doubted:
            log.warning("the database was opened anew: its files were not in order", file=str(self._path))
        self._doubted, self._latest = False, None
        if database.key != self._key:
            self._key = database.key
            self._issuers = [Issuer(database.key), *self._issuers]
        return database

    def _tell_loss(self) -> None:
        """Raise `StoreLost`, once, to the caller that would be told that a turn is kept."""
        loss, self._loss = self._loss, None
        if loss is not None:
            raise loss

    # --- in the event loop ----------------------------------------------------------------------------------------

    async def _queue(self, abandon: bool, work: Callable[[*Ts], T], *args: *Ts) -> T:
        """Do ``work`` in the thread, when it is its turn. Raises `StoreError`."""
        with trio.move_on_after(_QUEUE_S):
            # The limit cannot cut work short that has begun, unless it may be abandoned, and nor can a cancel.
            return await trio.to_thread.run_sync(work, *args, limiter=self._one_thread, abandon_on_cancel=abandon)
        raise StoreBusy(f"the database {self._path} was busy for {_QUEUE_S:g} seconds")
