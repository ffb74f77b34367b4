"""The workers of a pool, lent by `core.lending`: to who needs one most, and asked back when another needs it more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from voice_trio.core import lending
from voice_trio.core.lending import Claim
from voice_trio.workers.lease import Worker
from voice_trio.workers.pool import WorkerPool


class Borrower(Protocol):
    """Who borrows a worker."""

    def claim(self, now: float) -> Claim:
        """Return how much it is needed at ``now``, in seconds of Trio's clock."""

    def ring(self) -> None:
        """Look at `Lender.asks_back` soon: it may be true. Never waits."""


class Lender:
    """Lends the workers of ``pool``, one to each borrower at most. Nobody else may lease them."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._holding: list[Borrower] = []
        self._waiting: dict[Borrower, trio.Event] = {}

    @asynccontextmanager
    async def lend(self, borrower: Borrower) -> AsyncIterator[Worker]:
        """Wait for a worker and have it until `asks_back`. Raises `WorkerError` where there is none to be had."""
        self._waiting[borrower] = lent = trio.Event()
        self.review()
        try:
            await lent.wait()
            async with self._pool.lease() as worker:
                yield worker
        finally:
            if borrower in self._holding:
                self._holding.remove(borrower)
            else:
                del self._waiting[borrower]
            self.review()

    def asks_back(self, borrower: Borrower) -> bool:
        """Whether ``borrower``, who has a worker, is to leave it to another."""
        return borrower in lending.asked_back(self._holding, [*self._waiting], trio.current_time())

    def review(self) -> None:
        """Act on what has changed: to be called by a borrower whose claim has. Never waits."""
        now = trio.current_time()
        while self._waiting and len(self._holding) < self._pool.count:
            borrower = lending.first([*self._waiting], now)
            self._holding.append(borrower)
            self._waiting.pop(borrower).set()
        for borrower in lending.asked_back(self._holding, [*self._waiting], now):
            borrower.ring()
