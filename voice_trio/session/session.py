"""One client's session: a nursery with a reader, a sender and the turns, one after another.

The reader acts on commands and never waits for anything but the next one. What it is told to do to a turn it does at
once; a turn that was asked for lies in a short queue until the one before it is over. The sender is the link's only
writer. A session ends in one way: the reader stops, the turn is ended, what is queued is sent, and the link is closed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
import trio

from voice_trio.config import OUTBOX_ITEMS, OUTBOX_RESERVE
from voice_trio.core import messages as m
from voice_trio.core.messages import DrainCode, InfoCode, Outcome, State
from voice_trio.core.playout import Playout
from voice_trio.core.timeline import Timeline
from voice_trio.core.turn_state import Verdict, judge
from voice_trio.engines.base import Engines
from voice_trio.entry_points import Kind
from voice_trio.memory.base import Store
from voice_trio.memory.holds import Claims
from voice_trio.session.apart import NOTHING_TO_CANCEL, Apart
from voice_trio.session.bursts import hear_in_turn
from voice_trio.session.capture import Capture
from voice_trio.session.conversation import Conversation
from voice_trio.session.cuts import Cuts
from voice_trio.session.echo import Echo
from voice_trio.session.ending import LATE
from voice_trio.session.farewell import DRAINED, Farewell, Goodbye
from voice_trio.session.floor import Floor
from voice_trio.session.greeting import changed, greeting
from voice_trio.session.link import Link, LinkClosed, Malformed
from voice_trio.session.listener import Listener
from voice_trio.session.outbox import Outbox
from voice_trio.session.recollection import try_claim
from voice_trio.session.report import Reports, TurnReport, Violations, report
from voice_trio.session.settings import SessionSettings, configured, still_offered
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.throttle import Throttle
from voice_trio.session.turns import Turns, nothing_said
from voice_trio.skills.alerts_kept import Alerts, InProcessAlerts
from voice_trio.standing import queued
from voice_trio.toolbox.base import ServerTool

log = structlog.get_logger()

_FAREWELL_S = 5.0
"""How long a session that is over may take to send what is queued."""


class Session:
    """A session over ``link``. `run` lives as long as it does."""

    def __init__(
        self,
        link: Link,
        *,
        settings: SessionSettings,
        engines: Callable[[], Engines],
        store: Store,
        tools: Callable[[], Sequence[ServerTool]] = tuple,
        claims: Claims | None = None,
        alerts: Alerts | None = None,
        wall_clock: Callable[[], float] = time.time,
        new_playout: Callable[[], Playout] | None = None,  # for audio that is not to be paced
        count: Callable[[TurnReport], None] = lambda turn: None,  # is told of each turn that is over
    ) -> None:
        """``tools`` returns those that the server has by now; who shares ``store`` shares ``claims`` and ``alerts``."""
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
            alerts=alerts or InProcessAlerts(),
            throttle=Throttle(self._outbox, settings.send_queue_high),
            tools=tools,
            new_playout=new_playout or partial(Playout, lead_s=settings.playout_lead_ms / 1000),
            reports=Reports(self.id, logged=settings.log_latency, count=count),
        )
        self._listener = Listener(engines().new_detector())
        self._echo, self._cuts = Echo(), Cuts(store, self.id)
        self._turns = Turns(self._around, settings, Conversation("", self._cuts.add))
        turns, interrupt = self._turns, partial(self._turns.end_replies, Outcome.INTERRUPTED)
        self._floor = Floor(
            self._listen, settings, engines, turns.begin, turns.is_heard, interrupt, self._echo, self.id
        )
        self._listener.clean = self._echo.clean
        self._listener.is_eager = lambda: self._floor.would_hold(turns.latest)
        self._violations = Violations(self._outbox, self._give_up_on_rules)
        self._reading = trio.CancelScope()
        self._draining = ending = trio.Event()
        self._apart = Apart(self._around, self._turns, self._floor, self._listener, self._echo, ending.is_set)
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
        self._turns.configured = still_offered(self._turns.configured, engines)
        if self._turns.conversation.name:  # or else the greeting is yet to come, and tells of them
            self._outbox.append(changed(kind, engines))

    async def run(self) -> None:
        """Live the session, from the greeting to the close."""
        try:
            with queued("outbox", self._outbox.__len__):
                await self._live()
        finally:
            await self._cuts.bring_rest()
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
                    inner.start_soon(self._cuts.run)
                    inner.start_soon(self._apart.run)
                    await self._turns.run(self._floor.turn_over)
                    inner.cancel_scope.cancel()
            except* Exception as group:
                self._outbox.append(report(group, session=self.id))
                self._goodbye = Goodbye(Farewell.INTERNAL, "internal error")
            self._outbox.close()
            nursery.cancel_scope.deadline = trio.current_time() + _FAREWELL_S
        with trio.move_on_after(_FAREWELL_S):
            await self._link.close(*self._goodbye)

    async def _read(self) -> None:
        try:
            with self._reading:
                while True:
                    command = await self._link.receive()
                    if isinstance(command, m.Audio) and self._standing is not State.IDLE:
                        await hear_in_turn(command.pcm, lambda part, of: self.act(m.Audio(part), of))
                    else:
                        self.act(command)
        except LinkClosed:
            self._outbox.abandon()
        except Malformed as error:
            self._violations.say(error.message, recoverable=False)
            self._goodbye = Goodbye(error.farewell, error.message)
        finally:
            # With nobody to ask for another, the present turn is the last.
            self._floor.close()
            self._turns.end()

    async def _send(self) -> None:
        try:
            while (event := await self._outbox.take()) is not None:
                self._echo.send(event)
                turn = self._turns.find(event.turn) if isinstance(event, m.TtsChunk | m.Token) else None
                sent = None if turn is None else turn.sending(event)
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
        with trio.move_on_after(self._grace_s):
            for turn in self._turns.under_way:
                if turn.state is State.CAPTURING:
                    turn.end(Outcome.CANCELLED)
                await turn.wait_over()
        self._goodbye = DRAINED[self._drained_because].goodbye
        self._reading.cancel()

    # --- commands: none of this waits ---------------------------------------------------------------------------------

    def act(self, command: m.Command, message_bytes: int = 0) -> None:
        """Act on a command that the reader, or the owner, has; audio is a part of ``message_bytes``. Never waits."""
        turn, standing = self._turns.latest, self._standing
        verdict = judge(standing, command, unasked=turn is not None and turn.asked.origin is not None)
        if verdict is Verdict.IGNORE:
            return
        match command:
            case _ if verdict is None:
                self._violations.answer(f"{command.name} is not possible in state {standing}.")
            case m.Audio(pcm):
                self._hear(pcm, message_bytes)
            case m.Start() | m.Text():
                self._begin(command)
            case m.Stop() if turn is not None and turn.listening:
                self._listener.stop()
            case m.Cancel(turn=number, samples=samples):
                if number is None or (turn is not None and number == turn.number):
                    self._floor.leave()
                    if verdict is Verdict.ACT and turn is not None:
                        if samples is not None:
                            turn.reply.playback.played(samples)
                        turn.cancel()
                        return
                self._outbox.append(NOTHING_TO_CANCEL)
            case m.Played(turn=number, samples=samples):
                if self._is_known(number) and (played := self._turns.find(number)) is not None:
                    played.reply.playback.played(samples)
            case m.Sounding(turn=number) if number is None or self._is_known(number):
                self._echo.sounding(command, self._listener.position)
            case m.Mark(turn=number, marks=marks):
                if self._is_known(number):
                    log.info("latency_client", session_id=self.id, turn=number, marks=marks)
            case _:
                self._apart.act(command)

    @property
    def _standing(self) -> State:
        """Where the client's latest turn stands; where it has none, but we listen, it is as if one had been."""
        turn = self._turns.latest
        if turn is not None:
            return turn.state
        return State.COMPLETE if self._apart.listens or self._turns.asked else State.IDLE

    def _hear(self, pcm: bytes, message_bytes: int) -> None:
        turn, gathering = self._turns.latest, self._apart.gathering
        if gathering is None:
            self._floor.attend(turn)
        else:
            gathering.add(pcm)
        if self._listener.feed(pcm, trio.current_time(), message_bytes) and turn is not None and not turn.ending:
            self._outbox.append(LATE)  # It is too late for who speaks now.
        if gathering is None:
            self._floor.hear(turn)

    def _begin(self, request: m.Start | m.Text) -> None:
        if self._draining.is_set():
            self._say_draining()
            return
        if self._turns.full:
            self._violations.answer("Too many turns were begun and cancelled at once.")
            return
        self._floor.asked(request)
        if (turn := self._turns.latest) is not None and turn.asked.origin is not None:
            turn.end(Outcome.INTERRUPTED)
        self._apart.gathering = None
        if isinstance(request, m.Start):
            if request.echo == "none":
                self._echo.want()
            self._turns.begin(request, *self._listen(request, going_on=False))
        else:
            self._turns.begin(request, *nothing_said())

    def _listen(self, request: m.Start, *, going_on: bool = True) -> tuple[Capture, Timeline]:
        settings, request = configured(self._settings, request, self._turns.configured)
        return self._listener.listen_as(request, settings, going_on=going_on)

    def _is_known(self, number: int) -> bool:
        known = number <= self._turns.asked
        if not known:
            self._violations.answer(f"There has been no turn {number}.")
        return known

    # --- what the session itself says ---------------------------------------------------------------------------------

    async def _greet(self) -> None:
        self._turns.conversation.name = conversation = await self._around.store.begin()
        await try_claim(self._around, conversation)  # or else the first turn does
        self._apart.ringing.attend(conversation)
        for event in greeting(self.id, conversation, self._settings, self._around.engines()):
            self._outbox.append(event)

    def _say_draining(self) -> None:
        message = DRAINED[self._drained_because].message
        self._outbox.append(m.Info(code=self._drained_because, message=message, grace_s=self._grace_s))

    def _give_up_on_rules(self) -> None:
        self._goodbye = Goodbye(Farewell.WRONG_STATE, "too many messages in the wrong state")
        self._reading.cancel()

    def _give_up_on_peer(self) -> None:
        self._goodbye = Goodbye(Farewell.SLOW_READER, "the client reads too slowly")
        self._reading.cancel()
