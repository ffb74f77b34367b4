"""Where things stand in a process that serves: what waits in which queue, and what is waited for. Looked up when asked.

Whoever has a queue, or waits, says so for as long as it does; what is said by the tasks of a session is told of that
session. Only names of ours and numbers are told, no values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog


@dataclass(frozen=True, slots=True, eq=False)
class _Queue:
    name: str
    session: str | None
    depth: Callable[[], int]


@dataclass(frozen=True, slots=True, eq=False)
class _Wait:
    name: str
    session: str | None


_queues: Final[set[_Queue]] = set()
_waits: Final[dict[_Wait, None]] = {}
"""In the order in which they began."""

QUEUES: Final = ("outbox", "phrases", "audio_ms", "decodes")
"""Events for a client, phrases for the voice, milliseconds of speech for the recognizer, decodes for a thread."""


@contextmanager
def queued(name: str, depth: Callable[[], int]) -> Iterator[None]:
    """Say that there is a queue, one of `QUEUES`, and how much is in it when somebody asks."""
    queue = _Queue(name, _session(), depth)
    _queues.add(queue)
    try:
        yield
    finally:
        _queues.remove(queue)


@contextmanager
def awaited(name: str) -> Iterator[None]:
    """Say that this task waits for what is called so."""
    wait = _Wait(name, _session())
    _waits[wait] = None
    try:
        yield
    finally:
        del _waits[wait]


def depths() -> Mapping[str, Sequence[int]]:
    """Return how much is in each queue, by its name; every name is there."""
    found: dict[str, list[int]] = {name: [] for name in QUEUES}
    for queue in _queues:
        found[queue.name].append(queue.depth())
    return found


def standing_of(session: str) -> Mapping[str, object]:
    """Return how a session stands: ``queues`` that are not empty, with what is in them, and what ``waits`` it has."""
    full: dict[str, int] = {}
    for queue in _queues:
        if queue.session == session and (depth := queue.depth()):
            full[queue.name] = full.get(queue.name, 0) + depth
    return {"queues": full, "waits": [*dict.fromkeys(wait.name for wait in _waits if wait.session == session)]}


def _session() -> str | None:
    return structlog.contextvars.get_contextvars().get("session_id")
