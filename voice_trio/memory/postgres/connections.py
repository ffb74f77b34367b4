"""The connections that a server has to PostgreSQL, and what is tried again where one is lost.

So many callers use one at a time, each in a thread; the others wait in a queue, which who has waited too long leaves
with nothing done. What has begun is waited for to its end, which comes within a limit, so the answer is always the
true one. All of that together takes less time than a turn waits for its commit.

A server that is restarted takes all its connections along. So where one is lost, those that stand idle are closed as
well, and what was to be done is done on a new one, if need be several times. Between two tries others have their
turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

import trio

from voice_trio.memory.base import ClaimLost, StoreBusy, StoreError, StoreUnsure
from voice_trio.memory.postgres.connection import BadAddress, Collided, Connection, Lost, Unreachable

USE_S: Final = 3.0
"""Within so long a try has to begin, and half as long it may take."""

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
        """Do ``work`` with a connection, in a thread; return what it returns.

        It begins within ``seconds``, also when it is tried again, and each try takes at most half of that. Where a
        connection was lost it is done again, if need be after it was done already, but for one that may be done
        ``once`` only. With ``abandon``, one that changes nothing is left to itself where nobody waits for it any more.
        Raises `StoreUnsure` where it is not known whether it was done, or else `StoreError`.
        """
        until, pause_s, unsure = trio.current_time() + seconds, _FIRST_PAUSE_S, False
        while True:
            failure: StoreError = StoreBusy("all connections to PostgreSQL were in use for too long")
            try:
                # Once it has begun, the limit cannot cut it short, unless it may be abandoned, and nor can a cancel.
                with trio.CancelScope(deadline=until + seconds / 2 if abandon else until, shield=unsure):
                    return await trio.to_thread.run_sync(
                        self._try, work, seconds / 2, limiter=self._limit, abandon_on_cancel=abandon
                    )
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
            if trio.current_time() + pause_s > until or (once and unsure):
                raise StoreUnsure(str(failure)) if unsure else failure
            with trio.CancelScope(shield=unsure):
                await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def aclose(self) -> None:
        """Close all connections once nobody uses them; a thread that waits for a dead server is not waited for."""
        self._closed = True
        self._close_idle()
        with trio.move_on_after(_CLOSE_S, shield=True):
            # Whoever has one closes it when it is done.
            for _ in range(int(self._limit.total_tokens)):
                await self._limit.acquire_on_behalf_of(object())

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _try(self, work: Callable[[Connection], T], seconds: float) -> T:
        connection = self._take()
        connection.within(time.monotonic() + seconds)
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
