"""One child process as its owner sees it: its frames, its last words, and its end.

The owner is a task of `workers`; nothing here starts one.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import structlog
import trio

from voice_trio.workers.main import HEAD, READY_ID, Fields, FrameError, pack, unpack_fields, unpack_head

log = structlog.get_logger("voice_trio")

KEPT_VARIABLES = (
    # Where Python finds its library and what is installed; a user's own packages lie below HOME.
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONUSERBASE",
    "PYTHONNOUSERSITE",
    "HOME",
    # Where it keeps compiled modules, if at all.
    "PYTHONPYCACHEPREFIX",
    "PYTHONDONTWRITEBYTECODE",
    # Where the loader finds the libraries of systems that have them in places of their own.
    "LD_LIBRARY_PATH",
    # What a path's bytes mean.
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    # Where libffi puts the code of callbacks if memory may not be both written and run.
    "TMPDIR",
    # How many threads numpy's libraries start.
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
)
"""What of our environment a child gets. The rest holds keys, tokens and passwords under names that nobody can list."""

REAP_S = 2.0
"""How long a killed child may take to be gone."""
STDERR_LINES = 20


def environment() -> dict[str, str]:
    """Return the environment of a child."""
    return {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}


starts: Final[Counter[str]] = Counter()
"""How many children of each name this process has started: all but the first of each place are restarts."""

alive: Final[dict[int, str]] = {}
"""Process id -> name, of the children that this process has."""


class WorkerError(Exception):
    """A call got no answer. ``kind`` says why:

    timeout (the worker is killed), crashed (it died or spoke nonsense), failed (it refused this one request and lives
    on), unavailable (no worker can be started, or the pool is closed).
    """

    def __init__(self, kind: Literal["timeout", "crashed", "failed", "unavailable"], message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def again(self) -> WorkerError:
        """Return an equal one to raise: an exception raised over and over would gather every raiser's frames."""
        return WorkerError(self.kind, str(self))


class Reply(NamedTuple):
    """What a worker answered."""

    fields: Fields
    body: bytes


class Call:
    """One request on its way, and where its answer is put."""

    def __init__(self, fields: Fields, body: bytes, request_id: int, seconds: float) -> None:
        self.frame = pack(request_id, fields, body)
        self.request_id = request_id
        self.seconds = seconds
        self.wanted = True
        self.done = trio.Event()
        self.outcome: Reply | WorkerError | None = None

    def finish(self, outcome: Reply | WorkerError) -> None:
        """Give the caller its answer; the first one counts."""
        if self.outcome is None:
            self.outcome = outcome
            self.done.set()


class Child:
    """A process, its frames, its last words, and the calls posted to it. Owned by one task of the pool."""

    def __init__(self, process: trio.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.process = process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self.calls: deque[Call] = deque()
        self.lease: object | None = None
        self.lost: WorkerError | None = None
        self.exited = False
        self.carried = 0
        """Calls that were sent to it."""
        self.answered = 0
        self.bell = trio.Event()
        self.last_words: deque[str] = deque(maxlen=STDERR_LINES)
        self.silent = trio.Event()
        self._buffer = bytearray()

    def ring(self) -> None:
        """Wake the owner: there is a call, the lease has ended, or the process has."""
        self.bell.set()

    async def listen(self) -> None:
        """Keep the end of what the child writes to its standard error."""
        rest = b""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for data in self.stderr:
                *lines, rest = (rest + data).split(b"\n")
                rest = rest[-1000:]
                self.last_words.extend(line[-1000:].decode(errors="replace") for line in lines)
        if rest:
            self.last_words.append(rest.decode(errors="replace"))
        self.silent.set()

    async def watch(self) -> None:
        """Notice a death while nobody is talking to the child."""
        await self.process.wait()
        self.exited = True
        self.ring()

    async def exchange(self, call: Call) -> Reply:
        """Send a call and return what the child answered."""
        await self.stdin.send_all(call.frame)
        request_id, reply = await self.receive()
        if request_id != call.request_id:
            raise FrameError("an answer to another request")
        return reply

    async def ask_ready(self) -> Reply:
        """Have the child say once more that it is ready."""
        return await self.exchange(Call({}, b"", READY_ID, 0))

    async def speak(
        self, exchange: Callable[[], Awaitable[Reply]], seconds: float, *, name: str, late: str
    ) -> Reply | WorkerError:
        """Have ``exchange`` with it; return what it answered, or why it cannot stay, which is ``late`` in time."""
        if self.stopped():
            return WorkerError("crashed", f"{name} was stopped")
        try:
            with trio.fail_after(seconds):
                return await exchange()
        except trio.TooSlowError:
            return WorkerError("timeout", late)
        except trio.BrokenResourceError:
            return WorkerError("crashed", f"{name} ended unexpectedly")
        except FrameError as error:
            return WorkerError("crashed", f"{name} is out of step: {error}")

    def stopped(self) -> bool:
        """Return whether the process stands still, by a signal or a debugger; False where the system cannot tell."""
        try:
            state = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        except (AttributeError, OSError):
            return False
        return state is not None

    async def receive(self) -> tuple[int, Reply]:
        """Return the child's next frame, which must be the last one it has sent."""
        request_id, length, size = unpack_head(await self._exactly(HEAD.size))
        fields = unpack_fields(await self._exactly(length))
        body = await self._exactly(size)
        if self._buffer:
            raise FrameError("more than one answer")
        return request_id, Reply(fields, body)

    async def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = await self.stdout.receive_some(65_536)
            if not data:
                raise trio.BrokenResourceError("the child closed its pipe")
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def end(self) -> None:
        """Kill the process, reap it and close its pipes. Works in a cancelled scope, within `REAP_S`."""
        with trio.CancelScope(shield=True, deadline=trio.current_time() + REAP_S) as scope:
            self.process.kill()
            await self.process.wait()
        if scope.cancelled_caught:
            log.error("worker process cannot be killed", pid=self.process.pid)
        with trio.CancelScope(shield=True, deadline=trio.current_time() + REAP_S):
            for stream in (self.stdin, self.stdout, self.stderr):
                await stream.aclose()


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """How to start a worker."""

    name: str
    """As it appears in logs and errors."""
    argv: Sequence[str]
    start_seconds: float = 30.0
    """Until its ready frame, model load included."""
    one_call: bool = False
    """Whether a child is replaced after its first call, because what it read cannot be trusted to have left it as it
    was."""


def python_worker(name: str, module: str, *, one_call: bool = False) -> WorkerSpec:
    """Return the spec of a worker that is a module of ours.

    -P keeps the current folder off its import path; the fault handler names the place of a segmentation fault.
    """
    return WorkerSpec(name, (sys.executable, "-P", "-X", "faulthandler", "-m", module), one_call=one_call)
