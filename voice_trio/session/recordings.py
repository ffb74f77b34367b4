"""Sound that a client adds as items of the conversation, on its way to be words: one item after another."""

from __future__ import annotations

from collections import deque

import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import ms_to_samples
from voice_trio.core.errors import first_leaf
from voice_trio.core.items import Words
from voice_trio.core.languages import language_of
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import EngineError
from voice_trio.session import asr
from voice_trio.session.capture import Capture
from voice_trio.session.outlet import Outlet
from voice_trio.session.report import report
from voice_trio.session.settings import configured
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.turns import Turns

_LONGEST = 2
"""So many of the longest utterance may wait, or as much in shorter pieces."""

_NO_TURN = 0
"""It is nobody's turn, and nothing is said of one."""


class Recordings:
    """Those of one session. Only `run` waits."""

    def __init__(self, around: Surroundings, turns: Turns) -> None:
        """They are items of the conversation of ``turns``, and heard as these are."""
        self._around = around
        self._turns = turns
        self._waiting: deque[tuple[Words, Capture]] = deque()
        self._current: tuple[Words, Capture] | None = None
        """What is being recognised."""
        self._scope = trio.CancelScope()
        """Of that."""
        self._arrivals = trio.lowlevel.ParkingLot()

    def has_room(self, said: Capture) -> bool:
        """Return whether ``said`` may wait as well."""
        samples = said.samples + sum(capture.samples for _, capture in self._waiting)
        if self._current is not None:
            samples += self._current[1].samples
        return samples <= _LONGEST * ms_to_samples(self._around.settings.max_utterance_ms)

    def add(self, item: Words, said: Capture) -> None:
        """Find out what ``said``, an utterance that is over, says: the words of ``item``."""
        self._waiting.append((item, said))
        self._arrivals.unpark_all()

    def forget(self, key: str) -> None:
        """The item of that id was deleted: nobody wants to know what it says."""
        if self._current is not None and self._current[0].id == key:
            self._scope.cancel()
        self._waiting = deque(waiting for waiting in self._waiting if waiting[0].id != key)

    async def run(self) -> None:
        """Recognise them, and tell what each came to."""
        while True:
            while not self._waiting:
                await self._arrivals.park()
            item, said = self._current = self._waiting.popleft()
            with trio.CancelScope() as self._scope:
                heard = await self._hear(item, said)
            self._current = None
            if not self._scope.cancel_called:
                self._turns.conversation.recognise(item, heard.text)
                self._around.outbox.append(heard)

    async def _hear(self, item: Words, said: Capture) -> m.ItemHeard:
        """Return what ``said`` says, or why nobody knows."""
        error: BaseException | m.Error
        try:
            return m.ItemHeard(item=item.id, text=await self._recognise(said))
        except* EngineError as group:
            error = first_leaf(group)
        except* Exception as group:
            error = report(group, session=self._around.session)
        assert isinstance(error, EngineError | m.Error)
        return m.ItemHeard(item=item.id, text="", code=error.code, message=error.message)

    async def _recognise(self, said: Capture) -> str:
        around = self._around
        _, request = configured(around.settings, m.Commit(), self._turns.configured)
        with around.engines().lease() as engines:
            heard = await asr.transcribe(
                said,
                engines.recognizer,
                turn=_NO_TURN,
                language=request.language or around.settings.language or around.spoken.known,
                likely=language_of(request.locale),
                settings=around.settings,
                throttle=around.throttle,
                outlet=Outlet(around.outbox, Timeline()),
            )
        return heard.transcript.text
