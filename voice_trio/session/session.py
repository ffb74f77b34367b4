"""One client's session: a nursery with a reader, a sender and the turns, one after another.

The reader acts on commands and never waits for anything but the next one. What it is told to do to a turn it does at
once; a turn that was asked for lies in a short queue until the one before it is over. The sender is the link's only
writer. A session ends in one way: the reader stops, the turn is ended, what is queued is sent, and the link is closed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog
import trio

from voice_trio.config import OUTBOX_ITEMS, OUTBOX_RESERVE
from voice_trio.core import messages as m
from voice_trio.core.messages import DrainCode, ErrorCode, InfoCode, Outcome, State
from voice_trio.core.playout import Playout
from voice_trio.core.rate import Strikes
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.core.turn_state import Verdict, judge
from voice_trio.engines.base import Engines
from voice_trio.entry_points import Kind
from voice_trio.memory.base import Store
from voice_trio.session.asr import SpokenLanguage
from voice_trio.session.capture import LATE, Capture
from voice_trio.session.claims import Claims
from voice_trio.session.echo import Echo
from voice_trio.session.farewell import DRAINED, Farewell, Goodbye
from voice_trio.session.floor import Floor
from voice_trio.session.greeting import changed, greeting
from voice_trio.session.link import Link, LinkClosed, Malformed
from voice_trio.session.listener import Listener, hear_in_turn
from voice_trio.session.outbox import Outbox
from voice_trio.session.report import report
from voice_trio.session.settings import SessionSettings, configured, still_offered
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.throttle import Throttle
from voice_trio.session.turn import Turn

log = structlog.get_logger()

_WAITING_TURNS = 4
"""Turns that may be asked for before the one before them is over, each but the last cancelled already."""

_FAREWELL_S = 5.0
"""How long a session that is over may take to send what is queued."""

_VIOLATIONS = 5, 10.0
"""So many messages in the wrong state within so many seconds are no mistake any more."""


class Session:
    """A session over ``link``. `run` lives as long as it does."""

    def __init__(
        self,
        link: Link,
        *,
        settings: SessionSettings,
        engines: Callable[[], Engines],
        store: Store,
        claims: Claims | None = None,
        wall_clock: Callable[[], float] = time.time,
        new_playout: Callable[[], Playout] | None = None,
    ) -> None:
        """``claims`` is shared by those that share ``store``; ``new_playout`` is for audio that is not to be paced."""
        self.id = secrets.token_urlsafe(12)
        self._link = link
        self._settings = settings
        self._outbox = Outbox(capacity=OUTBOX_ITEMS, reserve=OUTBOX_RESERVE, overflowed=self._give_up_on_peer)
        self._around = Surroundings(
            session=self.id,
            settings=settings,
            engines=engines,
            store=store,
            wall_clock=wall_clock,
            outbox=self._outbox,
            claims=claims or Claims(),
            throttle=Throttle(self._outbox, settings.send_queue_high),
            spoken=SpokenLanguage(),
            new_playout=new_playout or partial(Playout, lead_s=settings.playout_lead_ms / 1000),
        )
        self._listener = Listener(engines().new_detector())
        self._echo = Echo()
        self._floor = Floor(self._listen, settings, engines, self._add_turn, self._echo, self.id)
        self._listener.clean = self._echo.clean
        self._conversation = ""
        self._configured = m.Configure()
        self._turn: Turn | None = None
        """The latest turn asked for, which may still wait for the one before it."""
        self._turns_in, self._turns = trio.open_memory_channel[Turn](_WAITING_TURNS)
        self._violations = Strikes(*_VIOLATIONS)
        self._reading = trio.CancelScope()
        self._draining = trio.Event()
        self._drained_because: DrainCode = InfoCode.SHUTTING_DOWN
        self._grace_s = 0.0
        self._goodbye = Goodbye(Farewell.NORMAL)

    def drain(self, grace_s: float, why: DrainCode = InfoCode.SHUTTING_DOWN) -> None:
        """Begin the end: tell the client ``why``, let a reply finish within ``grace_s``, then close. Never waits."""
        if not self._draining.is_set():  # of two drains, the first one's reason counts
            self._drained_because = why
        self._grace_s = grace_s
        self._draining.set()

    def engines_changed(self, kind: Kind) -> None:
        """Tell the client which engines the turns to come start with; that of ``kind`` is another. Never waits."""
        engines = self._around.engines()
        self._floor.hands_free = self._floor.hands_free and still_offered(self._floor.hands_free, engines)
        self._configured = still_offered(self._configured, engines)
        if self._conversation:  # or else the greeting is yet to come, and tells of them
            self._outbox.append(changed(kind, engines))

    async def run(self) -> None:
        """Live the session, from the greeting to the close."""
        try:
            with self._turns_in, self._turns:
                await self._live()
        finally:
            self._around.claims.release(self.id)

    async def _live(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            try:
                await self._greet()
                async with trio.open_nursery() as inner:
                    inner.start_soon(self._read)
                    inner.start_soon(self._wait_drained)
                    inner.start_soon(self._floor.run)
                    inner.start_soon(self._echo.run)
                    async for turn in self._turns:
                        # What is logged in it bears its number.
                        with structlog.contextvars.bound_contextvars(turn=turn.number):
                            await turn.run()
                        if turn is self._turn:
                            self._floor.turn_over(turn)
                    inner.cancel_scope.cancel()
            except* Exception as group:
                self._outbox.append(report(group, session=self.id))
                self._goodbye = Goodbye(Farewell.INTERNAL, "internal error")
            self._outbox.close()
            nursery.cancel_scope.deadline = trio.current_time() + _FAREWELL_S
        with trio.move_on_after(_FAREWELL_S):
            await self._link.close(*self._goodbye)

    # --- the three tasks besides the turn -----------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            with self._reading:
                while True:
                    command = await self._link.receive()
                    if isinstance(command, m.Audio) and self._turn is not None:
                        await hear_in_turn(command.pcm, lambda part, of: self.act(m.Audio(part), of))
                    else:
                        self.act(command)
        except LinkClosed:
            self._outbox.abandon()
        except Malformed as error:
            self._say_violation(error.message, recoverable=False)
            self._goodbye = Goodbye(error.farewell, error.message)
        finally:
            # With nobody to ask for another, the present turn is the last.
            self._turns_in.close()
            self._floor.close()
            if self._turn is not None:
                self._turn.end(Outcome.CANCELLED)

    async def _send(self) -> None:
        try:
            while (event := await self._outbox.take()) is not None:
                self._echo.send(event)
                sent = None if self._turn is None else self._turn.sending(event)
                await self._link.send(event)
                if sent is not None:
                    sent()
        except LinkClosed:
            self._outbox.abandon()
            self._reading.cancel()

    async def _wait_drained(self) -> None:
        await self._draining.wait()
        self._say_draining()
        self._floor.close()
        if (turn := self._turn) is not None:
            if turn.state is State.CAPTURING:
                turn.end(Outcome.CANCELLED)
            with trio.move_on_after(self._grace_s):
                await turn.wait_over()
        self._goodbye = DRAINED[self._drained_because].goodbye
        self._reading.cancel()

    # --- commands: none of this waits ---------------------------------------------------------------------------------

    def act(self, command: m.Command, message_bytes: int = 0) -> None:
        """Act on a command that the reader, or the owner, has; audio is a part of ``message_bytes``. Never waits."""
        turn = self._turn
        standing = State.IDLE if turn is None else turn.state
        verdict = judge(standing, command)
        if verdict is Verdict.IGNORE:
            return
        match command:
            case _ if verdict is None:
                self._violate(f"{command.name} is not possible in state {standing}.")
            case m.Audio(pcm):
                assert turn is not None
                self._floor.attend(turn)
                if self._listener.feed(pcm, trio.current_time(), message_bytes) and not turn.ending:
                    self._outbox.append(LATE)  # It is too late for who speaks now.
                self._floor.hear(turn)
            case m.Start() | m.Text():
                self._begin(command)
            case m.Configure():
                self._configured = command
            case m.Stop() if turn is not None and turn.listening:
                self._listener.stop()
            case m.Cancel(turn=number):
                if number is None or (turn is not None and number == turn.number):
                    self._floor.leave()
                    if verdict is Verdict.ACT and turn is not None:
                        turn.end(Outcome.CANCELLED)
                        return
                self._outbox.append(m.Info(code=InfoCode.NOTHING_TO_CANCEL, message="There is no turn to cancel."))
            case m.Played(turn=number, samples=samples):
                if self._is_known(number) and turn is not None and number == turn.number:
                    turn.played(samples)
            case m.Sounding(turn=number) if number is None or self._is_known(number):
                self._echo.sounding(command, self._listener.position)
            case m.Mark(turn=number, marks=marks):
                if self._is_known(number):
                    log.info("latency_client", session_id=self.id, turn=number, marks=marks)

    def _begin(self, request: m.Start | m.Text) -> None:
        if self._draining.is_set():
            self._say_draining()
            return
        if self._turns_in.statistics().current_buffer_used >= _WAITING_TURNS:
            self._violate("Too many turns were begun and cancelled at once.")
            return
        self._floor.rest()
        if isinstance(request, m.Start):
            if request.echo == "none":
                self._echo.want()
            self._floor.hands_free = request if request.mode == "hands_free" else None
            self._add_turn(request, *self._listen(request, going_on=False))
        else:
            timeline = Timeline()
            timeline.first(Moment.ASKED, trio.current_time())
            self._add_turn(request, Capture(max_samples=0, patience_s=0.0), timeline)

    def _add_turn(self, request: m.Start | m.Text, capture: Capture, timeline: Timeline) -> Turn:
        number = 1 if self._turn is None else self._turn.number + 1
        conversation = request.conversation or self._conversation
        settings, request = configured(self._settings, request, self._configured)
        self._turn = Turn(replace(self._around, settings=settings), number, conversation, request, capture, timeline)
        self._turns_in.send_nowait(self._turn)
        return self._turn

    def _listen(self, request: m.Start, *, going_on: bool = True) -> tuple[Capture, Timeline]:
        settings, request = configured(self._settings, request, self._configured)
        return self._listener.listen_as(request, settings, going_on=going_on)

    def _is_known(self, number: int) -> bool:
        known = self._turn is not None and number <= self._turn.number
        if not known:
            self._violate(f"There has been no turn {number}.")
        return known

    # --- what the session itself says ---------------------------------------------------------------------------------

    async def _greet(self) -> None:
        self._conversation = await self._around.store.begin()
        self._around.claims.claim(self._conversation, self.id)
        for event in greeting(self.id, self._conversation, self._settings, self._around.engines()):
            self._outbox.append(event)

    def _violate(self, message: str) -> None:
        """Answer a message that came in the wrong state; too many of them end the session."""
        too_many = self._violations.strike(trio.current_time())
        self._say_violation(message, recoverable=not too_many)
        if too_many:
            self._goodbye = Goodbye(Farewell.WRONG_STATE, "too many messages in the wrong state")
            self._reading.cancel()

    def _say_violation(self, message: str, *, recoverable: bool) -> None:
        self._outbox.append(m.Error(code=ErrorCode.PROTOCOL_VIOLATION, message=message, recoverable=recoverable))

    def _say_draining(self) -> None:
        message = DRAINED[self._drained_because].message
        self._outbox.append(m.Info(code=self._drained_because, message=message, grace_s=self._grace_s))

    def _give_up_on_peer(self) -> None:
        self._goodbye = Goodbye(Farewell.SLOW_READER, "the client reads too slowly")
        self._reading.cancel()
