"""A wait that can be cancelled and gone on with."""

from __future__ import annotations

import trio


class Wait:
    """Waits so many seconds from when it was first asked to, however often it is cancelled and asked again."""

    def __init__(self) -> None:
        self._until: float | None = None

    async def __call__(self, seconds: float) -> None:
        """Wait; once it was waited, the next wait is another one."""
        if self._until is None:
            self._until = trio.current_time() + seconds
        await trio.sleep_until(self._until)
        self._until = None
