"""Alerts that outlive the process: in the database that has the turns of their conversations, forgotten with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from voice_trio.core.alerts import Alert
from voice_trio.memory import alert_rows
from voice_trio.memory.base import Store, StoreError
from voice_trio.memory.in_process import InProcessStore
from voice_trio.memory.transactions import KeepsRows, Transacting
from voice_trio.skills.alerts_kept import NO_ROOM, Alerts, InProcessAlerts
from voice_trio.toolbox.base import ToolError

T = TypeVar("T")


class StoredAlerts:
    """Keeps alerts where ``store`` keeps turns."""

    def __init__(self, store: KeepsRows) -> None:
        self._store = store

    async def of(self, conversation: str) -> Sequence[Alert]:
        """Return the conversation's alerts, the next one first. Raises `ToolError`."""
        return await self._use(lambda database: alert_rows.of(database, conversation))

    async def put(self, alert: Alert) -> None:
        """Have ``alert`` in the place of the one of its id, or besides. Raises `ToolError`."""
        if not await self._use(lambda database: alert_rows.put(database, alert)):
            raise ToolError(NO_ROOM)

    async def remove(self, conversation: str, gone: Sequence[str]) -> None:
        """Have those of the ids ``gone`` be no more. Raises `ToolError`."""
        await self._use(lambda database: alert_rows.remove(database, conversation, gone))

    async def _use(self, work: Callable[[Transacting], T]) -> T:
        try:
            return await self._store.change(work)
        except StoreError as error:
            raise ToolError(error.told) from error


def alerts_of(store: Store) -> Alerts:
    """Return the alerts of the conversations in ``store``; where that is not on the disk, they are not either."""
    match store:
        case KeepsRows():
            return StoredAlerts(store)
        case InProcessStore():
            return store.alerts
    return InProcessAlerts()
