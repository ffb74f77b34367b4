"""The far ends of an engine, and how one question gets an answer of one of them.

They are asked in turn, the one that last worked first; each attempt has its own limit of time. Where all have failed,
they are asked again after a short wait that doubles. One that fails again and again rests (`core.breaker`), and with it
the waiting for it: whoever has something that stands by is told at once that nobody is to be asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import structlog
import trio

from voice_trio.core.breaker import MOST_FAILURES, Breaker

log = structlog.get_logger("voice_trio")

T = TypeVar("T")

FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 1.0


class FarEndFailed(Exception):
    """A far end did not do what it was asked for; the message says so, and what to do if that is known, in a sentence.

    It holds no secret, and nothing of what the far end said. With ``again`` the same question may fare better;
    ``wait_s`` is what it asked for (Retry-After).
    """

    def __init__(self, message: str, *, again: bool = True, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.again = again
        self.wait_s = wait_s


async def _straight(ask: Callable[[], Awaitable[Any]]) -> Any:
    return await ask()


@dataclass(eq=False, slots=True)
class FarEnd:
    """A server that is asked."""

    url: str
    """Without the path of what is asked for."""
    place: str
    """Its host, and its port where that is not the usual one: fit to be shown."""
    breaker: Breaker = field(default_factory=Breaker)
    through: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]] = _straight
    """What every question goes through, given what sends it: where a far end is to fail on purpose, it does there."""


class FarEnds:
    """The servers of one engine."""

    def __init__(self, ends: Sequence[FarEnd], *, attempt_s: float, stands_by: bool) -> None:
        """``stands_by`` says whether there is something else to turn to; where there is not, nobody rests."""
        self.attempt_s = attempt_s
        self.trouble: str | None = None
        """What last went wrong, where nothing has worked since."""
        self._ends = list(ends)
        self._first: FarEnd | None = None
        self._stands_by = stands_by

    def __iter__(self) -> Iterator[FarEnd]:
        return iter(self._ends)

    @property
    def places(self) -> str:
        """Where they are, in the order in which the operator gave them."""
        return ", ".join(dict.fromkeys(end.place for end in self._ends))

    @property
    def all_rest(self) -> bool:
        """Whether none of them would be asked now."""
        now = trio.current_time()
        return all(self._asks_at(end, now) > now for end in self._ends)

    async def ask(
        self,
        attempt: Callable[[FarEnd], Awaitable[T]],
        *,
        seconds: float,
        attempt_s: float | None = None,
        once: bool = False,
        goes_on: bool = False,
    ) -> T:
        """Return what ``attempt`` returns for one of them, asked for at most ``seconds``; it raises `FarEndFailed`.

        An attempt may take ``attempt_s``, or as long as is usual here; with ``once``, each of them has one. Where
        something stands by, no more time is spent than `MOST_FAILURES` attempts take, and the waits between. Where an
        answer ``goes_on`` when its attempt returns, the caller says what comes of it: `worked`, `failed` or `dropped`.
        Raises `FarEndFailed` where there is no more to be had in that time.
        """
        attempt_s = attempt_s or self.attempt_s
        if self._stands_by:
            seconds = min(seconds, MOST_FAILURES * attempt_s + LONGEST_WAIT_S)
        until = trio.current_time() + seconds
        wait_s = FIRST_WAIT_S
        left = list(self._in_order())
        failure = FarEndFailed(self.trouble or f"{self.places} cannot be asked yet.")
        while True:
            for end in list(left):
                now = trio.current_time()
                if self._asks_at(end, now) > now or now >= until:
                    continue
                try:
                    return await self._attempt(end, attempt, min(attempt_s, until - now), goes_on)
                except FarEndFailed as error:
                    failure = error
                    if not error.again:
                        left.remove(end)
            now = trio.current_time()
            asks_at = min((self._waits_until(end, now) for end in left), default=inf)
            next_at = max(asks_at, now + wait_s)
            # Where something stands by, nobody waits longer for leave to ask than an answer may take.
            if once or next_at >= until or (self._stands_by and asks_at - now > self.attempt_s):
                raise failure
            await trio.sleep_until(next_at)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _attempt(
        self, end: FarEnd, attempt: Callable[[FarEnd], Awaitable[T]], limit_s: float, goes_on: bool
    ) -> T:
        end.breaker = end.breaker.asked()
        is_judged = False
        try:
            with trio.move_on_after(limit_s):
                answer = await attempt(end)
                is_judged = True
                if not goes_on:
                    self.worked(end)
                return answer
            raise FarEndFailed(f"{end.place} did not answer within {limit_s:.3g} seconds.")
        except FarEndFailed as error:
            is_judged = True
            self.failed(end, error)
            raise
        finally:
            if not is_judged:
                self.dropped(end)

    def worked(self, end: FarEnd) -> None:
        """Note that ``end`` answered: it is asked first from now on."""
        if not end.breaker.works:
            log.info("far end works again", place=end.place)
        end.breaker = end.breaker.worked()
        self.trouble = None
        self._first = end

    def failed(self, end: FarEnd, error: FarEndFailed) -> None:
        """Note that ``end`` did not answer as it should."""
        now = trio.current_time()
        worked = end.breaker.works
        self.trouble = error.message
        if error.wait_s is not None:
            end.breaker = end.breaker.asked_to_wait(now, error.wait_s)
        else:
            end.breaker = end.breaker.failed(now)
        if worked and not end.breaker.works:
            log.warning("far end fails", place=end.place, reason=error.message)

    def dropped(self, end: FarEnd) -> None:
        """Note that ``end`` was not waited for."""
        end.breaker = end.breaker.dropped()

    def _asks_at(self, end: FarEnd, now: float) -> float:
        return end.breaker.asks_at(now, even_at_rest=not self._stands_by)

    def _waits_until(self, end: FarEnd, now: float) -> float:
        """Return until when to wait for ``end``; infinity for one that rests while something stands by."""
        return inf if self._stands_by and not end.breaker.works else self._asks_at(end, now)

    def _in_order(self) -> Iterator[FarEnd]:
        """Yield them, the one that last worked first."""
        return iter(sorted(self._ends, key=lambda end: end is not self._first))


@runtime_checkable
class HasFarEnds(Protocol):
    """An engine that is asked of other machines."""

    ends: FarEnds
