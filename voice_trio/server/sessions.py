"""The sessions that are live: where they begin, what ends them from outside, and how they all end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.core.places import Holder, Places
from voice_trio.core.playout import UnpacedPlayout, WholePlayout
from voice_trio.engines.base import Engines
from voice_trio.entry_points import Kind
from voice_trio.journal.journal import SessionLogs
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.server.addresses import client_of
from voice_trio.server.allowance import Allowance
from voice_trio.server.guard import GuardedLink
from voice_trio.server.metrics import Metrics
from voice_trio.server.seats import Seat, Seated, Visit
from voice_trio.server.turn_log import TurnLog
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Link
from voice_trio.session.report import TurnReport
from voice_trio.session.resumable import ResumableLink
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.skills.alerts_kept import Alerts, InProcessAlerts
from voice_trio.standing import standing_of
from voice_trio.toolbox.base import ServerTool

log = structlog.get_logger()

_CLOSING_S = 1.0
"""Beyond the grace for replies: what many clients that read need to take their goodbyes. The others are cut off."""

RETRY_AFTER_S = 15

STOPPING = "The server is stopping."

NO_ROOM = f"The server has no room for another session now. Try again in {RETRY_AFTER_S} seconds."


class Sessions:
    """Holds every live session, each in the task of the connection it came with, or of its own (see `Resumption`)."""

    def __init__(
        self,
        settings: Settings,
        engines: Callable[[], Engines],
        store: Store,
        session_logs: SessionLogs | None = None,
        claims: Claims | None = None,
        tools: Callable[[], Sequence[ServerTool]] = tuple,
        metrics: Metrics | None = None,
        alerts: Alerts | None = None,
        trace: Callable[[TurnReport], None] = lambda turn: None,
    ) -> None:
        """``session_logs`` records every session; ``claims`` says what other servers have of ``store``.

        ``tools`` returns those that the server has by now; ``metrics`` counts what happens; ``alerts`` are kept where
        ``store`` keeps turns; ``trace`` is told of each turn that is over.
        """
        self.leaving = False
        """Whether the server is about to stop, and yet serves as ever: nobody new should be sent here."""
        self.draining = False
        self.begun = 0
        """Sessions that had a place, and uploads."""
        self.refused = 0
        """Those there was none for."""
        self.resumed = 0
        """Times that a client came back to its session."""
        self.turn_log = TurnLog()
        self._metrics = metrics or Metrics()
        self._trace = trace
        self.uploads_coming = Places(settings.sessions, settings.sessions_per_address)
        """Uploads that are on their way, each for a session to come: a slow one keeps nobody from talking."""
        self._settings = settings
        self._engines = engines
        self._store = store
        self._claims = claims or Claims()
        self._tools = tools
        self._alerts = alerts or InProcessAlerts()
        self._new_session: Callable[..., Session | RecordedSession] = (
            Session if session_logs is None else session_logs.session
        )
        self._places = Places(settings.sessions, settings.sessions_per_address)
        self._live: set[Seated | Visit] = set()
        self._empty = trio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """Return how many have a place; one that makes way has none while it says goodbye."""
        return len(self._places)

    @property
    def most(self) -> int:
        """How many places there are."""
        return self._places.most

    @property
    def engines(self) -> Engines:
        """Those that what begins now is to lease."""
        return self._engines()

    @property
    def engines_ready(self) -> bool:
        """Whether a turn begun now would be heard and answered aloud."""
        return self._engines().ready

    def engines_changed(self, kind: Kind) -> None:
        """Tell every session that the turns to come start with another engine of ``kind``."""
        for guest in self._live:
            guest.engines_changed(kind)

    def open_turns(self) -> Sequence[Mapping[str, object]]:
        """Return the turns that are not over: session, number, state, since when, and what they wait for."""
        now = trio.current_time()
        return [
            {"session": id_, "turn": turn, "state": state, "for_s": round(now - since, 3), **standing_of(id_)}
            for seated in self._seated
            for id_ in [seated.session.id]
            for turn, (state, since) in seated.link.under_way.items()
        ]

    @property
    def detached(self) -> int:
        """How many have a client that is out of reach, and may come back."""
        return sum(seated.line is not None and seated.line.is_detached for seated in self._seated)

    @property
    def _seated(self) -> Iterator[Seated]:
        return (guest for guest in self._live if isinstance(guest, Seated))

    def have_room(self, address: str) -> bool:
        """Return whether a session could begin now for a client at ``address``."""
        return not self.draining and self._places.have_room(client_of(address))

    def check_room(self, address: str) -> None:
        """Raise `Refused` (SERVER_BUSY) where no session could begin now for a client at ``address``."""
        if not self.have_room(address):
            message = STOPPING if self.draining else NO_ROOM
            raise Refused(ErrorCode.SERVER_BUSY, message, retry_after_s=RETRY_AFTER_S)

    @asynccontextmanager
    async def seat(self, address: str, allowance: Allowance | None = None) -> AsyncIterator[Seat]:
        """Have a seat for a session of a client at ``address``, which need not know of it yet: see `hold`.

        A burst of what it does is paid for from ``allowance``. Raises `Refused` (SERVER_BUSY) where there is none.
        """
        if allowance is not None:
            await allowance.pay_for_session()
        seat = Seat(allowance)
        with self._placed(address, seat):
            yield seat

    async def hold(self, link: Link, seat: Seat, *, uploaded: bool = False, paced: bool = True) -> None:
        """Run a session over ``link`` on ``seat``: the edge beyond which no error of a session goes.

        With ``uploaded`` the person's words come whole, as an upload, and the reply goes back whole. Where it is not
        ``paced``, the reply's sound goes out as it is made.
        """
        if seat.lost or self.draining:
            await self._refuse(link)
            return
        settings = SessionSettings.of(self._settings)
        guarded = GuardedLink(link, self._settings, lambda: seat.allowance, self._metrics.said)
        session = self._new_session(
            guarded,
            settings=_for_uploads(settings) if uploaded else settings,
            engines=self._engines,
            store=self._store,
            tools=self._tools,
            claims=self._claims,
            alerts=self._alerts,
            new_playout=WholePlayout if uploaded else None if paced else UnpacedPlayout,
            count=self._turn_over,
        )
        seated = Seated(session, guarded, link if isinstance(link, ResumableLink) else None)
        with structlog.contextvars.bound_contextvars(session_id=session.id), self._among_live(seated):
            seat.take(seated)
            log.info("session begins", live=len(self._live))
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._end_in_time, seated)
                    await session.run()
                    nursery.cancel_scope.cancel()
            except* Exception as group:
                log.error("session crashed", exc_info=group)
                await link.close(Farewell.INTERNAL, "internal error")
            finally:
                log.info("session ends", live=len(self._live) - 1)

    @asynccontextmanager
    async def visit(self, address: str, allowance: Allowance | None = None) -> AsyncIterator[Visit]:
        """Have a place for work that is no session, for a client at ``address``.

        Raises `Refused` (SERVER_BUSY) where there is none.
        """
        if allowance is not None:
            await allowance.pay_for_session()
        visit = Visit()
        with self._placed(address, visit), self._among_live(visit):
            yield visit

    @contextmanager
    def _placed(self, address: str, holder: Holder) -> Iterator[None]:
        """Have a place for ``holder``, of a client at ``address``. Raises `Refused`, and counts that."""
        try:
            # Nobody comes between this and the place: there is no checkpoint.
            self.check_room(address)
        except Refused as refused:
            self.refused += 1
            log.warning("session refused", reason=refused.message, live=len(self._live))
            raise
        with self._places.hold(client_of(address), holder):
            yield

    @contextmanager
    def _among_live(self, guest: Seated | Visit) -> Iterator[None]:
        """Count ``guest``, which has a place, among those that are live."""
        if not self._live:
            self._empty = trio.Event()
        self._live.add(guest)
        self.begun += 1
        try:
            yield
        finally:
            self._live.discard(guest)
            if not self._live:
                self._empty.set()

    async def drain(self) -> None:
        """End all sessions as gently as the settings allow, and return when there are none, or none that listens."""
        self.draining = True
        grace_s = self._settings.shutdown_grace_s
        self.uploads_coming.clear()
        for guest in self._live:
            guest.drain(grace_s)
        with trio.move_on_after(grace_s + _CLOSING_S):
            await self.wait_empty()

    async def wait_empty(self) -> None:
        """Wait until no session is live."""
        await self._empty.wait()

    async def _end_in_time(self, seated: Seated) -> None:
        why = await seated.link.wait_enough()
        # A reply may finish at the limit; where nothing was said for long, there is none.
        seated.drain(self._settings.shutdown_grace_s if why is InfoCode.SESSION_LIMIT else 0, why)

    def _turn_over(self, turn: TurnReport) -> None:
        self._metrics.turn_over(turn)
        self.turn_log.turn_over(turn)
        self._trace(turn)

    async def _refuse(self, link: Link) -> None:
        """Tell a client that was let in that its seat was gone before it sat down."""
        self.refused += 1
        log.warning("session refused: its place was needed before it began", live=len(self._live))
        await tell_no_room(link, STOPPING if self.draining else NO_ROOM)


async def tell_no_room(link: Link, message: str) -> None:
    """Tell a client whose handshake was answered already that there is no session for it."""
    error = m.Error(code=ErrorCode.SERVER_BUSY, message=message, recoverable=False, retry_after_s=RETRY_AFTER_S)
    await link.send(error)
    await link.close(Farewell.NO_ROOM, "busy")


def _for_uploads(settings: SessionSettings) -> SessionSettings:
    """Return ``settings`` with time to recognise what nobody could begin to recognise while it was spoken."""
    asr_timeout_s = settings.asr_timeout_s + settings.max_utterance_ms / 1000
    return replace(settings, asr_timeout_s=asr_timeout_s)
