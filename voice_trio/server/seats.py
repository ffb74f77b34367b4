"""What holds one of a server's places: a session, from before its handshake on, or the work for a request."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
import trio

from voice_trio.core.messages import DrainCode, InfoCode
from voice_trio.entry_points import Kind
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.server.allowance import Allowance
from voice_trio.server.guard import GuardedLink
from voice_trio.session.farewell import DRAINED
from voice_trio.session.resumable import ResumableLink
from voice_trio.session.session import Session

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Seated:
    """A session that is live, and its link."""

    session: Session | RecordedSession
    link: GuardedLink
    line: ResumableLink | None
    """The link again, where it outlives its socket."""

    def drain(self, grace_s: float, why: DrainCode = InfoCode.SHUTTING_DOWN) -> None:
        """Have it end, and a reply finish within ``grace_s``, if there is somebody to hear it."""
        self.session.drain(grace_s, why)
        if self.line is not None:
            # Nobody could come back to it any more.
            self.line.hurry()

    def engines_changed(self, kind: Kind) -> None:
        """Tell its client."""
        self.session.engines_changed(kind)


class Seat:
    """A place for one session. It is had before the handshake is answered, so that nobody is let in for nothing."""

    def __init__(self, allowance: Allowance | None) -> None:
        self.allowance = allowance
        """What a burst of the session's is paid from; another's, where its client comes back by another connection."""
        self.lost = False
        """Whether it was given to another client before the session sat down."""
        self._seated: Seated | None = None

    def take(self, seated: Seated) -> None:
        """Have a session sit down."""
        self._seated = seated

    @property
    def idle_since(self) -> float | None:
        """Since when the session has had nothing to do; None while it has, and before it began."""
        return None if self._seated is None else self._seated.link.idle_since

    def make_way(self) -> None:
        """Leave: the place is another's."""
        if self._seated is None:
            self.lost = True
            return
        log.info("session makes way", session_id=self._seated.session.id)
        self._seated.drain(0, InfoCode.PLACE_NEEDED)


class Visit:
    """Work for one request that is no session: it has a place as one has, and ends as one does."""

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
