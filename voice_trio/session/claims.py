"""Which live session has which conversation."""

from __future__ import annotations


class Claims:
    """A conversation belongs to one live session at a time: two would remember each other's turns out of order."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    def claim(self, conversation: str, session: str) -> bool:
        """Give ``conversation`` to ``session`` until it releases; False where another has it."""
        return self._holders.setdefault(conversation, session) == session

    def release(self, session: str) -> None:
        """Take back all that ``session`` has."""
        self._holders = {key: holder for key, holder in self._holders.items() if holder != session}
