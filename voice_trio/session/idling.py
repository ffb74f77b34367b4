"""A reply to silence: the client wants the person to be spoken to when they have said nothing for a while."""

from __future__ import annotations

from collections.abc import Callable

import trio

from voice_trio.core import messages as m
from voice_trio.core.items import Item, Reference, Words
from voice_trio.core.messages import Origin
from voice_trio.session.asked import Unasked
from voice_trio.session.listener import Listener
from voice_trio.session.outbox import Outbox
from voice_trio.session.turn import Turn
from voice_trio.session.turns import Turns, nothing_said


class Idling:
    """One session's. Only `run` waits."""

    def __init__(self, turns: Turns, listener: Listener, outbox: Outbox, may_begin: Callable[[], bool]) -> None:
        """``may_begin`` tells whether a turn may; where none may any more, the session is ending."""
        self._turns = turns
        self._listener = listener
        self._outbox = outbox
        self._may_begin = may_begin
        self._most_ms: int | None = None
        self._news = trio.lowlevel.ParkingLot()

    def want(self, most_ms: int | None) -> None:
        """Have nobody be silent for more than ``most_ms`` after a reply's sound; None: as long as they like."""
        self._most_ms = most_ms
        self._news.unpark_all()

    async def run(self) -> None:
        """Watch one turn after another."""
        while True:
            turn = self._turns.latest
            if self._most_ms is None:
                await self._news.park()
            elif turn is None or not turn.is_answered:
                await self._turns.wait_begun()
            else:
                await self._watch(turn, self._most_ms)

    async def _watch(self, turn: Turn, most_ms: int) -> None:
        await turn.wait_over()
        silent_at = max(trio.current_time(), turn.reply.silent_at)
        if await self._is_followed(turn, silent_at):
            return
        silent_from = self._listener.position
        if await self._is_followed(turn, silent_at + most_ms / 1000) or most_ms != self._most_ms:
            return
        if not self._may_begin():
            await trio.sleep_forever()
        conversation = self._turns.conversation
        note = f"The person has said nothing for {most_ms / 1000:g} seconds. Say something fitting."
        silence = Words(id="silence", by="system", text=note)
        # No item: nobody said it. Without it many a model has nothing to add to what it wrote last.
        items: list[Item | Reference] = [Reference(id=item.id) for item in conversation.items]
        request = Unasked(origin=Origin.SILENCE, items=(*items, silence))
        reply = self._turns.begin(request, *nothing_said())
        self._outbox.append(
            m.NobodySpoke(reply=reply.number, from_sample=silent_from, to_sample=self._listener.position)
        )

    async def _is_followed(self, turn: Turn, until: float) -> bool:
        """Return at the time ``until`` that there is no turn behind ``turn``, or before that there is."""
        with trio.move_on_at(until):
            while turn is self._turns.latest:
                await self._turns.wait_begun()
        return turn is not self._turns.latest
