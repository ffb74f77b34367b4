"""A clock for a server that may be stopped: what a process did not live through does not count.

A process is stopped by SIGSTOP, a container is frozen, a virtual machine is suspended. As it goes on, every deadline
that passed meanwhile would be over at once, and every client, worker and language model would be taken for gone before
anybody had a chance to hear from it. All of Trio's time limits look at one clock, so it is the clock that leaves the
standstill out: the loop looks at it at least once in `_TICK_S`, and what lies between two looks is time lived through
only if it is about that long.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
import trio

log = structlog.get_logger()

_TICK_S = 1.0
"""The longest that the loop sleeps without a look at the clock."""

_LONGEST_S = 5.0
"""The longest between two looks that a busy machine explains."""


class LivedClock(trio.abc.Clock):
    """Seconds that this process lived through."""

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        """``read`` returns seconds that never run back, and go on while the process stands still."""
        self._read = read
        self._looked_at = read()
        self.stood_still_s = 0.0
        """How long the process stood still so far."""

    def start_clock(self) -> None:
        """Begin now: what was before the loop is no standstill."""
        self._looked_at = self._read()

    def current_time(self) -> float:
        """Return the seconds since a moment that means nothing."""
        now = self._read()
        since_s = now - self._looked_at
        self._looked_at = now
        if since_s > _LONGEST_S:
            self.stood_still_s += since_s - _TICK_S
            log.warning("the server stood still", seconds=round(since_s, 1))
        return now - self.stood_still_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Return how long the loop may sleep until it looks again."""
        return min(deadline - self.current_time(), _TICK_S)


def stood_still_s() -> float:
    """Return how long this process stood still so far, where a `LivedClock` knows."""
    clock = trio.lowlevel.current_clock()
    return clock.stood_still_s if isinstance(clock, LivedClock) else 0.0
