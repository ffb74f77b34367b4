"""Which steps of which tasks hold the loop, and where: an Instrument of Trio's, and a server that runs under it.

    python tools/stalls.py serve --port 8000                        voice-trio serve; the report comes as it ends
    python tools/stalls.py --limit-ms 50 --file steps.jsonl serve   one line of JSON for each step as well

For use in another program:

    stalls = Stalls()
    with stalls.watching():
        trio.run(main, instruments=[stalls])
    print(stalls.report())

A step is what a task does between two checkpoints; nobody else is served meanwhile. It is measured by the CPU time of
the loop's thread, so that a busy machine makes no stall of a step that merely waited for a core, and by the clock on
the wall, which also shows a step that slept. A step counts that took more than `LIMIT_MS` of CPU. While one runs, a
thread looks every few milliseconds at what the loop's thread is doing, so that the place is that of the work and not
that of the next checkpoint. What the garbage collector took of it is said apart.
"""

from __future__ import annotations

import functools
import gc
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, cast

import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

LIMIT_MS = 20.0
"""Longer than the pause between two frames of speech is heard as a stutter; this leaves room for a few such steps."""

_LOOK_EVERY_S = 0.005
_KEPT = 1_000
"""Steps that are kept; the others are counted."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step that took too long."""

    cpu_ms: float
    wall_ms: float
    gc_ms: float
    """Of the wall time, what went to collecting garbage."""
    task: str
    place: str
    """The innermost frame seen at work, or else where the task stood as the step ended."""
    ours: str
    """The innermost frame of voice_trio in the same stack; empty if there is none."""

    def __str__(self) -> str:
        collected = f", {self.gc_ms:.0f} of it garbage collection" if self.gc_ms >= 1 else ""
        took = f"{self.cpu_ms:7.1f} ms of CPU, {self.wall_ms:.1f} by the wall{collected}"
        return f"{took}: {self.place} [{self.ours}] in {self.task}"


class Stalls(trio.abc.Instrument):
    """Notes every step of more than ``limit_ms`` milliseconds of CPU."""

    def __init__(self, limit_ms: float = LIMIT_MS, file: IO[str] | None = None) -> None:
        """``file`` gets a line of JSON for each, at once."""
        self.limit_ms = limit_ms
        self.steps: list[Step] = []
        """The first of them."""
        self.count = 0
        self.taken = 0
        """Steps of any length."""
        self.longest_ms = 0.0
        """The longest of all steps, in ms of CPU."""
        self._file = file
        self._thread = 0
        self._began_cpu = self._began_wall = 0.0
        self._in_step = False
        self._gc_began = self._gc_s = 0.0
        self._seen: tuple[str, str] | None = None
        self._clock = 0

    def forget(self) -> None:
        """Begin anew: what was until now is not counted."""
        self.steps.clear()
        self.count = self.taken = 0
        self.longest_ms = 0.0

    # --- what Trio calls ----------------------------------------------------------------------------------------------

    def before_run(self) -> None:
        """The loop begins, in this thread."""
        self._thread = threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """A step begins."""
        self._seen = None
        self._gc_s = 0.0
        self._began_wall = time.perf_counter()
        self._began_cpu = time.thread_time()
        self._in_step = True

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """A step is over."""
        self._in_step = False
        cpu_ms = (time.thread_time() - self._began_cpu) * 1000
        self.taken += 1
        self.longest_ms = max(self.longest_ms, cpu_ms)
        if cpu_ms <= self.limit_ms:
            return
        self.count += 1
        wall_ms = (time.perf_counter() - self._began_wall) * 1000
        place, ours = self._seen or _places(_waiting_frames(task))
        step = Step(round(cpu_ms, 1), round(wall_ms, 1), round(self._gc_s * 1000, 1), task.name, place, ours)
        if len(self.steps) < _KEPT:
            self.steps.append(step)
        if self._file is not None:
            self._file.write(json.dumps(asdict(step)) + "\n")
            self._file.flush()

    # --- the eye from outside -----------------------------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[Stalls]:
        """Watch from a thread and time the garbage collector; without it, places are those of the next checkpoint."""
        enough = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(enough,), name="stalls")
        gc.callbacks.append(self._collected)
        watcher.start()
        try:
            yield self
        finally:
            enough.set()
            watcher.join()
            gc.callbacks.remove(self._collected)

    def _watch(self, enough: threading.Event) -> None:
        while not enough.wait(_LOOK_EVERY_S):
            if not self._in_step:
                continue
            began = self._began_cpu
            if (time.clock_gettime(self._clock) - began) * 1000 < self.limit_ms / 2:
                continue
            frame = sys._current_frames().get(self._thread)
            # The loop may have gone on to another step meanwhile.
            if frame is not None and self._in_step and began == self._began_cpu:
                self._seen = _places(_running_frames(frame))

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_began = time.perf_counter()
        elif threading.get_ident() == self._thread:
            self._gc_s += time.perf_counter() - self._gc_began

    # --- what came of it ----------------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """Return all of it, as JSON has it."""
        return {
            "limit_ms": self.limit_ms,
            "taken": self.taken,
            "count": self.count,
            "longest_ms": round(self.longest_ms, 1),
            "steps": [asdict(step) for step in self.steps],
        }

    def report(self, most: int = 20) -> str:
        """Return the longest ``most`` of them, each in a line, under a line that counts all."""
        return report(self.summary(), most)


