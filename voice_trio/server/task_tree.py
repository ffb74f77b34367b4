"""The live task tree, for a person who wonders what a server is doing.

Trio knows every task's nurseries. A tool that reads them off the stack (stackscope) misses those that are entered by
hand, as Hypercorn enters a connection's, and with them every session.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trio

import voice_trio

_OURS = f"{Path(voice_trio.__file__).parent}{os.sep}"
"""The package's own folder: its name alone also stands in the path of a checkout with everything installed in it."""


def task_tree() -> str:
    """Return every live task under the one that holds its nursery, and where each waits; no values."""
    root = trio.lowlevel.current_root_task()
    return "\n".join(_lines(root, 0)) if root is not None else ""


def _lines(task: trio.lowlevel.Task, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{task.name}  {_where(task)}".rstrip()
    for nursery in task.child_nurseries:
        for child in sorted(nursery.child_tasks, key=lambda one: one.name):
            yield from _lines(child, depth + 1)


def _where(task: trio.lowlevel.Task) -> str:
    """Return the innermost line of our own code that ``task`` is in, or else its innermost line."""
    found = ""
    awaited: Any = task.coro
    while awaited is not None:
        # Coroutines and async generators' steps; whatever else is awaited has no frame.
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None and (not found or frame.f_code.co_filename.startswith(_OURS)):
            found = (
                f"{frame.f_code.co_filename.rpartition('site-packages/')[2]}:{frame.f_lineno} {frame.f_code.co_name}"
            )
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return found
