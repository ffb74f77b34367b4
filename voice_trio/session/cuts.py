"""What is known too late: of a turn that is remembered, less was heard or is wanted than the store has."""

from __future__ import annotations

import trio

from voice_trio.core.history import Record
from voice_trio.memory.base import Store
from voice_trio.session.recollection import amend
from voice_trio.session.report import report

_REST_S = 5.0
"""How long the store may take for what is left when the session is over."""


class Cuts:
    """Those of one session, on their way to ``store``, in whatever order the turns have."""

    def __init__(self, store: Store, session: str) -> None:
        """``session`` is the name that the log has for the session."""
        self._store = store
        self._session = session
        self._records: dict[tuple[str, int], Record] = {}
        """By session and turn: of several cuts of one, the last has them all."""
        self._arrivals = trio.lowlevel.ParkingLot()

    def add(self, record: Record) -> None:
        """Have ``record`` take the place of what is kept of its turn. Never waits."""
        self._records[record.session, record.turn] = record
        self._arrivals.unpark_all()

    async def run(self) -> None:
        """Bring one after another to the store."""
        while True:
            while not self._records:
                await self._arrivals.park()
            await self._bring_one()

    async def bring_rest(self) -> None:
        """Bring what is left, even if the session is cancelled, but not at any price."""
        with trio.move_on_after(_REST_S, shield=True):
            while self._records:
                await self._bring_one()

    async def _bring_one(self) -> None:
        key, record = next(iter(self._records.items()))
        failure = await amend(self._store, record)
        # What came meanwhile is yet to be brought.
        if self._records[key] is record:
            del self._records[key]
        if failure is not None:
            # The turn is over, and nobody waits for an answer. So the log alone hears of it.
            report(failure, session=self._session, turn=record.turn)
