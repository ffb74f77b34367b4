"""A session's turns, from being asked for to their end: one runs after another, in the order of their being asked for.

Some of them come while others run: what a client commits waits until the reply that is under way is over. Replies that
leave no trace in the conversation run beside all others, a few at once, and nobody waits for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import structlog
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.session.asked import Asked, Request, Unasked, manner_of
from voice_trio.session.capture import Capture
from voice_trio.session.conversation import Conversation
from voice_trio.session.settings import SessionSettings, configured
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.turn import Turn

_WAITING = 4
"""Turns that may be asked for before the one before them is over."""

_BESIDE = 4
"""Replies that may run beside the others at once."""


class Turns:
    """Those of one session. Only `run` waits."""

    def __init__(self, around: Surroundings, settings: SessionSettings, conversation: Conversation) -> None:
        """``conversation`` is that of turns which name no other."""
        self.latest: Turn | None = None
        """The latest turn asked for, which may still wait for the one before it. None of those beside is it."""
        self.asked = 0
        """The number of the one asked for last, beside others or not."""
        self.configured = m.Configure()
        """What the turns from now on go by, where they say nothing else."""
        self.conversation = conversation
        self._around = around
        self._settings = settings
        self._asked_for: deque[Turn] = deque()
        """Those that are not over."""
        self._beside: list[Turn] = []
        """Those that run beside them, and are not over."""
        self._start: Callable[[Turn], None] | None = None
        """Starts one of these; None before `run`."""
        self._is_open = True
        self._arrivals = trio.lowlevel.ParkingLot()

    def __iter__(self) -> Iterator[Turn]:
        """Yield those that are not over and run one after another, in their order."""
        return iter([*self._asked_for])

    @property
    def under_way(self) -> Sequence[Turn]:
        """All that are not over: these, and those beside them."""
        return [*self._asked_for, *self._beside]

    @property
    def over(self) -> int:
        """Up to which number all that put items into the conversation are over."""
        return next((turn.number - 1 for turn in self if turn.conversation is self.conversation), self.asked)

    @property
    def full(self) -> bool:
        """Whether no more may be asked for until one is over."""
        return len(self._asked_for) > _WAITING

    @property
    def full_beside(self) -> bool:
        """Whether no more may be asked for beside the others until one of them is over."""
        return len(self._beside) >= _BESIDE

    def begin(self, request: Request, capture: Capture, timeline: Timeline) -> Turn:
        """Have a turn run when those before it are over, and return it. Not after `end`."""
        conversation = self.conversation
        match request:
            case m.Start(conversation=str(name)) | m.Text(conversation=str(name)) | Unasked(conversation=str(name)) if (
                name != conversation.name
            ):
                conversation = conversation.named(name)
        self.latest = self._new(conversation, request, capture, timeline)
        self._asked_for.append(self.latest)
        self._arrivals.unpark_all()
        return self.latest

    def begin_beside(self, request: m.Respond, capture: Capture, timeline: Timeline) -> Turn:
        """Have a turn run now, that leaves no trace in the conversation, and return it. Not after `end`."""
        turn = self._new(self.conversation.aside(), request, capture, timeline)
        self._beside.append(turn)
        if self._start is not None:
            self._start(turn)
        return turn

    def _new(self, conversation: Conversation, request: Request, capture: Capture, timeline: Timeline) -> Turn:
        assert self._is_open, "nobody is there any more to ask for a turn"
        self.asked += 1
        timeline.first(Moment.BEGUN, trio.current_time())
        settings, request = configured(self._settings, request, self.configured)
        manner = manner_of(request, self.configured)
        asked = Asked(number=self.asked, conversation=conversation, request=request, manner=manner)
        return Turn(replace(self._around, settings=settings), asked, capture, timeline)

    @property
    def is_open(self) -> bool:
        """Whether one may still be asked for."""
        return self._is_open

    async def wait_begun(self) -> None:
        """Wait until one more is asked for that is not beside the others, or none can be."""
        await self._arrivals.park()

    def find(self, number: int) -> Turn | None:
        """Return the turn of that number, if it is the latest or not over."""
        latest = () if self.latest is None else (self.latest,)
        return next((turn for turn in (*self.under_way, *latest) if turn.number == number), None)

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

    def end_reply(self, number: int, outcome: Outcome) -> bool:
        """End the reply of the turn of that number, beside others or not; return whether there was one, or to be."""
        return any(turn.end_reply(outcome) for turn in self.under_way if turn.number == number and turn.answers)

    def end(self) -> None:
        """End them all; none may be asked for any more."""
        self._is_open = False
        self._arrivals.unpark_all()
        for turn in self.under_way:
            turn.end(Outcome.CANCELLED)

    async def run(self, over: Callable[[Turn], None]) -> None:
        """Run one after another, and some beside them, until they were ended.

        ``over`` is called with the latest when it is.
        """
        async with trio.open_nursery() as nursery:
            self._start = lambda turn: nursery.start_soon(self._run_beside, turn)
            for turn in self._beside:
                self._start(turn)
            while self._asked_for or self._is_open:
                if not self._asked_for:
                    await self._arrivals.park()
                    continue
                turn = self._asked_for[0]
                await _run(turn)
                self._asked_for.popleft()
                if turn is self.latest:
                    over(turn)

    async def _run_beside(self, turn: Turn) -> None:
        await _run(turn)
        self._beside.remove(turn)


async def _run(turn: Turn) -> None:
    # What is logged in it bears its number.
    with structlog.contextvars.bound_contextvars(turn=turn.number):
        await turn.run()


def nothing_said() -> tuple[Capture, Timeline]:
    """Return the utterance of a turn in which nobody speaks, which is asked for now."""
    timeline = Timeline()
    timeline.first(Moment.ASKED, trio.current_time())
    return Capture(max_samples=0, patience_s=0.0), timeline
