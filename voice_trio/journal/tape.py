"""A session log played to a session: a link, engines and a store that give what they gave then, when they gave it then.

An answer comes at the moment at which it came in the log, if it was asked for as long before as then, give or
take the slack; if the session asks earlier or later than it did, the answer comes as much earlier or later. So the
machine's own time, which a virtual clock does not have, does not add up, and a session that works otherwise shows it.

What was never answered is never answered now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import trio
from pydantic import JsonValue

from voice_trio.engines.base import EngineError
from voice_trio.journal import entries as e
from voice_trio.journal.read import SessionLog
from voice_trio.memory.base import StoreError, StoreUnsure
from voice_trio.toolbox.base import ToolError

_TICK_S = 1e-9
"""Between things that the session log has at the same moment, so that they come in its order."""

_PATIENCE_S = 60.0
"""How much longer than then the session may take to close."""

Told = e.Command | e.Audio | e.Malformed | e.Gone | e.Drain | e.Changed | e.Answer


class _Call(NamedTuple):
    ask: e.Ask
    answers: deque[e.Answer]


class Tape:
    """``session_log``, from now on."""

    def __init__(self, session_log: SessionLog, slack_s: float) -> None:
        self._slack_s = slack_s
        self._began_at = trio.current_time()
        self._calls: dict[tuple[e.Of, int | None], deque[_Call]] = {}
        self.told: deque[tuple[e.Command | e.Audio | e.Malformed | e.Gone, int]] = deque()
        """What comes through the link, and how many events the client had been sent by then."""
        self.from_server: list[e.Drain | e.Changed] = []
        """What the server does to the session."""
        self.ends_at = session_log.lasts_s + slack_s
        """When the session is to be cancelled, at the latest."""
        self.sends: deque[e.Said | e.Aside | e.Chunk] = deque()
        calls: dict[int, _Call] = {}
        for entry in _apart(session_log.entries):
            match entry:
                case e.Ask():
                    call = calls[entry.call] = _Call(entry, deque())
                    self._calls.setdefault((entry.of, entry.within), deque()).append(call)
                case e.Answer():
                    calls[entry.call].answers.append(entry)
                case e.Command() | e.Audio() | e.Malformed() | e.Gone():
                    self.told.append((entry, len(self.sends)))
                case e.Drain() | e.Changed():
                    self.from_server.append(entry)
                case e.End(how="cancelled"):
                    self.ends_at = entry.at
                case e.End():
                    self.ends_at = entry.at + _PATIENCE_S
                case e.Said() | e.Aside() | e.Chunk():
                    self.sends.append(entry)

    def now(self) -> float:
        """Return the seconds since the session began."""
        return trio.current_time() - self._began_at

    async def wait_until(self, at: float) -> None:
        """Wait until the session log's second ``at``."""
        await trio.sleep_until(self._began_at + at)

    async def wait_since(self, asked_at: float, at: float) -> None:
        """Wait for what was asked for at ``asked_at`` and came at ``at``, being asked for it now."""
        await self.wait_until(at + self.late_s(asked_at))

    def late_s(self, asked_at: float) -> float:
        """Return how much later than at ``asked_at`` it is now; 0.0 within the slack, and less if it is earlier."""
        late_s = self.now() - asked_at
        return late_s if abs(late_s) > self._slack_s else 0.0

    def ask(self, of: e.Of, within: int | None = None, what: dict[str, JsonValue] | None = None) -> Question:
        """Return the next question of its kind; with ``what``, of those that ask for that, if there are any."""
        calls = self._calls.get((of, within))
        if not calls:
            return Question(self, None)
        same = next((call for call in calls if call.ask.what == what), calls[0])
        calls.remove(same)
        return Question(self, same)


def _apart(entries: Sequence[e.Entry]) -> list[e.Entry]:
    """Return ``entries`` with no two that a session is told at the same moment."""
    apart = [*entries]
    told = [(entry.at, place) for place, entry in enumerate(apart) if isinstance(entry, Told)]
    latest = -_TICK_S
    for at, place in sorted(told):
        latest = max(at, latest + _TICK_S)
        apart[place] = replace(apart[place], at=latest)
    return apart


class Question:
    """What the session asks for now, with the answers that it got then."""

    def __init__(self, tape: Tape, call: _Call | None) -> None:
        self._tape = tape
        self._call = call
        self._late_s: float | None = None
        """By how much it was asked later than then, if by more than the slack; None before it was answered."""

    @property
    def number(self) -> int | None:
        """Of the call in the session log; None where it has no such call."""
        return None if self._call is None else self._call.ask.call

    async def answer(self) -> e.Answer:
        """Return the next answer when it is time; raise what was raised. What never came is waited for in vain.

        All but the first are of what is on its way, whenever they are asked for.
        """
        if self._call is None or not self._call.answers:
            await trio.sleep_forever()
        answers = self._call.answers
        late_s = self._tape.late_s(answers[0].at - answers[0].waited) if self._late_s is None else self._late_s
        await self._tape.wait_until(answers[0].at + late_s)
        # Not before: a caller that is cancelled in the wait may ask again.
        self._late_s = late_s
        answer = answers.popleft()
        if answer.failure is not None:
            raise _error(answer.failure)
        return answer

    async def granted(self) -> bool:
        """Return whether a claim was granted; one that was not made then is."""
        if self._call is None or not self._call.answers:
            await trio.lowlevel.checkpoint()
            return True
        return bool((await self.answer()).granted)

    async def leave(self) -> None:
        """Leave a context, as long as that took."""
        answers = () if self._call is None else tuple(self._call.answers)
        if answers and answers[-1].over:
            await self._tape.wait_since(answers[-1].at - answers[-1].waited, answers[-1].at)
        else:
            await trio.lowlevel.checkpoint()


def _error(failure: e.Failure) -> Exception:
    if failure.code is not None:
        return EngineError(failure.code, failure.message)
    if failure.by == "tool":
        return ToolError(failure.message)
    if failure.by == "store unsure":
        return StoreUnsure(failure.message)
    return StoreError(failure.message) if failure.by == "store" else RuntimeError(f"recorded: {failure.message}")
