"""How much may come how fast: the token bucket.

A bucket holds ``capacity`` tokens and is refilled at ``per_s`` tokens a second of whatever clock it is shown. A sender
that takes more than is in it is too fast. It allows any burst up to its capacity, and in the long run its rate.
"""

from __future__ import annotations

from collections import deque


class TokenBucket:
    """A bucket that is full when first used, or holds ``level``. Times are seconds that never run back."""

    def __init__(self, capacity: float, per_s: float, level: float | None = None) -> None:
        self.per_s = per_s
        """May be changed; what flowed in until the next use is reckoned at the rate of that moment."""
        self._capacity = capacity
        self._level = capacity if level is None else level
        self._at_s: float | None = None

    def take(self, amount: float, now_s: float, *, leave: float = 0.0) -> bool:
        """Take ``amount`` at ``now_s``; False, and nothing taken, if it is not there beside what is to ``leave``."""
        self._refill(now_s)
        if amount > self._level - leave:
            return False
        self._level -= amount
        return True

    def owe(self, amount: float, now_s: float) -> float:
        """Take ``amount`` at ``now_s`` whether or not it is there; return in how many seconds it will have been."""
        self._refill(now_s)
        self._level -= amount
        return max(0.0, -self._level / self.per_s)

    def give(self, amount: float) -> None:
        """Put ``amount`` in, for once beyond the capacity as well."""
        self._level += amount

    def is_full(self, now_s: float) -> bool:
        """Return whether it is as a new one would be."""
        self._refill(now_s)
        return self._level >= self._capacity

    def _refill(self, now_s: float) -> None:
        if self._at_s is not None and self._level < self._capacity:
            self._level = min(self._capacity, self._level + (now_s - self._at_s) * self.per_s)
        self._at_s = now_s


class Strikes:
    """Counts what may happen now and then, and not ``most`` times within ``within_s`` seconds."""

    def __init__(self, most: int, within_s: float) -> None:
        self._within_s = within_s
        self._struck: deque[float] = deque(maxlen=most)

    def strike(self, now: float) -> bool:
        """Count one, at ``now`` in seconds; return whether that is once too often."""
        self._struck.append(now)
        return len(self._struck) == self._struck.maxlen and now - self._struck[0] <= self._within_s
