"""Work that must not share our process: worker processes, each with a pipe, a deadline and a successor.

A model that holds the GIL would stop every session while it computes, and one that can hang or crash must be killable.
So each runs in a child process (`main` is its side of the pipe, `process` ours), and one task here owns
each child: it starts the child, waits until it is warm, carries every request there and the reply back, kills it when
a reply is late, and starts the next one.

A caller never touches a pipe. It leases a worker, posts a call, and waits for the answer to its own call; cancelled, it
just leaves. The owner still waits for the reply, until that call's deadline, and throws it away: a cancel costs neither
time nor a process, and a stale reply cannot reach the next caller.

A worker that was stopped (SIGSTOP, a debugger) is found when it is leased, and another takes its place. One that is
stuck in a way that nobody sees from outside is found while it is idle: it is asked now and then whether it is ready.

    owner:   spawn -> warming -> idle <-> leased (call, reply, call, reply, ...) -> killed, reaped -> spawn
"""

from __future__ import annotations

import itertools
import subprocess
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
import trio

from voice_trio.waiting import alongside
from voice_trio.workers.lease import Worker
from voice_trio.workers.main import READY_ID, Fields, FrameError
from voice_trio.workers.process import REAP_S, Call, Child, Reply, WorkerError, WorkerSpec, alive, environment, starts

log = structlog.get_logger("voice_trio")

BACKOFF_S = 0.2
"""Pause before the second start in a row that came to nothing; it doubles with every further one."""
BACKOFF_MAX_S = 30.0
HOPELESS_STARTS = 3
"""Failed starts in a row, with no child alive, after which callers are told instead of kept waiting."""
STDERR_GRACE_S = 0.2
"""How long a dead child's last words may take to arrive."""
ASK_EVERY_S = 5.0
"""How long a worker is idle before it is asked whether it is ready. It has `ANSWER_S` to say so."""
ANSWER_S = 3.0
"""Much more than an idle process needs on a busy machine, where to start another one would make things worse."""


