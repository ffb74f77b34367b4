"""What a run of Trio left behind: threads, processes, files, channels, tokens, and what Python warns of."""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trio

_PROC = Path("/proc/self")


@contextmanager
def watching() -> Iterator[list[str]]:
    """Yield a list that holds, after the block, a line for each thing that the block left behind.

    What holds no thread, process or file is only seen if the block made it. Linux only, as far as files and processes
    are concerned. Garbage is collected, so many of these belong into one `little_garbage`.
    """
    left: list[str] = []
    before = _standing()
    borrowed = tokens_held()
    pairs: list[tuple[Any, Any]] = []
    with warnings.catch_warnings(record=True) as warned, _unraisable(left), _noting_channels(pairs):
        warnings.simplefilter("always")
        yield left
        gc.collect()
    left += [f"{w.category.__name__}: {w.message}" for w in warned]
    left += [f"left: {what}" for what in sorted(_standing() - before)]
    left += [
        f"a limiter of which {limiter.borrowed_tokens} tokens are held"
        for limiter in tokens_held()
        if limiter.borrowed_tokens > borrowed.get(limiter, 0)
    ]
    for ends in pairs:
        for end, name in zip(ends, ("send", "receive"), strict=True):
            opened = getattr(end.statistics(), f"open_{name}_channels")
            if opened:
                left.append(f"a memory channel whose {name} end is open: {end!r}")


@contextmanager
def little_garbage() -> Iterator[None]:
    """Have the collector look only at what is made in the block: that makes `watching` a hundred times faster."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def tokens_held() -> dict[trio.CapacityLimiter, float]:
    """Return how many tokens of each limiter somebody has, where it is any."""
    limiters = [o for o in gc.get_objects() if type(o) is trio.CapacityLimiter]
    return {limiter: limiter.borrowed_tokens for limiter in limiters if limiter.borrowed_tokens}


def _standing() -> set[str]:
    """Return a line for each thread, process and open file of ours."""
    # Trio keeps its threads for a while after their work, under a name of their own.
    threads = {t.name for t in threading.enumerate() if not t.name.startswith("Trio thread ")}
    standing = {f"thread {name}" for name in threads}
    if not _PROC.exists():
        return standing
    for task in (_PROC / "task").iterdir():
        # A thread may end while we look at it.
        try:
            standing |= {f"process {pid}" for pid in (task / "children").read_text().split()}
        except OSError:
            continue
    for file in os.listdir(_PROC / "fd"):
        try:
            standing.add(f"file {file} {os.readlink(_PROC / 'fd' / file)}")
        except OSError:
            continue
    return standing


@contextmanager
def _noting_channels(pairs: list[tuple[Any, Any]]) -> Iterator[None]:
    """Put both ends of every memory channel that is opened in the block into ``pairs``."""
    kind: Any = trio.open_memory_channel
    original = kind.__new__

    def noting(cls: Any, max_buffer_size: float) -> tuple[Any, Any]:
        pair: tuple[Any, Any] = original(cls, max_buffer_size)
        pairs.append(pair)
        return pair

    kind.__new__ = noting
    try:
        yield
    finally:
        kind.__new__ = original


@contextmanager
def _unraisable(left: list[str]) -> Iterator[None]:
    """Put into ``left`` what is raised where nobody can catch it, for example in a finalizer."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda args: left.append(f"raised in {args.object!r}: {args.exc_value!r}")
    try:
        yield
    finally:
        sys.unraisablehook = before
