"""The turn's state machine, and what a client may ask in each state."""

# Theory
#
# A session has one turn at a time, and each turn its machine, which begins where that of the turn before it ended. What
# moves it is either something that happened in the turn (`Step`) or the reason why the turn is over
# (`messages.Outcome`): an ending is named by its outcome, so the outcomes that are legal in a state are simply those
# listed there, and there is no second table to agree with the first.
#
#     IDLE ------ start --> CAPTURING ---- final ----> THINKING -- first audio --> RESPONDING
#       \                                               ^   |                        |
#        `------- text, respond ------------------------'   |                        |
#                            |                               |                        |
#                            `------ any outcome ----------> COMPLETE <---------------'
#
# UNASKED is a turn that the server begins by itself, because something is due or nobody speaks: only from IDLE and
# COMPLETE, so never into a turn that somebody asked for. It is in nobody's way: who begins a turn meanwhile interrupts
# it, since they could not know of it.
#
# What nobody is to answer is COMPLETE without having been THINKING, and so is what was interrupted by then.
#
# From THINKING, and from RESPONDING before anything was heard, speech takes the end of the utterance back: reopened,
# the turn is CAPTURING again.
#
# COMPLETE differs from IDLE only in that a turn has been: late messages about it are no mistakes.
#
# Rule 1: a pair (state, what happened) that is not in the table is a defect of ours, and raises.
# Rule 2: a pair (state, command) that is not in its table is a mistake of the client's, and is answered.
#
# The machine knows no turn numbers and no clock. The turn that moves it tells the client at once, without
# a checkpoint between the two, so that what a client was told is always what the machine went through. Only its first
# move may be said later: a turn that was asked for while the one before it ends is announced when that one is over.

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.core.transitions import next_state


class Step(StrEnum):
    """What moves a turn on without ending it."""

    START = "start"
    TEXT = "text"
    RESPOND = "respond"
    UNASKED = "unasked"
    FINAL = "final transcript"
    FIRST_AUDIO = "first audio"
    REOPENED = "reopened"


Cause = Step | Outcome

_ENDS: Final[dict[Cause, State]] = dict.fromkeys(
    (Outcome.COMPLETED, Outcome.CANCELLED, Outcome.INTERRUPTED, Outcome.TIMED_OUT, Outcome.FAILED), State.COMPLETE
)
"""How a turn may end whenever it has begun."""

TRANSITIONS: Final[dict[State, dict[Cause, State]]] = {
    State.IDLE: {
        Step.START: State.CAPTURING,
        Step.TEXT: State.THINKING,
        Step.RESPOND: State.THINKING,
        Step.UNASKED: State.THINKING,
    },
    State.CAPTURING: {
        Step.FINAL: State.THINKING,
        Outcome.EMPTY: State.COMPLETE,
        **_ENDS,
    },
    State.THINKING: {
        Step.FIRST_AUDIO: State.RESPONDING,
        Step.REOPENED: State.CAPTURING,
        # A reply may hold nothing that can be said aloud, or nothing at all: it is COMPLETED from here as well.
        **_ENDS,
    },
    State.RESPONDING: {
        Step.REOPENED: State.CAPTURING,
        **_ENDS,
    },
    State.COMPLETE: {
        Step.START: State.CAPTURING,
        Step.TEXT: State.THINKING,
        Step.RESPOND: State.THINKING,
        Step.UNASKED: State.THINKING,
    },
}


class Verdict(Enum):
    """What becomes of a command."""

    ACT = "act"
    IGNORE = "ignore"
    """Legal, and too late to matter: the client could not have known."""
    NOTHING_TO_CANCEL = "nothing to cancel"


_ANYTIME: Final = dict.fromkeys(
    (
        m.CancelTimer,
        m.Resume,
        m.Configure,
        m.Listen,
        m.Commit,
        m.Clear,
        m.Respond,
        m.CancelReply,
        m.AddItem,
        m.ReadItem,
        m.DeleteItem,
        m.CutItem,
        m.Answer,
        m.Detached,
        m.Attached,
    ),
    Verdict.ACT,
)
"""Whether they can be followed does not hang on the turn alone: the session itself says where they cannot."""

_WHEN_BEGUN: Final = dict.fromkeys((m.Audio, m.Played, m.Sounding, m.Mark), Verdict.ACT)
"""Once there has been a turn."""

COMMANDS: Final[dict[State, dict[type, Verdict]]] = {
    State.IDLE: {
        **_ANYTIME,
        m.Start: Verdict.ACT,
        m.Text: Verdict.ACT,
        m.Cancel: Verdict.NOTHING_TO_CANCEL,
    },
    State.CAPTURING: {
        **_ANYTIME,
        **_WHEN_BEGUN,
        m.Stop: Verdict.ACT,
        m.Cancel: Verdict.ACT,
    },
    # What is said after the end of capture reopens the turn, or may interrupt it, where the client lets it.
    State.THINKING: {
        **_ANYTIME,
        **_WHEN_BEGUN,
        m.Stop: Verdict.IGNORE,
        m.Cancel: Verdict.ACT,
    },
    State.RESPONDING: {
        **_ANYTIME,
        **_WHEN_BEGUN,
        m.Stop: Verdict.IGNORE,
        m.Cancel: Verdict.ACT,
    },
    State.COMPLETE: {
        **_ANYTIME,
        m.Start: Verdict.ACT,
        m.Text: Verdict.ACT,
        **_WHEN_BEGUN,
        m.Stop: Verdict.IGNORE,
        m.Cancel: Verdict.NOTHING_TO_CANCEL,
    },
}


class TurnState:
    """Where a turn stands."""

    def __init__(self, state: State = State.IDLE) -> None:
        """``state`` is COMPLETE if there was a turn before it."""
        self.state = state

    def move(self, cause: Cause) -> State:
        """Go to the state that ``cause`` leads to, and return it. Raises `IllegalTransition`."""
        self.state = next_state(TRANSITIONS, self.state, cause)
        return self.state


def outcomes(state: State) -> frozenset[Outcome]:
    """Return how a turn can end in ``state``."""
    return frozenset(cause for cause in TRANSITIONS[state] if isinstance(cause, Outcome))


def judge(state: State, command: m.Command, *, unasked: bool = False) -> Verdict | None:
    """Return what becomes of ``command`` in ``state``; None where it is not legal there.

    ``unasked`` says that nobody asked for the turn which is there.
    """
    if unasked and isinstance(command, m.Start | m.Text):
        return Verdict.ACT
    return COMMANDS[state].get(type(command))
