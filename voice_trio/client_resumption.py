"""What it takes a client to come back to a session whose connection is lost, as docs/protocol.md says. No I/O."""

from __future__ import annotations

from collections import deque
from typing import Final

from voice_trio.core import messages as m

BEGIN: Final = "resume"
"""The subprotocol that asks for a session which outlives its connections."""

_MOST_KEPT: Final = 3_000
_MOST_BYTES: Final = 960_000
"""What is kept in case that it did not arrive: half a minute of a voice, in packets of 20 ms or as it is, and as many
words of what sounded meanwhile."""


class Resumption:
    """One session, over all its connections."""

    def __init__(self) -> None:
        self.name = ""
        """The session's secret name; empty where it ends with its connection."""
        self.waits_s = 0.0
        """How long the server keeps it for us."""
        self._seq = 0
        self._said = 0
        self._kept: deque[str | bytes] = deque()
        self._bytes = 0

    @property
    def offer(self) -> str:
        """The subprotocol with which a connection goes on with this session."""
        return f"{BEGIN}.{self._seq}.{self.name}"

    def greeted(self, greeting: m.SessionOpened) -> None:
        """Take the session's first event."""
        self.name, self.waits_s = greeting.resume or "", greeting.resume_s or 0.0

    def came(self) -> None:
        """Count a message of the session's."""
        self._seq += 1

    def keep(self, message: str | bytes) -> None:
        """Count ``message``, which is sent now, or would be, and keep it."""
        self._said += 1
        self._kept.append(message)
        self._bytes += _sound(message)
        while len(self._kept) > _MOST_KEPT or self._bytes > _MOST_BYTES:
            self._bytes -= _sound(self._kept.popleft())

    def take_back(self) -> None:
        """The message that was kept last was not sent, and never will be."""
        if self._kept:
            self._bytes -= _sound(self._kept.pop())
            self._said -= 1

    def lacking(self, received: int) -> list[str | bytes]:
        """Return what the server does not have, which has ``received`` messages; of what is no longer kept, nothing."""
        missing = max(0, min(self._said - received, len(self._kept)))
        # It never counts what it will not get: or the next time it would be sent again what it has.
        self._said = received + missing
        return [*self._kept][len(self._kept) - missing :]


def _sound(message: str | bytes) -> int:
    return 0 if isinstance(message, str) else len(message)
