"""How an engine says that it cannot do what it was asked."""

from __future__ import annotations

from voice_trio.core.errors import Mendable
from voice_trio.core.messages import ErrorCode


class EngineError(Exception):
    """An engine could not do its part of a turn.

    ``code`` says which and in what way; ``message`` is shown to the person, so it holds no secrets, no traceback and
    nothing of what was said.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


TurnError = EngineError
"""What it was called before 0.2, for engines of others that raise it."""


class CannotLoad(Mendable):
    """An engine that the settings ask for cannot be had; the message says why and what to do."""
