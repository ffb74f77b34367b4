"""Who decodes next: many sessions, one model, a fixed number of threads.

A decode cannot be stopped once it runs. So it belongs to the scheduler and not to who asked for it: a turn holds a
`Ticket`, and dropping the ticket is all that a cancel does. A job that has not begun then never begins; one that runs
goes on to its end, in its place among the workers, for nobody. Jobs that nobody wants can therefore never pile up.

The rules:

1. A final comes before an early one, that before a partial, and that before housekeeping.
2. One worker is kept from early finals: it is free, or decodes a partial, which is short. Speech may overtake an early
   final, and the true one must not wait for it; so with one worker there is none. Housekeeping begins only where
   nothing runs.
3. Among equals, first come, first served. An utterance has one partial in the queue at a time, and its next one queues
   behind everybody else's, so no session starves another.
4. What a job decodes is settled when it begins: a partial that waited takes the audio that came meanwhile, so one that
   a newer would have overtaken is never decoded.
5. What is cheaper done for several at once, as partials are, is done for those that wait by then; what waits is shared
   among the workers that are free, so that a batch is made only where otherwise somebody would wait.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, TypeVar

import outcome
import trio

from voice_trio.config import processors
from voice_trio.standing import queued
from voice_trio.waiting import alongside

Q = TypeVar("Q")
T = TypeVar("T")
Job = Callable[[], T]
"""What a worker's thread does."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[Q, T]):
    """Work that a worker's thread does for several tickets at once. The same object is the same work."""

    most: int
    """Tickets at once, at least 1."""
    work: Callable[[Sequence[Q]], Sequence[T]]
    """Returns the answer to each. Where it raises, each is done again alone, so that no fault reaches another."""

    def answers(self, given: Sequence[Q]) -> list[outcome.Value[T] | outcome.Error]:
        """Do the work and return the answer to each of ``given``, or what it raised."""
        if len(given) > 1:
            with suppress(Exception):
                return [outcome.Value(answer) for answer in self.work(given)]

        def alone(one: Q) -> T:
            return self.work([one])[0]

        return [outcome.capture(alone, one) for one in given]


class Rank(IntEnum):
    """What a ticket is for; the least comes first."""

    FINAL = 0
    EARLY = 1
    """The final of an utterance that may be over."""
    PARTIAL = 2
    HOUSEKEEPING = 3


class Ticket(Generic[T]):
    """A place in the queue, and then the answer."""

    def __init__(
        self,
        scheduler: Scheduler,
        batch: Batch[Any, T],
        begin: Callable[[], Any],
        rank: Rank,
        order: int,
        ready: Callable[[], bool],
    ) -> None:
        self.rank = rank
        self.order = order
        self._ready = ready
        self._batch = batch
        self._begin = begin
        self._scheduler = scheduler
        self._answer: outcome.Value[T] | outcome.Error | None = None
        self._done = trio.Event()
        self._begun = False

    async def wait(self) -> T:
        """Wait for the answer and return it, or raise what the job raised. Who is cancelled here still holds the
        ticket.
        """
        await self._done.wait()
        assert self._answer is not None
        # Not `unwrap`, which may be done once: an answer may have been asked for early and again at the end.
        if isinstance(self._answer, outcome.Error):
            raise self._answer.error
        return self._answer.value

    @property
    def running(self) -> bool:
        """Whether a worker has the job, and no answer yet."""
        return self._begun and not self._done.is_set()

    def drop(self) -> None:
        """Say that nobody wants the answer: a job that has not begun never will."""
        self._scheduler._forget(self)

    def hurry(self, rank: Rank) -> None:
        """Move up to ``rank``, if the job has not begun."""
        self.rank = min(rank, self.rank)
        self._scheduler._ring()


