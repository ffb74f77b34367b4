"""A store that several servers share: turns in PostgreSQL, each committed together with a look at its claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import trio

from voice_trio.core.history import Record
from voice_trio.memory.base import RECALLED_RECORDS, ClaimLost
from voice_trio.memory.ids import Issuer
from voice_trio.memory.postgres import turn_rows as rows
from voice_trio.memory.postgres.claims import NodeClaims
from voice_trio.memory.postgres.connection import Connection
from voice_trio.memory.postgres.connections import USE_S, Connections

_PRUNED: Final = 500
"""Turns that one step deletes."""

T = TypeVar("T")


class PostgresStore:
    """Keeps conversations in the database that ``connections`` lead to, signing their ids with its ``key``."""

    def __init__(self, connections: Connections, claims: NodeClaims, key: bytes) -> None:
        self._connections = connections
        self._issuer = Issuer(key)
        self.claims = claims
        """Those of this process: whoever commits has one."""

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        await trio.lowlevel.checkpoint()
        return self._issuer.issue()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records, oldest first; None where it is not known."""
        if not self._issuer.knows(conversation):
            await trio.lowlevel.checkpoint()
            return None
        self.claims.recalled(conversation)
        return await self.look(partial(rows.recall, conversation=conversation, limit=RECALLED_RECORDS))

    async def commit(self, record: Record) -> None:
        """Keep ``record``; of a conversation that nobody has, it is claimed for as long as that takes."""
        if self.claims.has(record.conversation):
            await self._add(record)
            return
        if not await self.claims.hold(record.conversation):
            raise ClaimLost("another server has that conversation")
        try:
            await self._add(record)
        finally:
            self.claims.let_go(record.conversation)

    async def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one that it is a part of."""
        # Whoever has the conversation by now: what is cut is no later turn's, and only ever becomes shorter.
        await self._connections.use(partial(rows.amend, record=record))

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``."""
        pruned = 0
        while deleted := await self._connections.use(partial(rows.prune, before=before, limit=_PRUNED)):
            pruned += deleted
        await self._connections.use(partial(rows.prune_rest, before=before))
        return pruned

    async def count(self) -> tuple[int, int]:
        """Return how many conversations and how many turns are remembered. Raises `StoreError`."""
        query = "SELECT count(DISTINCT conversation), count(*) FROM voice_trio.records"
        ((conversations, turns),) = await self.look(lambda connection: connection.read(query))
        return conversations, turns

    async def version(self) -> str:
        """Return the database server's. Raises `StoreError`."""
        return await self.look(lambda connection: connection.version)

    async def look(self, work: Callable[[Connection], T], seconds: float = USE_S) -> T:
        """Do ``work``, which changes nothing. Raises `StoreError`."""
        return await self._connections.use(work, abandon=True, seconds=seconds)

    async def use(self, work: Callable[[Connection], T]) -> T:
        """Do ``work``, which may be done twice. Raises `StoreError`."""
        return await self._connections.use(work)

    async def change(self, work: Callable[[Any], T]) -> T:
        """Do ``work`` in one transaction, once at most. Raises `StoreError`."""
        return await self._connections.use(work, once=True)

    async def forget(self, conversation: str) -> int:
        """Delete ``conversation``, and all that belongs to it; return how many turns it had. Raises `StoreError`."""
        return await self._connections.use(partial(rows.forget, conversation=conversation), once=True)

    async def _add(self, record: Record) -> None:
        epoch, again = self.claims.epoch(record.conversation), False

        def add(connection: Connection) -> None:
            nonlocal again
            before, again = again, True
            rows.add(connection, record, epoch, again=before)

        try:
            await self._connections.use(add)
        except ClaimLost:
            self.claims.lost(record.conversation, epoch)
            raise
