"""How much may come how fast: the token bucket.

A bucket holds ``capacity`` tokens and is refilled at ``per_s`` tokens a second of whatever clock it is shown. Whoever
takes more than is in it comes too fast. It allows any burst up to its capacity, and in the long run its rate.
"""

from __future__ import annotations


class TokenBucket:
    """A bucket that is full when first used."""

    def __init__(self, capacity: float, per_s: float) -> None:
        self._capacity = capacity
        self._per_s = per_s
        self._level = capacity
        self._at_s: float | None = None

    def take(self, amount: float, now_s: float) -> bool:
        """Take ``amount`` at ``now_s``, seconds that never run back; False, and nothing taken, if it is not there."""
        if self._at_s is not None:
            self._level = min(self._capacity, self._level + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if amount > self._level:
            return False
        self._level -= amount
        return True
