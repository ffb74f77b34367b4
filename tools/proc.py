"""What the kernel says of a process and of the machine (Linux)."""

from __future__ import annotations

import os
import resource
from pathlib import Path


def machine() -> str:
    """Return how many cores this process may use, and how busy they are: a figure means nothing without."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    said = f"{len(os.sched_getaffinity(0))} CPU cores, load average {os.getloadavg()[0]:.1f}"
    return f"{said}, at niceness {nice}" if nice else said


def held_by(pid: int) -> dict[str, int]:
    """Return resident bytes, and how many threads, child processes and open files ``pid`` has. Raises OSError."""
    proc = Path("/proc") / str(pid)
    tasks = os.listdir(proc / "task")
    children = 0
    for task in tasks:
        try:
            children += len((proc / "task" / task / "children").read_text().split())
        except OSError:
            # A thread that has just ended.
            continue
    return {
        "rss_bytes": int((proc / "statm").read_text().split()[1]) * resource.getpagesize(),
        "threads": len(tasks),
        "processes": children,
        "files": len(os.listdir(proc / "fd")),
    }
