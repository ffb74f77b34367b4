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


def cpu_s_of(pid: int) -> float:
    """Return the CPU time of ``pid`` and of the processes below it that live, and of those it has reaped, in s.

    Raises OSError where ``pid`` is no more.
    """
    proc = Path("/proc") / str(pid)
    # What stands before the last bracket may hold anything: it is the program's name.
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    total = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    for task in os.listdir(proc / "task"):
        try:
            children = (proc / "task" / task / "children").read_text().split()
            total += sum(cpu_s_of(int(child)) for child in children)
        except OSError:
            # A thread or a process that has just ended.
            continue
    return total
