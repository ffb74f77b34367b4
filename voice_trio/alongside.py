"""A service for as long as a block lasts."""

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
