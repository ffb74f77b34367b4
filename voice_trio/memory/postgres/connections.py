"""The connections that a server has to PostgreSQL, and what is tried again where one is lost.

So many callers use one at a time, each in a thread; the others wait in a queue, from which who has waited too long
leaves with nothing done. What has begun is waited for to its end, which comes within a limit, so the answer is always
the true one. Queue and limit add up to less than a turn waits for its commit.

A server that is restarted takes all its connections along. So where one is lost, those that stand idle are closed as
well, and what was to be done is done on a new one, if need be several times until the limit is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

import trio

from voice_trio.memory.base import ClaimLost, StoreBusy, StoreError, StoreUnsure
from voice_trio.memory.postgres.connection import BadAddress, Collided, Connection, Lost, Unreachable

QUEUE_S: Final = 1.5
"""How long to wait for a connection that others have."""

USE_S: Final = 3.0
"""How long what was begun may take, and be tried again."""

_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.25
"""Between two tries, the first and all later ones at most."""

_CLOSE_S: Final = 5.0

T = TypeVar("T")

BAD_ADDRESS: Final = "its address (STREAM_DATABASE_URL) cannot be read"


class Connections:
    """At most ``limit`` at a time, opened when they are needed."""

    def __init__(self, connect: Callable[[], Connection], *, limit: int) -> None:
        """``connect`` opens one. It raises `BadAddress`, `Unreachable` and `StoreError`."""
        self._connect = connect
        self._idle: list[Connection] = []
        """The one that was used last is the last one. Threads use it: each of its methods is one step."""
        self._closed = False
        self._limit = trio.CapacityLimiter(limit)

    async def use(
        self, work: Callable[[Connection], T], *, once: bool = False, abandon: bool = False, seconds: float = USE_S
    ) -> T:
        """Do ``work`` with a connection, in a thread, within ``seconds``; return what it returns.

        Where a connection was lost it is done again, if need be after it was done already, but for one that may be done
        ``once`` only. With ``abandon``, one that changes nothing is left to itself where nobody waits for it any more.
        Raises `StoreUnsure` where it is not known whether it was done, or else `StoreError`.
        """
        with trio.move_on_after(QUEUE_S + seconds if abandon else QUEUE_S):
            # The limit cannot cut work short that has begun, unless it may be abandoned, and nor can a cancel.
            return await trio.to_thread.run_sync(
                self._do, work, once, seconds, limiter=self._limit, abandon_on_cancel=abandon
            )
        raise StoreBusy(f"PostgreSQL, or all connections to it, were busy for {QUEUE_S:g} seconds")

    async def aclose(self) -> None:
        """Close all connections once nobody uses them; a thread that waits for a dead server is not waited for."""
        self._closed = True
        self._close_idle()
        with trio.move_on_after(_CLOSE_S, shield=True):
            # Whoever has one closes it when it is done.
            for _ in range(int(self._limit.total_tokens)):
                await self._limit.acquire_on_behalf_of(object())

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[Connection], T], once: bool, seconds: float) -> T:
        began_at = time.monotonic()
        deadline, pause_s, unsure = began_at + seconds, _FIRST_PAUSE_S, False
        # The first try leaves time for another: its connection may have been cut off long ago, and nobody was told.
        until = began_at + seconds / 2
        while True:
            try:
                return self._try(work, until)
            except ClaimLost:
                raise
            except StoreError as error:
                raise (StoreUnsure(str(error)) if unsure else error) from None
            except Unreachable as error:
                failure = StoreError(f"PostgreSQL cannot be reached: {error}")
            except Collided:
                failure = StoreBusy("others were in the way in PostgreSQL for too long")
            except Lost as error:
                self._close_idle()
                failure, unsure = StoreError("the connection to PostgreSQL was lost"), unsure or error.may_be_done
            if time.monotonic() + pause_s > deadline or (once and unsure):
                raise StoreUnsure(str(failure)) if unsure else failure
            time.sleep(pause_s)
            until = deadline
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _try(self, work: Callable[[Connection], T], deadline: float) -> T:
        connection = self._take()
        connection.within(deadline)
        try:
            return work(connection)
        finally:
            self._give_back(connection)

    def _take(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._connect()
        except BadAddress:
            raise StoreError(f"PostgreSQL cannot be used: {BAD_ADDRESS}") from None

    def _give_back(self, connection: Connection) -> None:
        if connection.is_sound and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()

    def _close_idle(self) -> None:
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()
