"""What is known too late: of a turn that is remembered, less was heard or is wanted than the store has."""

from __future__ import annotations

import trio

from voice_trio.core.history import Record
from voice_trio.memory.base import Store, StoreError
from voice_trio.session.recollection import amend
from voice_trio.session.report import report

_AGAIN_S, _LONGEST_WAIT_S = 0.5, 30.0
"""Before a store that failed is asked again: twice as long each time."""
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
        wait_s = _AGAIN_S
        while True:
            while not self._records:
                await self._arrivals.park()
            if await self._bring_one():
                wait_s = _AGAIN_S
            else:
                await trio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def bring_rest(self) -> None:
        """Bring what is left, even if the session is cancelled, but not at any price."""
        with trio.move_on_after(_REST_S, shield=True):
            while self._records:
                if not await self._bring_one():
                    await trio.sleep(_AGAIN_S)

    async def _bring_one(self) -> bool:
        """Bring the oldest, and return whether it is brought, or never will be."""
        key, record = next(iter(self._records.items()))
        failure = await amend(self._store, record)
        # What came meanwhile is yet to be brought; a store that is away may be back soon.
        is_done = not isinstance(failure, StoreError)
        if is_done and self._records[key] is record:
            del self._records[key]
        if failure is not None:
            # The turn is over, and nobody waits for an answer. So the log alone hears of it.
            report(failure, session=self._session, turn=record.turn)
        return is_done