def report(summary: dict[str, Any], most: int = 20) -> str:
    """Return what `Stalls.report` would, of a summary that came from another process."""
    steps = sorted((Step(**step) for step in summary["steps"]), key=lambda step: -step.cpu_ms)[:most]
    head = (
        f"{summary['count']} of {summary['taken']:,} steps took more than {summary['limit_ms']:g} ms of CPU; "
        f"the longest {summary['longest_ms']:.1f} ms"
    )
    return "\n".join([head, *map(str, steps)])


def _waiting_frames(task: trio.lowlevel.Task) -> list[tuple[str, int]]:
    found = []
    awaited: Any = task.coro
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            found.append((frame.f_code.co_filename, frame.f_lineno))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return found


def _running_frames(innermost: FrameType) -> list[tuple[str, int]]:
    found = []
    frame: FrameType | None = innermost
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno or 0))
        frame = frame.f_back
    return found[::-1]


def _places(frames: list[tuple[str, int]]) -> tuple[str, str]:
    """Return the innermost of ``frames`` (outermost first), and the innermost of ours."""
    ours = [at for at in frames if "/voice_trio/" in at[0]]
    return _name(frames[-1]) if frames else "", _name(ours[-1]) if ours else ""


def _name(at: tuple[str, int]) -> str:
    path, line = at
    for root in ("/site-packages/", "/lib/python3", "/voice_trio/"):
        if root in path:
            shown = path.rpartition(root)[2]
            return f"{'voice_trio/' if root == '/voice_trio/' else ''}{shown}:{line}"
    return f"{path}:{line}"


def run_command(arguments: list[str], limit_ms: float, file: Path | None) -> None:
    """Do what ``voice-trio`` does with ``arguments``, and say at the end which steps were long."""
    from voice_trio.cli import main

    stalls = Stalls(limit_ms, None if file is None else file.open("a"))
    run = trio.run
    # The command calls this, and takes no instruments.
    trio.run = cast("Any", functools.partial(run, instruments=[stalls]))
    sys.argv = ["voice-trio", *arguments]
    try:
        with stalls.watching():
            main()
    finally:
        trio.run = run
        print(stalls.report(), file=sys.stderr)


if __name__ == "__main__":
    import click

    @click.command(context_settings={"ignore_unknown_options": True})
    @click.option("--limit-ms", default=LIMIT_MS, show_default=True, help="The longest that a step may take.")
    @click.option("--file", type=click.Path(path_type=Path), help="Add a line of JSON for each longer one.")
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def cli(limit_ms: float, file: Path | None, arguments: tuple[str, ...]) -> None:
        """Run a command of voice-trio's and say which steps of its tasks were long."""
        run_command(list(arguments), limit_ms, file)

    cli()
