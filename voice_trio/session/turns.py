"""A session's turns, from being asked for to their end: one runs after another, in the order of their being asked for.

Some of them come while others run: what a client commits waits until the reply that is under way is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import structlog
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome
from voice_trio.core.timeline import Timeline
from voice_trio.session.asked import Asked, Request, manner_of
from voice_trio.session.capture import Capture
from voice_trio.session.conversation import Conversation
from voice_trio.session.settings import SessionSettings, configured
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.turn import Turn

_WAITING = 4
"""Turns that may be asked for before the one before them is over."""


class Turns:
    """Those of one session. Only `run` waits."""

    def __init__(self, around: Surroundings, settings: SessionSettings, conversation: Conversation) -> None:
        """``conversation`` is that of turns which name no other."""
        self.latest: Turn | None = None
        """The latest turn asked for, which may still wait for the one before it."""
        self.configured = m.Configure()
        """What the turns from now on go by, where they say nothing else."""
        self.conversation = conversation
        self._around = around
        self._settings = settings
        self._asked_for: deque[Turn] = deque()
        """Those that are not over."""
        self._is_open = True
        self._arrivals = trio.lowlevel.ParkingLot()

    def __iter__(self) -> Iterator[Turn]:
        """Yield those that are not over, in their order."""
        return iter([*self._asked_for])

    @property
    def over(self) -> int:
        """Up to which number all that put items into the conversation are over."""
        latest = 0 if self.latest is None else self.latest.number
        return next((turn.number - 1 for turn in self if turn.conversation is self.conversation), latest)

    @property
    def full(self) -> bool:
        """Whether no more may be asked for until one is over."""
        return len(self._asked_for) > _WAITING

    def begin(self, request: Request, capture: Capture, timeline: Timeline) -> Turn:
        """Have a turn run when those before it are over, and return it. Not after `end`."""
        assert self._is_open, "nobody is there any more to ask for a turn"
        number = 1 if self.latest is None else self.latest.number + 1
        settings, request = configured(self._settings, request, self.configured)
        asked = Asked(
            number=number,
            conversation=self._conversation_of(request),
            request=request,
            manner=manner_of(request, self.configured),
        )
        self.latest = Turn(replace(self._around, settings=settings), asked, capture, timeline)
        self._asked_for.append(self.latest)
        self._arrivals.unpark_all()
        return self.latest

    def _conversation_of(self, request: Request) -> Conversation:
        match request:
            case m.Start(conversation=str(name)) | m.Text(conversation=str(name)) if name != self.conversation.name:
                return self.conversation.named(name)
            case m.Respond(out_of_band=True):
                return self.conversation.aside()
        return self.conversation

    def find(self, number: int) -> Turn | None:
        """Return the turn of that number, if it is the latest or not over."""
        latest = () if self.latest is None else (self.latest,)
        return next((turn for turn in (*self, *latest) if turn.number == number), None)

    def is_heard(self) -> bool:
        """Return whether one of them listens."""
        return any(turn.listening for turn in self)

    @property
    def answering(self) -> bool:
        """Whether one of them is answered, or will be."""
        return any(turn.answers for turn in self)

    def end_replies(self, outcome: Outcome) -> bool:
        """End the reply that there is, or is to come to an utterance that is over; return whether there was one."""
        ended = [turn.end_reply(outcome) for turn in self if turn.answers and not turn.listening]
        return any(ended)

    def end(self) -> None:
        """End them all; none may be asked for any more."""
        self._is_open = False
        self._arrivals.unpark_all()
        for turn in self:
            turn.end(Outcome.CANCELLED)

    async def run(self, over: Callable[[Turn], None]) -> None:
        """Run one after another until they were ended; ``over`` is called with the latest when it is."""
        while self._asked_for or self._is_open:
            if not self._asked_for:
                await self._arrivals.park()
                continue
            turn = self._asked_for[0]
            # What is logged in it bears its number.
            with structlog.contextvars.bound_contextvars(turn=turn.number):
                await turn.run()
            self._asked_for.popleft()
            if turn is self.latest:
                over(turn)
