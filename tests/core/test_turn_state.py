from typing import get_args

import pytest

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.core.transitions import IllegalTransition
from voice_trio.core.turn_state import (
    COMMANDS,
    TRANSITIONS,
    Step,
    TurnState,
    Verdict,
    judge,
    outcomes,
)

EVERY_CAUSE = [*Step, *Outcome]


def test_a_spoken_turn():
    machine = TurnState()
    assert [machine.move(cause) for cause in (Step.START, Step.FINAL, Step.FIRST_AUDIO, Outcome.COMPLETED)] == [
        State.CAPTURING,
        State.THINKING,
        State.RESPONDING,
        State.COMPLETE,
    ]
    assert machine.move(Step.TEXT) is State.THINKING


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("cause", EVERY_CAUSE)
def test_what_is_not_listed_raises_and_moves_nothing(state, cause):
    machine = TurnState()
    machine.state = state
    if cause in TRANSITIONS[state]:
        assert machine.move(cause) is TRANSITIONS[state][cause]
    else:
        with pytest.raises(IllegalTransition):
            machine.move(cause)
        assert machine.state is state


def test_every_state_can_be_reached_and_left():
    reached = {State.IDLE}.union(*(targets.values() for targets in TRANSITIONS.values()))
    assert reached == set(State)
    assert all(TRANSITIONS[state] for state in State)


@pytest.mark.parametrize("state", [State.CAPTURING, State.THINKING, State.RESPONDING])
def test_a_turn_under_way_can_always_be_ended(state):
    assert {Outcome.CANCELLED, Outcome.TIMED_OUT, Outcome.FAILED} <= outcomes(state)
    assert all(TRANSITIONS[state][outcome] is State.COMPLETE for outcome in outcomes(state))


def test_any_turn_is_interrupted_and_only_a_silent_one_empty():
    under_way = [State.CAPTURING, State.THINKING, State.RESPONDING]
    assert [state for state in State if Outcome.INTERRUPTED in outcomes(state)] == under_way
    assert [state for state in State if Outcome.EMPTY in outcomes(state)] == [State.CAPTURING]


def test_what_nobody_answers_is_complete_once_it_was_heard():
    machine = TurnState()
    assert [machine.move(cause) for cause in (Step.START, Outcome.COMPLETED)] == [State.CAPTURING, State.COMPLETE]
    assert machine.move(Step.RESPOND) is State.THINKING


def test_audio_before_a_start_is_a_mistake_and_after_the_end_of_capture_is_none():
    audio = m.Audio(b"\0\0")
    assert judge(State.IDLE, audio) is None
    assert all(judge(state, audio) is Verdict.ACT for state in State if state is not State.IDLE)


@pytest.mark.parametrize("command", [m.Start(), m.Text(text="hi")])
def test_a_turn_begins_only_where_none_is(command):
    assert [state for state in State if judge(state, command) is Verdict.ACT] == [State.IDLE, State.COMPLETE]


@pytest.mark.parametrize(
    "command",
    [
        m.Configure(),
        m.Listen(),
        m.Commit(),
        m.Clear(),
        m.Respond(),
        m.CancelReply(),
        m.ReadItem(item="a"),
        m.DeleteItem(item="a"),
        m.CutItem(item="a", samples=0),
        m.Answer(body="{}"),
    ],
    ids=lambda command: command.name,
)
def test_what_the_session_itself_judges_is_legal_everywhere(command):
    assert all(judge(state, command) is Verdict.ACT for state in State)


def test_cancel_is_legal_everywhere():
    assert all(judge(state, m.Cancel()) is not None for state in State)


def test_each_command_has_a_name_of_its_own_and_a_place_in_the_table():
    kinds = get_args(m.Command)
    assert {kind.name.replace("_", "") for kind in kinds} == {kind.__name__.lower() for kind in kinds}
    assert set(kinds) == {kind for legal in COMMANDS.values() for kind in legal}


def test_both_tables_know_every_state():
    assert set(COMMANDS) == set(TRANSITIONS) == set(State)
