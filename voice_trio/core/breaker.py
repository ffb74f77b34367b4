"""When a far end that fails is left alone, and when it is tried again.

A circuit breaker: after `MOST_FAILURES` in a row nothing is asked of it for a while. Then one call tries it, and the
others still do without; if that one works, all ask it again, and if not, it rests twice as long. Whoever asks may
disregard a rest, where nothing else stands by, but not what the far end itself asks for: to be left alone for so many
seconds (Retry-After).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Final

MOST_FAILURES: Final = 3
"""In a row; then it rests."""
FIRST_REST_S: Final = 5.0
LONGEST_REST_S: Final = 60.0
LONGEST_BUSY_S: Final = 300.0
"""For so long it is left alone at most, whatever it asks for."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of one far end. Times are seconds of any one clock."""

    failures: int = 0
    """In a row."""
    rest_s: float = 0.0
    """How long the latest rest is; 0.0 for one that works."""
    rests_until: float = -inf
    busy_until: float = -inf
    """Until then it asked to be left alone."""
    trying: bool = False
    """Whether a call is on its way that tries whether it works again."""

    @property
    def works(self) -> bool:
        """Whether everybody asks it."""
        return self.rest_s == 0.0

    def asks_at(self, now: float, *, even_at_rest: bool = False) -> float:
        """Return from when on a call may be made; infinity while another one tries it."""
        if self.works or even_at_rest:
            return max(now, self.busy_until)
        return inf if self.trying else max(now, self.rests_until, self.busy_until)

    def asked(self) -> Breaker:
        """Return what it is once a call is made."""
        return self if self.works else replace(self, trying=True)

    def dropped(self) -> Breaker:
        """Return what it is after a call that was given up before it said anything."""
        return replace(self, trying=False)

    def worked(self) -> Breaker:
        """Return what it is after a call that was answered."""
        return Breaker(busy_until=self.busy_until)

    def failed(self, now: float) -> Breaker:
        """Return what it is after a call that failed."""
        failures = self.failures + 1
        if self.works and failures < MOST_FAILURES:
            return replace(self, failures=failures)
        if not self.works and not self.trying:
            # A call that was made before it rested says nothing new.
            return replace(self, failures=failures)
        rest_s = min(2 * self.rest_s or FIRST_REST_S, LONGEST_REST_S)
        return replace(self, failures=failures, rest_s=rest_s, rests_until=now + rest_s, trying=False)

    def asked_to_wait(self, now: float, seconds: float) -> Breaker:
        """Return what it is after a call that it took for too much, to be made again in ``seconds`` at the soonest."""
        return replace(self, busy_until=max(self.busy_until, now + min(seconds, LONGEST_BUSY_S)), trying=False)
