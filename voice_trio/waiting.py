"""Two ways to wait that Trio leaves to its users."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def alongside(service: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run ``service`` for as long as the block does, then cancel it.

    What the block raises comes out as it is, not in a group, since the service is no part of what it did.
    """
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(service)
        try:
            yield
        except Exception as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


class Wait:
    """Waits so many seconds from when it was first asked to, however often it is cancelled and asked again."""

    def __init__(self) -> None:
        self._until: float | None = None

    async def __call__(self, seconds: float) -> None:
        """Wait; once it was waited, the next wait is another one."""
        if self._until is None:
            self._until = trio.current_time() + seconds
        await trio.sleep_until(self._until)
        self._until = None
