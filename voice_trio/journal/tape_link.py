"""The client that was, and what the detector thought of its audio."""

from __future__ import annotations

from collections import deque

import trio

from voice_trio.core import messages as m
from voice_trio.journal import entries as e
from voice_trio.journal.read import command_of, malformed_of
from voice_trio.journal.tape import Tape
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed
from voice_trio.wire import native

_LATE_S = 1e-5
"""By how much later the client may come than it did, to have heard what it had heard by then, and may have answered."""


class TapeLink:
    """The client that was."""

    def __init__(self, tape: Tape) -> None:
        self.speech: deque[float] = deque()
        """What the detector thought of the frames of the latest audio."""
        self._tape = tape
        self._sent = 0
        self._sends = trio.lowlevel.ParkingLot()

    async def receive(self) -> m.Command:
        """Return the client's next command when it is time."""
        if not self._tape.told:
            await trio.sleep_forever()
        told, sent = self._tape.told[0]
        await self._tape.wait_until(told.at)
        with trio.move_on_after(_LATE_S):
            while self._sent < sent:
                await self._sends.park()
        self._tape.told.popleft()
        match told:
            case e.Audio(pcm=pcm, speech=speech):
                self.speech = deque(speech)
                return m.Audio(pcm)
            case e.Command():
                return command_of(told)
            case e.Malformed():
                raise malformed_of(told)
        raise LinkClosed

    async def send(self, event: m.Event) -> None:
        """Take ``event``, as long as it took."""
        sends = self._tape.sends
        if not sends or native.is_unsaid(event) != isinstance(sends[0], e.Aside):
            await trio.lowlevel.checkpoint()
            return
        then = sends.popleft()
        if then.fate == "stuck":
            await trio.sleep_forever()
        await self._tape.wait_since(then.at, then.at + then.took)
        self._sent += 1
        self._sends.unpark_all()
        if then.fate == "lost":
            raise LinkClosed

    async def close(self, farewell: Farewell, reason: str) -> None:
        """There is nobody to say goodbye to."""
        await trio.lowlevel.checkpoint()
