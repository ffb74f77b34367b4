"""Looking through a store that outlives the process.

There is no index of words, nor of times: what was deleted would leave its traces in them, and each turn would cost more
to remember. So a list walks over all conversations, and a search over all turns, in steps so short that a turn which is
to be remembered between two of them does not wait. One walk goes on at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import structlog
import trio

from voice_trio.memory import conversation_rows as rows, rewriting, title_rows
from voice_trio.memory.base import Store, StoreError
from voice_trio.memory.conversations import (
    SEARCH_S,
    Conversations,
    InProcessConversations,
    Numbered,
    Page,
    Place,
    Sought,
    Summary,
)
from voice_trio.memory.database import Database
from voice_trio.memory.in_process import InProcessStore
from voice_trio.memory.postgres.conversations import PostgresConversations
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.memory.sqlite import SqliteStore

log = structlog.get_logger()

T = TypeVar("T")

_PLACES: Final = 500
"""Conversations that one step of a list looks at: about 2 ms."""

_SEARCHED: Final = 500
"""Turns that one step of a search looks at: about 5 ms."""

_EACH: Final = 20
"""Conversations that one step asks about one by one."""

_AGAIN_S: Final = 60.0
"""After so long traces are wiped out again, where that failed."""


class SqliteConversations:
    """Those that ``store`` keeps."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._one_walk = trio.Lock()
        self._deleted = trio.Event()

    async def page(self, sought: Sought) -> Page:
        """Return the conversations that are ``sought``."""
        if sought.among is not None:
            return await self._page_among(sought, sorted(set(sought.among)))
        async with self._one_walk:
            found, complete = await self._search(sought.terms) if sought.terms else (None, True)
            # Of all that were seen, only those that may be on the page, and one that tells that there are more.
            newest: list[Place] = []
            upto: str | None = ""
            more = False
            while upto is not None:
                seen, upto = await self._store.use(partial(rows.places, after=upto, limit=_PLACES))
                wanted = [place for place in seen if found is None or place.conversation in found]
                newest, are_more = sought.newest([*newest, *wanted])
                more = more or are_more
            summaries = await self._summaries(place.conversation for place in newest)
        return Page(conversations=summaries, more=more, complete=complete)

    async def turns(self, conversation: str, *, limit: int, before: int | None = None) -> Sequence[Numbered]:
        """Return the latest ``limit`` turns, of those with a smaller number than ``before``, oldest first."""
        return await self._store.use(lambda database: rows.turns(database, conversation, limit, before))

    async def rename(self, conversation: str, title: str) -> bool:
        """Have ``conversation`` called ``title``; return whether there is one with any turn."""

        return await self._store.change(lambda database: title_rows.rename(database, conversation, title))

    async def delete(self, conversation: str) -> int:
        """Delete ``conversation``, and soon every trace of it; return how many turns it had."""
        try:
            return await self._store.rewrite(lambda database: rewriting.forget(database, conversation))
        finally:
            self._deleted.set()

    async def wipe(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Leave no trace of what was deleted, whenever something was, until cancelled: others go on meanwhile.

        What an earlier process did not come to the end of is the first thing.
        """
        task_status.started()
        how = rewriting.resume
        while True:
            try:
                await self._store.rewrite(how)
            except StoreError as error:
                log.warning("traces of what was deleted are left for now", reason=str(error))
                await trio.sleep(_AGAIN_S)
                continue
            await self._deleted.wait()
            self._deleted = trio.Event()
            how = rewriting.scrub

    async def _page_among(self, sought: Sought, ids: Sequence[str]) -> Page:
        titled: set[str] = set()
        if sought.terms:
            titled = await self._store.use(lambda database: rows.titled(database, sought.terms))

        def wanted(database: Database, conversation: str) -> Summary | None:
            if sought.terms and conversation not in titled and not rows.says(database, conversation, sought.terms):
                return None
            return rows.summary(database, conversation)

        found = {one.place: one for one in await self._each(ids, wanted)}
        newest, more = sought.newest(found)
        return Page(conversations=[found[place] for place in newest], more=more)

    async def _search(self, terms: Sequence[str]) -> tuple[set[str], bool]:
        """Return the conversations that have ``terms``, and whether all was looked at."""
        until = trio.current_time() + SEARCH_S
        found = await self._store.use(lambda database: rows.titled(database, terms))
        # In this order, since what moves meanwhile moves to the end of the other table.
        for table in ("leaving", "records"):
            below: int | None = None
            while True:
                look = partial(rows.saying, table=table, terms=terms, below=below, limit=_SEARCHED)
                saying, below = await self._store.use(look)
                found |= saying
                if below is None:
                    break
                if trio.current_time() >= until:
                    return found, False
        return found, True

    async def _summaries(self, conversations: Iterable[str]) -> list[Summary]:
        return await self._each([*conversations], rows.summary)

    async def _each(self, ids: Sequence[str], tell: Callable[[Database, str], T | None]) -> list[T]:
        """Return what ``tell`` tells of each of ``ids``, where it does."""
        told: list[T] = []
        for at in range(0, len(ids), _EACH):
            looked = await self._store.use(partial(_tell, ids=ids[at : at + _EACH], tell=tell))
            told += [one for one in looked if one is not None]
        return told


def _tell(database: Database, ids: Sequence[str], tell: Callable[[Database, str], T | None]) -> list[T | None]:
    return [tell(database, one) for one in ids]


@asynccontextmanager
async def open_conversations(store: Store) -> AsyncIterator[Conversations]:
    """Look through ``store``, and have what is deleted there leave no trace."""
    if isinstance(store, InProcessStore):
        yield InProcessConversations(store)
        return
    if isinstance(store, PostgresStore):
        yield PostgresConversations(store)
        return
    assert isinstance(store, SqliteStore)
    conversations = SqliteConversations(store)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(conversations.wipe)
        yield conversations
        nursery.cancel_scope.cancel()