class WorkerPool:
    """``count`` workers of one kind, leased in the order of asking. `open_pool` runs one."""

    def __init__(self, spec: WorkerSpec, count: int) -> None:
        self.spec = spec
        self.count = count
        self.info: Fields = {}
        """What the children say about themselves when they are ready."""
        self._ids = itertools.count(READY_ID + 1)
        self._children: list[Child] = []
        self._idle: deque[Child] = deque()
        self._waiting: deque[Worker] = deque()
        self._failed_starts = 0
        self._refusal: WorkerError | None = None
        self._changed = trio.Event()

    @property
    def ready(self) -> bool:
        """Whether a worker is warm."""
        return bool(self._children)

    @property
    def pids(self) -> list[int]:
        """Process ids of the warm workers."""
        return [child.process.pid for child in self._children]

    def kill_workers(self) -> None:
        """Kill the warm workers, as defects of theirs would; their owners notice, and start others."""
        for child in self._children:
            child.process.kill()

    async def wait_ready(self) -> None:
        """Wait until a worker is warm; raise `WorkerError` if none can be started."""
        while not self._children:
            if self._refusal is not None:
                raise self._refusal.again()
            await self._changed.wait()

    async def run(self) -> None:
        """Keep the workers alive until cancelled; then end every one."""
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(self.count):
                    nursery.start_soon(self._own)
        finally:
            self._refuse(WorkerError("unavailable", f"{self.spec.name} is shut down"))

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Worker]:
        """Wait for a free worker, first come first served, and have it alone."""
        if self._refusal is not None:
            await trio.lowlevel.checkpoint()
            raise self._refusal.again()
        worker = Worker(self._ids)
        self._waiting.append(worker)
        self._match()
        try:
            await worker._granted.wait()
            if worker._refused is not None:
                raise worker._refused.again()
            yield worker
        finally:
            self._release(worker)

    async def call(self, fields: Fields, body: bytes = b"", *, seconds: float) -> Reply:
        """Lease a worker for one request. ``seconds`` covers the waiting for a free one too.

        A worker that got the request late still has ``seconds`` of its own, since it is not at fault: the caller gets
        its error in time, and the pool sees to the rest.
        """
        with trio.move_on_after(seconds):
            async with self.lease() as worker:
                return await worker.call(fields, body, seconds=seconds)
        raise WorkerError("timeout", f"{self.spec.name} did not answer in {seconds:.3g} s")

    # --- who gets whom; all of it synchronous, so that it cannot be cut in half ---

    def _match(self) -> None:
        while self._idle and self._waiting:
            child = self._idle.popleft()
            if child.stopped():
                # Its owner is told by its end.
                log.warning("worker is stopped, and killed", worker=self.spec.name, pid=child.process.pid)
                child.process.kill()
                continue
            worker = self._waiting.popleft()
            child.lease, worker._child = worker, child
            worker._granted.set()

    def _release(self, worker: Worker) -> None:
        if worker._child is None:
            with suppress(ValueError):
                self._waiting.remove(worker)
            return
        child, worker._child = worker._child, None
        child.lease = None
        child.ring()

    def _refuse(self, error: WorkerError) -> None:
        self._refusal = error
        while self._waiting:
            worker = self._waiting.popleft()
            worker._refused = error
            worker._granted.set()
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    # --- one task a worker ---

    async def _own(self) -> None:
        """Have one worker after another."""
        in_vain = 0
        while True:
            answered = await self._live()
            # A child that did its work for a while is replaced at once, and so is the first that did not.
            in_vain = 0 if answered else in_vain + 1
            if in_vain > 1:
                await trio.sleep(min(BACKOFF_S * 2.0 ** (in_vain - 2), BACKOFF_MAX_S))

    async def _live(self) -> int:
        """Have one child from its start to its end; return how many calls it was good for."""
        try:
            process = await trio.lowlevel.open_process(
                list(self.spec.argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
        except OSError as error:
            self._start_failed(f"{self.spec.name} cannot be started: {error.strerror}")
            return 0
        starts[self.spec.name] += 1
        alive[process.pid] = self.spec.name
        child = Child(process)
        why = WorkerError("unavailable", f"{self.spec.name} is shut down")
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child.listen)
                nursery.start_soon(child.watch)
                why = await self._warm_and_serve(child)
                self._retire(child, why)
                process.kill()
                with trio.move_on_after(REAP_S):
                    await process.wait()
                    with trio.move_on_after(STDERR_GRACE_S):
                        await child.silent.wait()
                nursery.cancel_scope.cancel()
        finally:
            del alive[process.pid]
            self._retire(child, why)
            await child.end()
        spent = self.spec.one_call and child.answered > 0
        (log.debug if spent else log.warning)(
            "worker spent" if spent else "worker lost",
            worker=self.spec.name,
            pid=process.pid,
            why=str(why),
            exit=process.returncode,
            answered=child.answered,
            stderr=list(child.last_words),
        )
        # A caller that sends what no child survives must not make the next caller wait for a child.
        return child.carried if self.spec.one_call else child.answered

    async def _warm_and_serve(self, child: Child) -> WorkerError:
        """Carry calls to the child for as long as it is good for it; return why it no longer is."""
        name = self.spec.name
        ready: Reply | None = None
        with trio.move_on_after(self.spec.start_seconds), suppress(trio.BrokenResourceError, FrameError):
            request_id, reply = await child.receive()
            ready = reply if request_id == READY_ID else None
        if ready is None:
            self._start_failed(f"{name} did not start")
            return WorkerError("crashed", f"{name} did not start")
        self._failed_starts, self._refusal, self.info = 0, None, ready.fields
        self._children.append(child)
        self._announce()
        while True:
            while child.calls:
                call = child.calls[0]
                # A call whose caller left before its turn is not begun for nobody.
                if call.wanted and (error := await self._carry(child, call)) is not None:
                    return error
                child.calls.popleft()
                if self.spec.one_call and child.carried:
                    return WorkerError("crashed", f"{name} answers one call only")
            if child.exited:
                return WorkerError("crashed", f"{name} ended unexpectedly")
            if child.lease is None and child not in self._idle:
                self._idle.append(child)
                self._match()
            with trio.move_on_after(ASK_EVERY_S) as rest:
                await child.bell.wait()
                child.bell = trio.Event()
            if rest.cancelled_caught and child in self._idle:
                self._idle.remove(child)
                if (error := await self._ask(child)) is not None:
                    return error

    async def _carry(self, child: Child, call: Call) -> WorkerError | None:
        """Make one call; return why the child cannot stay, if so."""
        name = self.spec.name
        child.carried += 1
        late = f"{name} did not answer in {call.seconds:.3g} s"
        reply = await child.speak(partial(child.exchange, call), call.seconds, name=name, late=late)
        if isinstance(reply, WorkerError):
            return reply
        child.answered += 1
        answer = reply.fields.get("ok")
        if isinstance(answer, dict):
            call.finish(Reply(answer, reply.body))
        else:
            call.finish(WorkerError("failed", f"{name} failed: {reply.fields.get('error')}"))
        return None

    async def _ask(self, child: Child) -> WorkerError | None:
        """Ask an idle child, which nobody can lease meanwhile, whether it is ready; return why it cannot stay."""
        name = self.spec.name
        reply = await child.speak(child.ask_ready, ANSWER_S, name=name, late=f"{name} was idle, and is stuck")
        return reply if isinstance(reply, WorkerError) else None

    def _retire(self, child: Child, why: WorkerError) -> None:
        """Let nobody wait for this child any longer."""
        if child.lost is not None:
            return
        child.lost = why
        for held in (self._idle, self._children):
            with suppress(ValueError):
                held.remove(child)
        for call in child.calls:
            call.finish(why)

    def _start_failed(self, message: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= HOPELESS_STARTS and not self._children:
            self._refuse(WorkerError("unavailable", message))


@asynccontextmanager
async def open_pool(spec: WorkerSpec, count: int) -> AsyncIterator[WorkerPool]:
    """Run a pool of ``count`` workers for as long as the block does. Its workers warm up meanwhile."""
    pool = WorkerPool(spec, count)
    async with alongside(pool.run):
        yield pool
