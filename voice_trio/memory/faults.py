"""A store that fails as it is told, around any other."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from voice_trio.core.faults import Kind, Stage
from voice_trio.core.history import Record
from voice_trio.faults import Call, Faults
from voice_trio.memory.base import Store, StoreError
from voice_trio.memory.database import Database
from voice_trio.memory.sqlite import SqliteStore

_FILLING_BYTES = 1_000_000


def with_faults(store: Store, faults: Faults) -> Store:
    """Return ``store``, with ``faults`` if it is to suffer any."""
    return FaultyStore(store, faults) if faults.strikes(Stage.STORE) else store


class FaultyStore:
    """``inner``, with ``faults`` in what it commits and recalls."""

    def __init__(self, inner: Store, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        return await self._inner.begin()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records, oldest first; None where it is not known."""
        await self._suffer(self._faults.call(Stage.STORE, recall=True))
        return await self._inner.recall(conversation)

    async def commit(self, record: Record) -> None:
        """Keep ``record``."""
        await self._suffer(self._faults.call(Stage.STORE))
        await self._inner.commit(record)

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``."""
        return await self._inner.prune(before)

    async def _suffer(self, call: Call) -> None:
        if delay_s := call.seconds(Kind.DELAY):
            await trio.sleep(delay_s)
        match call.breakdown():
            case Kind.HANG:
                await trio.sleep_forever()
            case Kind.ERROR:
                await trio.lowlevel.checkpoint()
                raise StoreError("this was made to fail (STREAM_FAULTS)")
            case Kind.FULL if isinstance(self._inner, SqliteStore):
                await self._inner.use(fill_up)
            case Kind.FULL:
                await trio.lowlevel.checkpoint()
                raise StoreError("database or disk is full")


def fill_up(database: Database) -> None:
    """Run out of room, as on a full disk: SQLite itself finds that there is no page left. Raises `StoreError`.

    Nothing is changed by it: what was written until then is rolled back.
    """
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    (most,) = database.connection.execute("PRAGMA max_page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        with database.transaction() as execute:
            execute("CREATE TABLE filling (bytes BLOB)")
            while True:
                execute("INSERT INTO filling VALUES (zeroblob(?))", (_FILLING_BYTES,))
    finally:
        database.connection.execute(f"PRAGMA max_page_count = {most}")
