"""Fewer partials for a client that reads slowly: not their sending is saved, but the decoding."""

from __future__ import annotations

from voice_trio.core.messages import Info, InfoCode
from voice_trio.session.outbox import Outbox

_EVERY = 3
"""Of so many partials one is made while the client cannot keep up."""


class Throttle:
    """A session's. It says when thinning begins and ends, and none of it waits."""

    def __init__(self, outbox: Outbox, high: int) -> None:
        """More than ``high`` events waiting in ``outbox`` mean that the client cannot keep up."""
        self._outbox = outbox
        self._high = high
        self._active = False
        self._asked = 0

    def allows_partial(self) -> bool:
        """Return whether the next partial is to be made."""
        if len(self._outbox) <= self._high:
            self.release()
            return True
        if not self._active:
            self._active = True
            self._say("The connection is slow: fewer partials.")
        self._asked = (self._asked + 1) % _EVERY
        return self._asked == 0

    def release(self) -> None:
        """Go back to every partial, and say so if it was otherwise: the client has caught up, or the turn is over."""
        self._asked = 0
        if self._active:
            self._active = False
            self._say("Partials come at their usual pace again.")

    def _say(self, message: str) -> None:
        self._outbox.append(Info(code=InfoCode.THROTTLED, message=message, active=self._active))
