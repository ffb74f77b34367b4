"""How a worker process is started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


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
