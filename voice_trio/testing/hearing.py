"""What is heard of a session, and when; and how a test waits for what comes next."""

from __future__ import annotations

from typing import Any

import trio

from voice_trio.client import SomeEvent, is_such
from voice_trio.core import messages as m


class Hearing:
    """All that a session said so far, of which a test takes one event after the other."""

    def __init__(self) -> None:
        self.heard: list[m.Event] = []
        """All of it, in order, taken or not."""
        self.times: list[float] = []
        """When each of `heard` came, on Trio's clock."""
        self.over: Exception | None = None
        """Why nothing more will come, once that is so."""
        self._taken = 0
        self._arrivals = trio.lowlevel.ParkingLot()

    def note(self, event: m.Event) -> None:
        """Add what was just heard."""
        self.heard.append(event)
        self.times.append(trio.current_time())
        self._arrivals.unpark_all()

    def end(self, why: Exception) -> None:
        """Note that nothing more will come: a caller that waits is told ``why``."""
        self.over = why
        self._arrivals.unpark_all()

    # --- what comes next --------------------------------------------------------------------------------------------

    async def next_is(self, kind: type[SomeEvent], **fields: Any) -> SomeEvent:
        """Return the next event, which must be of ``kind`` with these ``fields``. Raises what it is `over` for."""
        event = await self._take()
        assert is_such(event, kind, fields), f"{kind.__name__} with {fields} was to be next, and it is {event}"
        return event

    async def wait_for(self, kind: type[SomeEvent], **fields: Any) -> SomeEvent:
        """Return the next event of ``kind`` with these ``fields``, past all others. Raises what it is `over` for."""
        while not is_such(event := await self._take(), kind, fields):
            pass
        return event

    def check_open(self) -> None:
        """Raise what it is `over` for."""
        if self.over is not None:
            raise self.over

    async def _take(self) -> m.Event:
        while self._taken == len(self.heard):
            self.check_open()
            await self._arrivals.park()
        self._taken += 1
        return self.heard[self._taken - 1]

    # --- what was heard ---------------------------------------------------------------------------------------------

    def all(self, kind: type[SomeEvent], **fields: Any) -> list[SomeEvent]:
        """Return every event so far of ``kind`` with these ``fields``."""
        return [event for event in self.heard if is_such(event, kind, fields)]

    def of_turn(self, turn: int) -> list[m.Event]:
        """Return every event so far of ``turn``."""
        return [event for event in self.heard if getattr(event, "turn", None) == turn]

    def kinds(self, turn: int) -> list[str]:
        """Return the names of the classes of the events of ``turn``."""
        return [type(event).__name__ for event in self.of_turn(turn)]

    def states(self, turn: int) -> list[m.State]:
        """Return the states that ``turn`` has gone through."""
        return [event.state for event in self.all(m.StateChanged, turn=turn)]

    def reply(self, turn: int) -> str:
        """Return the reply of ``turn``, as far as it was written."""
        return "".join(token.text for token in self.all(m.Token, turn=turn))

    def audio(self, turn: int) -> bytes:
        """Return the audio of ``turn``."""
        return b"".join(chunk.pcm for chunk in self.all(m.TtsChunk, turn=turn))

    def time_of(self, event: m.Event) -> float:
        """Return when ``event``, one of `heard`, came."""
        return self.times[next(at for at, other in enumerate(self.heard) if other is event)]
