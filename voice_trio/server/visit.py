"""Work for one request that is no session: it has a place as one has, and ends as one does."""

from __future__ import annotations

import trio

from voice_trio.core.messages import DrainCode, InfoCode
from voice_trio.entry_points import Kind
from voice_trio.session.farewell import DRAINED


class Visit:
    """The work, as far as its place is concerned."""

    idle_since = None
    """It is at work for as long as it is there."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        """The work; it is cancelled where the server is stopping, or the place is needed."""
        self._ended_for: DrainCode | None = None

    def drain(self, grace_s: float, why: DrainCode = InfoCode.SHUTTING_DOWN) -> None:
        """Have it end within ``grace_s``."""
        self._ended_for = why
        self.scope.deadline = min(self.scope.deadline, trio.current_time() + grace_s)

    def make_way(self) -> None:
        """Have it end at once: the place is another's."""
        self.drain(0, InfoCode.PLACE_NEEDED)

    @property
    def why(self) -> str:
        """Why it was to end, in a sentence."""
        return DRAINED[self._ended_for or InfoCode.SHUTTING_DOWN].message

    def engines_changed(self, kind: Kind) -> None:
        """It goes on with those that it has leased."""
