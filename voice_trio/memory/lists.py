"""Lists that outlive the process: in the database that has the turns of their conversations, forgotten with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from voice_trio.memory import list_rows
from voice_trio.memory.base import Store, StoreError
from voice_trio.memory.transactions import KeepsRows, Transacting
from voice_trio.skills.keeping import InProcessLists, Lists
from voice_trio.toolbox.base import ToolError

T = TypeVar("T")


class StoredLists:
    """Keeps lists where ``store`` keeps turns."""

    def __init__(self, store: KeepsRows, wall_clock: Callable[[], float] = time.time) -> None:
        """``wall_clock`` returns seconds since 1970."""
        self._store = store
        self._wall_clock = wall_clock

    async def names(self, conversation: str) -> Sequence[str]:
        """Return the names of the conversation's lists. Raises `ToolError`."""
        return await self._use(lambda database: list_rows.names(database, conversation))

    async def read(self, conversation: str, name: str) -> Sequence[str]:
        """Return what stands on the list. Raises `ToolError`."""
        return await self._use(lambda database: list_rows.items(database, conversation, name))

    async def add(self, conversation: str, name: str, items: Sequence[str]) -> None:
        """Add ``items`` at the end of the list. Raises `ToolError`."""
        now = self._wall_clock()
        await self._use(lambda database: list_rows.add(database, conversation, name, items, now))

    async def remove(self, conversation: str, name: str, items: Sequence[str]) -> None:
        """Take ``items`` off the list. Raises `ToolError`."""
        await self._use(lambda database: list_rows.remove(database, conversation, name, items))

    async def _use(self, work: Callable[[Transacting], T]) -> T:
        try:
            return await self._store.change(work)
        except StoreError as error:
            raise ToolError(error.told) from error


def lists_of(store: Store) -> Lists:
    """Return the lists of the conversations in ``store``; where that is not on the disk, they are not either."""
    return StoredLists(store) if isinstance(store, KeepsRows) else InProcessLists()
