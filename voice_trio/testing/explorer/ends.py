"""The kinds of end that a session can come to, each of them at any step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.engines.base import EngineError
from voice_trio.memory.base import StoreError
from voice_trio.testing.explorer.case import Case
from voice_trio.testing.explorer.connections import Connections
from voice_trio.testing.explorer.scenarios import Scenario
from voice_trio.toolbox.base import ToolError

STALL_S = 20.0
"""Longer than any limit of a single stage, shorter than those of a whole turn."""

GRACE_S = 60.0
"""Enough for any scripted reply to be heard out."""


@dataclass(frozen=True)
class End:
    """A kind of end."""

    about: str
    act: Callable[[Case], None]
    """Called between two steps; never waits."""
    outcomes: frozenset[Outcome]
    """How it may make one turn end; all others are completed."""
    cuts: bool = False
    """Whether the client hears no more after it."""
    closes: bool = False
    """Whether the session closes the link because of it."""
    spares_replies: bool = False
    """Whether a turn that is being answered goes on."""


def _fail(stage: str, error: Callable[[], Exception]) -> Callable[[Case], None]:
    # A new one each time: an exception raised over and over would gather every raiser's frames.
    return lambda case: getattr(case.breakers, stage).fail(error())


def _gives_up(code: ErrorCode) -> Callable[[], EngineError]:
    return lambda: EngineError(code, "broken")


def _hang(stage: str) -> Callable[[Case], None]:
    return lambda case: getattr(case.breakers, stage).hang()


def _stall(case: Case) -> None:
    assert case.clock is not None, "only a virtual clock can jump"
    case.clock.jump(STALL_S)
    case.clock_jumped = True


_CANCELLED = frozenset({Outcome.CANCELLED})
_TIMED_OUT = frozenset({Outcome.TIMED_OUT})
_FAILED = frozenset({Outcome.FAILED})
_EMPTY = frozenset({Outcome.EMPTY})

ENDS = {
    "cancel": End("the client cancels", lambda case: case.link.interject(m.Cancel()), _CANCELLED),
    "gone": End("the link says that the client is gone", lambda case: case.link.vanish(), _CANCELLED, cuts=True),
    "killed": End("the session's own scope is cancelled", lambda case: case.scope.cancel(), _CANCELLED, cuts=True),
    # Of what had only begun to be said by then, there are no words.
    "deadline": End(
        f"time jumps by {STALL_S:g} s: every limit that runs is over", _stall, _TIMED_OUT | _FAILED | _EMPTY
    ),
    "shutdown": End(
        "the server stops, and lets a reply finish",
        lambda case: case.session.drain(GRACE_S),
        _CANCELLED,
        closes=True,
        spares_replies=True,
    ),
    "shutdown_now": End("the server stops at once", lambda case: case.session.drain(0.0), _CANCELLED, closes=True),
    "asr_error": End("the recognizer fails", _fail("asr", _gives_up(ErrorCode.ASR_FAIL)), _FAILED),
    "llm_error": End("the language model fails", _fail("llm", _gives_up(ErrorCode.LLM_FAIL)), _FAILED),
    "tts_error": End("the voice fails", _fail("tts", _gives_up(ErrorCode.TTS_FAIL)), _FAILED),
    "asr_defect": End("the recognizer raises what it must not", _fail("asr", ValueError), _FAILED),
    "llm_defect": End("the language model raises what it must not", _fail("llm", ValueError), _FAILED),
    "tts_defect": End("the voice raises what it must not", _fail("tts", ValueError), _FAILED),
    "asr_hang": End("the recognizer hangs", _hang("asr"), _TIMED_OUT),
    "llm_hang": End("the language model hangs", _hang("llm"), _TIMED_OUT),
    "tts_hang": End("the voice hangs", _hang("tts"), _FAILED),
    "tool_error": End("the tool says why it could not do it", _fail("tool", lambda: ToolError("broken")), frozenset()),
    "tool_defect": End("the tool raises what it must not", _fail("tool", ValueError), frozenset()),
    "tool_hang": End("the tool hangs", _hang("tool"), frozenset()),
    "store_error": End("the store is full", _fail("store", StoreError), frozenset()),
    "store_hang": End("the store hangs", _hang("store"), frozenset()),
}

BACK_AFTER_S = 1.0
"""Longer than any of the explored pauses in speech, and shorter than a session waits."""


def _connections(case: Case) -> Connections:
    assert case.connections is not None, "only a session that can be resumed has more than one connection"
    return case.connections


RESUMED = {
    "detach": End(
        "the connection is cut, and the client comes back after a second",
        lambda case: _connections(case).cut(BACK_AFTER_S),
        frozenset(),
    ),
    "attach": End(
        "the client connects anew while the server believes in the connection that there is",
        lambda case: _connections(case).attach(),
        frozenset(),
    ),
    "lost": End(
        "the connection is cut, and the client does not come back",
        lambda case: _connections(case).cut(inf),
        _CANCELLED,
        cuts=True,
    ),
}
"""The same for scenarios that are `Scenario.resumable`."""


def ends_of(scenario: Scenario) -> Mapping[str, End]:
    """Return the ends that there are for ``scenario``."""
    return RESUMED if scenario.resumable else ENDS
