"""A store that outlives the process.

The database is used by one thread at a time, for which everybody waits in one queue. Whoever has waited too long leaves
it with nothing done. What has begun is waited for to its end, so the answer is always the true one: a commit that
failed or was cancelled has written nothing. The limits of the queue and of the database add up to less than a turn
waits for its commit, so a turn always hears why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, TypeVarTuple

import trio

from voice_trio.core.history import Record
from voice_trio.memory.base import RECALLED_RECORDS, StoreError
from voice_trio.memory.database import Database
from voice_trio.memory.ids import Issuer

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
        self._database = database
        self._issuer = Issuer(database.key)
        self._one_thread = trio.CapacityLimiter(1)

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        await trio.lowlevel.checkpoint()
        return self._issuer.issue()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records, oldest first; None where it is not known."""
        if not self._issuer.knows(conversation):
            await trio.lowlevel.checkpoint()
            return None
        # A reader that nobody waits for any more is left to itself: it changes nothing, and keeps its place to its end.
        return await self._queue(True, self._database.recall, conversation, RECALLED_RECORDS)

    async def commit(self, record: Record) -> None:
        """Keep ``record``; one of a conversation that was deleted begins it anew."""
        await self._queue(False, self._database.add, record)

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``, and every trace of it. Others wait for that, but not for long."""
        return await self._queue(False, self._prune, before)

    async def use(self, work: Callable[[Database], T]) -> T:
        """Do ``work`` with the database, as everything else is done with it. Raises `StoreError`."""
        return await self._queue(False, work, self._database)

    async def aclose(self) -> None:
        """Close the database once nobody uses it; a thread that waits for a dead disk is not waited for."""
        with trio.move_on_after(_CLOSE_S, shield=True):
            await trio.to_thread.run_sync(self._database.close, limiter=self._one_thread, abandon_on_cancel=True)

    def _prune(self, before: float) -> int:
        pruned = self._database.forget_before(before)
        if pruned:
            self._database.scrub()
        return pruned

    async def _queue(self, abandon: bool, work: Callable[[*Ts], T], *args: *Ts) -> T:
        """Do ``work`` in the thread, when it is its turn. Raises `StoreError`."""
        with trio.move_on_after(_QUEUE_S):
            # The limit cannot cut work short that has begun, unless it may be abandoned, and nor can a cancel.
            return await trio.to_thread.run_sync(work, *args, limiter=self._one_thread, abandon_on_cancel=abandon)
        raise StoreError(f"the database {self._database.path} was busy for {_QUEUE_S:g} seconds")
