"""What a client is told of what went wrong, and what the log gets of a session.

Of defects of ours, and of the memory, the client gets a number, and the log gets the rest under the same number.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import structlog
import trio

from voice_trio.core.errors import Refused, leaves
from voice_trio.core.messages import Error, ErrorCode, Latency, Outcome
from voice_trio.core.rate import Strikes
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import EngineError, Engines
from voice_trio.memory.base import StoreError
from voice_trio.session.outbox import Outbox

log = structlog.get_logger()

_MANY = 5, 10.0
"""So many messages in the wrong state within so many seconds are no mistake any more."""


def failure(error: Refused | EngineError, turn: int, *, phrase: int | None = None) -> Error:
    """Return what the client is told of ``error``, which is nobody's defect: the session goes on."""
    return Error(
        code=error.code,
        message=error.message,
        recoverable=True,
        turn=turn,
        phrase=phrase,
        retry_after_s=error.retry_after_s if isinstance(error, Refused) else None,
    )


def report(error: BaseException, *, session: str, turn: int | None = None) -> Error:
    """Log ``error`` and return what the client is told: in a turn it ends the turn, else the session.

    A group is logged as it is, unless all that went wrong is the store.
    """
    incident = secrets.token_hex(4)
    causes = list(leaves(error))
    of_store = [cause for cause in causes if isinstance(cause, StoreError)]
    if len(of_store) == len(causes):
        # What happened to a disk or a file has no place in our code: the sentence is all there is to know.
        log.error("incident", session_id=session, turn=turn, incident=incident, reason=str(of_store[0]))
        message = of_store[0].told
    else:
        log.error("incident", session_id=session, turn=turn, incident=incident, exc_info=error)
        message = "Something went wrong on the server."
    return Error(
        code=ErrorCode.INTERNAL,
        message=f"{message.removesuffix('.')} (incident {incident}).",
        recoverable=turn is not None,
        turn=turn,
        incident=incident,
    )


SLOW_RTF = 1.2
"""A real-time factor above this leaves the recognizer ever further behind the speaker."""


class EngineNames(NamedTuple):
    """What a turn's engines are called."""

    recognizer: str
    language_model: str
    synthesizer: str
    synthetic: bool
    """Whether there is no language model, and the second is what answers in its place."""

    @classmethod
    def of(cls, engines: Engines) -> EngineNames:
        """Return those of ``engines``."""
        model = engines.language_model
        return cls(engines.recognizer.name, model.name, engines.synthesizer.name, model.synthetic)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReport:
    """How one turn went, without a word of what was said in it."""

    session: str
    turn: int
    outcome: Outcome
    latency: Latency
    asr_rtf: float | None
    """Seconds of recognition for each second of speech; None where nobody spoke."""
    drafts: Mapping[str, float]
    """What its drafts came to: see `session.draft.Ledger`."""
    timeline: Timeline
    """When things happened in it, by Trio's clock."""
    over_at: float
    """When it was over, by the same."""
    engines: EngineNames


class Reports:
    """Where it is told how each of one session's turns went: in the log, and to who counts."""

    def __init__(self, session: str, *, logged: bool, count: Callable[[TurnReport], None]) -> None:
        self._session = session
        self._logged = logged
        self._count = count

    def turn_over(
        self,
        turn: int,
        outcome: Outcome,
        timeline: Timeline,
        asr_rtf: float | None,
        drafts: Mapping[str, float],
        engines: Engines,
    ) -> None:
        """The turn of that number is over; the rest is as in `TurnReport`."""
        told = TurnReport(
            session=self._session,
            turn=turn,
            outcome=outcome,
            latency=timeline.latency(),
            asr_rtf=asr_rtf,
            drafts=drafts,
            timeline=timeline,
            over_at=trio.current_time(),
            engines=EngineNames.of(engines),
        )
        if self._logged:
            _log_latency(told)
        self._count(told)


def _log_latency(turn: TurnReport) -> None:
    rtf = None if turn.asr_rtf is None else round(turn.asr_rtf, 3)
    who = {"session_id": turn.session, "turn": turn.turn}
    log.info("latency", **who, outcome=turn.outcome, **asdict(turn.latency), asr_rtf=rtf, **turn.drafts)
    if rtf is not None and rtf > SLOW_RTF:
        log.warning("recognizer is slower than speech", **who, asr_rtf=rtf)


class Violations:
    """What one session's client is answered where it breaks the rules, and when it has broken too many."""

    def __init__(self, outbox: Outbox, give_up: Callable[[], None]) -> None:
        """``give_up`` is called when there are too many of them."""
        self._outbox = outbox
        self._give_up = give_up
        self._strikes = Strikes(*_MANY)

    def answer(self, message: str) -> None:
        """Answer a message that came in the wrong state; too many of them end the session."""
        too_many = self._strikes.strike(trio.current_time())
        self.say(message, recoverable=not too_many)
        if too_many:
            self._give_up()

    def say(self, message: str, *, recoverable: bool) -> None:
        """Say what was wrong, and whether the session goes on."""
        error = Error(code=ErrorCode.PROTOCOL_VIOLATION, message=message, recoverable=recoverable)
        self._outbox.append(error)
