"""What a client is answered that breaks the rules, and when it has broken too many."""

from __future__ import annotations

from collections.abc import Callable

import trio

from voice_trio.core.messages import Error, ErrorCode
from voice_trio.core.rate import Strikes
from voice_trio.session.outbox import Outbox

_MANY = 5, 10.0
"""So many messages in the wrong state within so many seconds are no mistake any more."""


class Violations:
    """Those of one session."""

    def __init__(self, outbox: Outbox, give_up: Callable[[], None]) -> None:
        """``give_up`` is called when there are too many of them."""
        self._outbox = outbox
        self._give_up = give_up
        self._strikes = Strikes(*_MANY)

    def answer(self, message: str) -> None:
        """Answer a message that came in the wrong state; too many of them end the session."""
        too_many = self._strikes.strike(trio.current_time())
        self.say(message, recoverable=not too_many)
        if too_many:
            self._give_up()

    def say(self, message: str, *, recoverable: bool) -> None:
        """Say what was wrong, and whether the session goes on."""
        error = Error(code=ErrorCode.PROTOCOL_VIOLATION, message=message, recoverable=recoverable)
        self._outbox.append(error)
