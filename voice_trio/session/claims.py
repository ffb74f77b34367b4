"""Which live session has which conversation."""

from __future__ import annotations

from voice_trio.memory.base import Holds


class Claims:
    """A conversation belongs to one live session at a time: two would remember each other's turns out of order."""

    def __init__(self, holds: Holds | None = None) -> None:
        """``holds`` keeps other processes away from what is claimed here; without it, there are none."""
        self._holders: dict[str, str] = {}
        self._holds = holds

    def claim(self, conversation: str, session: str) -> bool:
        """Give ``conversation`` to ``session`` until it releases; False where another has it, in whatever process."""
        if self._holders.get(conversation, session) != session:
            return False
        if self._holds is not None and not self._holds.hold(conversation):
            return False
        self._holders[conversation] = session
        return True

    def release(self, session: str) -> None:
        """Take back all that ``session`` has."""
        for conversation in [key for key, holder in self._holders.items() if holder == session]:
            del self._holders[conversation]
            if self._holds is not None:
                self._holds.let_go(conversation)
