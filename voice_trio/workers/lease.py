"""A worker process as its caller has it."""

from __future__ import annotations

import itertools

import trio

from voice_trio.workers.main import Fields
from voice_trio.workers.process import Call, Child, Reply, WorkerError


class Worker:
    """A leased worker: nobody else's calls go to it until the lease ends."""

    def __init__(self, ids: itertools.count[int]) -> None:
        self._ids = ids
        self._child: Child | None = None
        self._refused: WorkerError | None = None
        self._granted = trio.Event()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._child is not None
        return self._child.process.pid

    async def call(self, fields: Fields, body: bytes = b"", *, seconds: float) -> Reply:
        """Send a request and return its answer, or raise `WorkerError`.

        When it has taken ``seconds``, stalled writing included, the process is killed. After an error other than
        "failed" the lease is of no more use.
        """
        child = self._child
        assert child is not None, "the lease has ended"
        if child.lost is not None:
            await trio.lowlevel.checkpoint()
            raise child.lost.again()
        call = Call(fields, body, next(self._ids), seconds)
        child.calls.append(call)
        child.ring()
        try:
            await call.done.wait()
        finally:
            call.wanted = False
        assert call.outcome is not None
        if isinstance(call.outcome, WorkerError):
            raise call.outcome.again()
        return call.outcome
