"""What a client asked for and does not get, by no fault of ours."""

from __future__ import annotations

from voice_trio.core.messages import ErrorCode


class Refused(Exception):
    """What was asked for cannot be done here, or not now.

    ``message`` is shown to the person: it says what was wrong and what to do, and holds no secrets.
    ``retry_after_s`` is there where the same would do at another time.
    """

    def __init__(self, code: ErrorCode, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
