"""Alerts that are due are told: a turn that nobody asked for, when nobody speaks and nothing sounds.

# Theory

A conversation has one live session, so the one that has it tells what is due in it, and no other task knows of alerts:
this one lives and ends with its session. The wall clock decides. It can jump, and a machine can sleep, so no wait is
longer than `STEP_S` before it is looked at again.

An alert is told at least once. It stays in the store until the person has begun to hear it; where the process dies
between the two, it is told once more. What became due while no session had the conversation is told when one has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import inf
from typing import TypeVar, TypeVarTuple

import structlog
import trio

from voice_trio.core.alerts import MOST_ALERTS, Alert, ToldAlert, told
from voice_trio.core.messages import Origin
from voice_trio.session.asked import Unasked
from voice_trio.session.recollection import try_claim
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.turn import Turn
from voice_trio.session.turns import Turns, nothing_said
from voice_trio.skills import alert_words
from voice_trio.skills.occurrences import next_after
from voice_trio.toolbox.base import ToolError

log = structlog.get_logger()

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STEP_S = 15.0
"""How long the wall clock may be wrong about a wait."""

_AGAIN_S = 5.0
"""When an alert is told anew of which nothing could be heard, and what cannot be had is asked for again; then twice as
long, and so on."""

_STORE_LIMIT_S = 5.0
"""How long the store may take, whatever limits of its own it has."""

_LONGEST_AGAIN_S = 300.0

_UNDECIDED_S = 0.2
"""Between two looks whether somebody who speaks is to be heard."""

_JUMP_S = 2.0
"""By so much the wall clock has to be off what clients count by until they are told anew."""

_MOST_CONVERSATIONS = 8
"""That one session tells alerts of: the latest."""


class Ringing:
    """One session's. Only `run` waits."""

    def __init__(
        self,
        around: Surroundings,
        turns: Turns,
        may_begin: Callable[[], bool],
        is_undecided: Callable[[], bool],
    ) -> None:
        """``may_begin`` tells whether a turn may; where none may any more, the session is ending.

        ``is_undecided`` tells whether somebody speaks who may begin a turn.
        """
        self._around = around
        self._turns = turns
        self._may_begin = may_begin
        self._is_undecided = is_undecided
        self._since: dict[str, float] = {}
        """By conversation: since when, by the wall clock, this session tells what is due in it."""
        self._alerts: dict[str, Sequence[Alert]] = {}
        """By conversation: those that are to be told, the next one first."""
        self._ours: set[str] = set()
        """Conversations that were this session's when their alerts were read."""
        self._stale: set[str] = set()
        """Conversations whose alerts may be others by now."""
        self._unwanted: deque[str] = deque(maxlen=MOST_ALERTS)
        """Ids of alerts that the client wants to be no more."""
        self._settled: set[tuple[str, float]] = set()
        """Id and time of what was told, and may still be in the store."""
        self._shown: Sequence[ToldAlert] = []
        """What the client was told last, but for how long it is."""
        self._shown_ahead = 0.0
        """By how much the wall clock was ahead of Trio's then."""
        self._must_show = False
        self._again_s = _AGAIN_S
        self._news = trio.Event()
        around.wishes.alerts_changed = self.renew
        around.wishes.claimed = self.attend

    def attend(self, conversation: str) -> None:
        """Tell what is due in ``conversation``, which is this session's, from now on."""
        self._ours.add(conversation)
        if conversation not in self._since:
            self.resume(conversation)

    def resume(self, conversation: str) -> None:
        """Do the same where it may be another session's yet, and look anew at what there is."""
        self._since.setdefault(conversation, self._around.wall_clock())
        for oldest in [*self._since][:-_MOST_CONVERSATIONS]:
            del self._since[oldest]
            self._ours.discard(oldest)
            self._alerts.pop(oldest, None)
        self.renew(conversation)

    def renew(self, conversation: str) -> None:
        """Other alerts may wait in ``conversation`` than before."""
        self._stale.add(conversation)
        self._news.set()

    def cancel(self, key: str) -> None:
        """Have the alert of that id be no more, and tell the client which there are."""
        self._unwanted.append(key)
        self._news.set()

    async def run(self) -> None:
        """Tell what is due, and the client what waits."""
        while True:
            self._news = trio.Event()
            wait_s = await self._step()
            with trio.move_on_after(wait_s):
                await self._news.wait()

    async def _step(self) -> float:
        """Do what is to be done by now; return after how many seconds there may be more, at the latest."""
        try:
            await self._remove_unwanted()
            await self._read()
        except ToolError as error:
            log.warning("alerts cannot be had", reason=str(error))
            return self._later()
        self._show()
        if due := self._due():
            return await self._tell(due)
        self._again_s = _AGAIN_S
        soonest = min((alert.due_at for alert in self._waiting), default=inf)
        return inf if soonest == inf else min(STEP_S, soonest - self._around.wall_clock())

    def _later(self) -> float:
        again_s, self._again_s = self._again_s, min(2 * self._again_s, _LONGEST_AGAIN_S)
        return again_s

    # --- what there is ------------------------------------------------------------------------------------------------

    @property
    def _waiting(self) -> Sequence[Alert]:
        return [alert for alerts in self._alerts.values() for alert in alerts]

    def _due(self) -> Sequence[Alert]:
        """Return what is due in one conversation, the first first."""
        now = self._around.wall_clock()
        due = ([alert for alert in alerts if alert.due_at <= now] for alerts in self._alerts.values())
        return min(filter(None, due), key=lambda alerts: alerts[0].due_at, default=())

    async def _read(self) -> None:
        while self._stale:
            conversation = next(iter(self._stale))
            there = await _kept(self._around.alerts.of, conversation)
            # What could not be noted when it was told is noted now.
            await self._note([alert for alert in there if (alert.id, alert.due_at) in self._settled])
            self._stale.discard(conversation)
            self._alerts.pop(conversation, None)
            left = [alert for alert in there if (alert.id, alert.due_at) not in self._settled]
            if left and conversation in self._since:
                self._alerts[conversation] = left

    async def _remove_unwanted(self) -> None:
        while self._unwanted:
            key, self._must_show = self._unwanted[0], True
            for alert in self._waiting:
                if alert.id == key:
                    await _kept(self._around.alerts.remove, alert.conversation, [key])
                    self._stale.add(alert.conversation)
            self._unwanted.popleft()

    def _show(self) -> None:
        """Tell the client what waits, if that is something else, or the wall clock was put forward or back."""
        now = self._around.wall_clock()
        ahead = now - trio.current_time()
        event = told(self._waiting, now)
        shown = [replace(one, left_ms=0) for one in event.timers]
        jumped = bool(shown) and abs(ahead - self._shown_ahead) > _JUMP_S
        if self._must_show or jumped or shown != self._shown:
            self._must_show, self._shown, self._shown_ahead = False, shown, ahead
            self._around.outbox.append(event)

    # --- what is due --------------------------------------------------------------------------------------------------

    async def _tell(self, due: Sequence[Alert]) -> float:
        """Tell what is ``due`` when it is quiet, and return what `_step` does."""
        conversation = due[0].conversation
        if not await try_claim(self._around, conversation):
            return self._later()
        if conversation not in self._ours:
            # Who had it before may have told all of it.
            self.attend(conversation)
            self.renew(conversation)
            return 0.0
        await self._wait_quiet()
        if not self._may_begin():
            await trio.sleep_forever()
        if self._news.is_set():
            return 0.0
        now = self._around.wall_clock()
        due = [alert for alert in self._alerts[conversation] if alert.due_at <= now]
        if not due:
            return 0.0
        words = alert_words.told(due, self._since[conversation])
        request = Unasked(origin=Origin.TIMER, conversation=conversation, words=words)
        turn = self._turns.begin(request, *nothing_said())
        begun = False
        try:
            await _wait_begun(turn)
        finally:
            # Also where the session ends meanwhile, or it would be told twice.
            if begun := turn.asked.begun.is_set() or turn.reply.unspoken:
                await self._settle(due)
        return 0.0 if begun else self._later()

    async def _settle(self, due: Sequence[Alert]) -> None:
        """Have what was told be no more, or be due again when it is the next time."""
        self._settled |= {(alert.id, alert.due_at) for alert in due}
        self._stale.add(due[0].conversation)
        with trio.CancelScope(shield=True):
            try:
                await self._note(due)
            except ToolError as error:
                log.warning("it cannot be noted yet that an alert was told", reason=str(error))

    async def _note(self, due: Sequence[Alert]) -> None:
        """Have the store know that ``due`` was told. Raises `ToolError`."""
        for alert in due:
            again = next_after(alert, self._around.wall_clock())
            if again is None:
                await _kept(self._around.alerts.remove, alert.conversation, [alert.id])
            else:
                await _kept(self._around.alerts.put, replace(alert, due_at=again))

    async def _wait_quiet(self) -> None:
        """Wait until nobody speaks, no turn is under way, and the sound of the latest is over."""
        while True:
            for turn in self._turns:
                await turn.wait_over()
            latest = self._turns.latest
            if latest is not None and latest.reply.silent_at > trio.current_time():
                await trio.sleep_until(latest.reply.silent_at)
            elif self._is_undecided():
                await trio.sleep(_UNDECIDED_S)
            elif [*self._turns]:
                await trio.lowlevel.checkpoint()
            else:
                return


async def _kept(ask: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Return what ``ask`` does in time. Raises `ToolError`."""
    with trio.move_on_after(_STORE_LIMIT_S):
        return await ask(*args)
    raise ToolError("The server's memory is busy.")


async def _wait_begun(turn: Turn) -> None:
    """Wait until the reply of ``turn`` is begun to be heard, or it is over."""
    async with trio.open_nursery() as nursery:

        async def end_with(wait: Callable[[], Awaitable[None]]) -> None:
            await wait()
            nursery.cancel_scope.cancel()

        nursery.start_soon(end_with, turn.asked.begun.wait)
        nursery.start_soon(end_with, turn.wait_over)