class Scheduler:
    """The queue in front of ``workers`` threads. `open_scheduler` runs one."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.running = 0
        """Jobs that a thread computes right now."""
        self._long = 0
        """How many of them are no partials, and may take long."""
        self._waiting: list[Ticket[Any]] = []
        self._order = itertools.count()
        self._doorbell = trio.Event()

    def submit(self, begin: Callable[[], Job[T]], rank: Rank) -> Ticket[T]:
        """Queue a job and return its ticket. Never waits.

        ``begin`` is called in Trio's thread when a worker takes the ticket, and returns what that worker's thread does.
        """
        return self.submit_to(ALONE, begin, rank)

    def submit_to(
        self, batch: Batch[Q, T], begin: Callable[[], Q], rank: Rank, *, ready: Callable[[], bool] = lambda: True
    ) -> Ticket[T]:
        """Queue a job that may be done together with others of ``batch``, and return its ticket. Never waits.

        ``begin`` is called in Trio's thread when a worker takes the ticket, and returns what ``batch`` is given. Until
        ``ready`` is true others go first; it is asked again whenever a ticket comes, begins, is dropped or is answered.
        """
        ticket = Ticket(self, batch, begin, rank, next(self._order), ready)
        self._waiting.append(ticket)
        self._ring()
        return ticket

    @property
    def is_awaited(self) -> bool:
        """Whether a final waits for a worker."""
        return any(ticket.rank is Rank.FINAL for ticket in self._waiting)

    async def run(self, begin: Callable[[], Job[T]], rank: Rank) -> T:
        """Queue a job, wait for its answer and return it, or raise what it raised; a caller that leaves drops it."""
        ticket = self.submit(begin, rank)
        try:
            return await ticket.wait()
        finally:
            ticket.drop()

    def _ring(self) -> None:
        self._doorbell.set()

    def _forget(self, ticket: Ticket[Any]) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        # Others may be ready now, though it had begun.
        self._ring()

    def _may_begin(self, ticket: Ticket[Any]) -> bool:
        if not ticket._ready():
            return False
        match ticket.rank:
            case Rank.EARLY:
                return self.running < self.workers and self._long < self.workers - 1
            case Rank.HOUSEKEEPING:
                return self.running == 0
        return self.running < self.workers

    async def _serve(self, close_s: float) -> None:
        shields: set[trio.CancelScope] = set()
        async with trio.open_nursery() as nursery:
            try:
                while True:
                    self._doorbell = trio.Event()
                    taken = self._next()
                    if not taken:
                        await self._doorbell.wait()
                        continue
                    self.running += 1
                    self._long += taken[0].rank is not Rank.PARTIAL
                    begun = [outcome.capture(ticket._begin) for ticket in taken]
                    nursery.start_soon(self._work, taken, begun, shields)
            finally:
                for shield in shields:
                    shield.deadline = trio.current_time() + close_s

    def _next(self) -> Sequence[Ticket[Any]]:
        """Take the tickets that a worker shall see to next out of the queue: of one batch, or none."""
        ready = [ticket for ticket in self._waiting if self._may_begin(ticket)]
        ready.sort(key=lambda ticket: (ticket.rank, ticket.order))
        alike = [ticket for ticket in ready if ticket._batch is ready[0]._batch]
        share = -(-len(alike) // max(1, self.workers - self.running))
        taken = alike[: min(share, alike[0]._batch.most)] if alike else []
        for ticket in taken:
            self._waiting.remove(ticket)
            ticket._begun = True
        return taken

    async def _work(
        self,
        tickets: Sequence[Ticket[T]],
        begun: Sequence[outcome.Value[Any] | outcome.Error],
        shields: set[trio.CancelScope],
    ) -> None:
        try:
            # What was taken in the very step that closes the scheduler is not begun, or the shield below would have no
            # deadline.
            await trio.lowlevel.checkpoint_if_cancelled()
            # A thread that computes cannot be told to stop, and a process that leaves it behind crashes: so what runs
            # is waited for, until the deadline that closing the scheduler puts on the shield.
            with trio.CancelScope(shield=True) as shield:
                shields.add(shield)
                answers = await _in_thread(tickets[0]._batch, begun)
                for ticket, answer in zip(tickets, answers, strict=True):
                    ticket._answer = answer
                    ticket._done.set()
            shields.remove(shield)
        finally:
            self.running -= 1
            self._long -= tickets[0].rank is not Rank.PARTIAL
            self._ring()


async def _in_thread(
    batch: Batch[Any, T], begun: Sequence[outcome.Value[Any] | outcome.Error]
) -> list[outcome.Value[T] | outcome.Error]:
    """Return the answer to each of ``begun``; what failed to begin has its error."""
    given = [one.value for one in begun if isinstance(one, outcome.Value)]
    answers: list[outcome.Value[T] | outcome.Error] = []
    if given:
        try:
            answers = await trio.to_thread.run_sync(batch.answers, given, abandon_on_cancel=True, limiter=_UNLIMITED)
        except RuntimeError as error:  # a system that has no thread left
            answers = [outcome.Error(error)] * len(given)
    remaining = iter(answers)
    return [one if isinstance(one, outcome.Error) else next(remaining) for one in begun]


_UNLIMITED = trio.CapacityLimiter(math.inf)
"""The scheduler counts its threads itself, and others' threads must not make it wait."""

ALONE: Batch[Job[Any], Any] = Batch(1, lambda jobs: [job() for job in jobs])
"""Jobs of any kind, one at a time."""


@asynccontextmanager
async def open_scheduler(workers: int, *, close_s: float) -> AsyncIterator[Scheduler]:
    """Run a scheduler of ``workers`` threads, at least 1. At the end, wait up to ``close_s`` for the jobs that run."""
    scheduler = Scheduler(workers)
    with queued("decodes", lambda: len(scheduler._waiting)):
        async with alongside(lambda: scheduler._serve(close_s)):
            yield scheduler


def threads_per_worker(workers: int) -> int:
    """Return how many threads each of ``workers`` computes with: the machine's share, and at least one.

    Two workers of one thread decode twice as much as one of two, and more than four threads bring a worker little.
    """
    return max(1, min(4, processors() // workers))
