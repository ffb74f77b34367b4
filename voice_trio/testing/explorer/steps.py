"""Trio's steps, numbered: a run that can be repeated step by step, and stopped before any one of them to do something.

A step is what a task does from one checkpoint to the next, so whatever happens to a task from outside happens between
two of them. Trio shuffles the order in which tasks that are ready take their steps; here the shuffle is seeded, so that
the same seed gives the same steps, in the same order, in any process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import trio

_TRIO = str(Path(trio.__file__).parent)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Have every `trio.run` in the block shuffle its tasks as ``seed`` says. It is for one run at a time."""
    # Trio has no public way to ask for this; Hypothesis and pytest-trio do the same.
    trio_run: Any = cast(Any, trio)._core._run
    chance: random.Random = trio_run._r
    before = trio_run._ALLOW_DETERMINISTIC_SCHEDULING, chance.getstate()
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True
    chance.seed(seed)
    try:
        yield
    finally:
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING = before[0]
        chance.setstate(before[1])


class Steps(trio.abc.Instrument):
    """Counts the steps of all tasks, from 1 on, between `begin` and `end`."""

    def __init__(self, *, at: int | None = None, trace: bool = False) -> None:
        """Call `act` right before step ``at``. With ``trace``, note where every task stood before its step."""
        self.count = 0
        self.places: list[str] = []
        """With ``trace``, one for each step so far; else the one of step ``at``."""
        self.act: Callable[[], None] | None = None
        self.error: Exception | None = None
        """What `act` raised."""
        self.limit: tuple[int, trio.CancelScope] | None = None
        """A number of steps, and the scope that is cancelled when there are more."""
        self._at = at
        self._trace = trace
        self._counting = False

    def begin(self) -> None:
        """Count from the next step on."""
        self._counting = True

    def end(self) -> None:
        """Count no more."""
        self._counting = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count the step that ``task`` is about to take."""
        if not self._counting:
            return
        self.count += 1
        if self._trace or self.count == self._at:
            self.places.append(place(task))
        if self.count == self._at and self.act is not None:
            # Trio would log what an instrument raises and go on without it.
            try:
                self.act()
            except Exception as error:
                self.error = error
        if self.limit is not None and self.count > self.limit[0]:
            self.limit[1].cancel()


def place(task: trio.lowlevel.Task) -> str:
    """Return where ``task`` stands, as "task: file:line function": the innermost frame that is not Trio's own."""
    where = ""
    for frame, line in task.iter_await_frames():
        code = frame.f_code
        if not code.co_filename.startswith(_TRIO):
            where = f": {Path(code.co_filename).name}:{line} {code.co_qualname}"
    return task.name.rpartition(".")[2] + where
