from dataclasses import replace

import pytest

from voice_trio.core.history import CUT_OFF, Message, Record, is_shorter, prompt, remembered
from voice_trio.core.items import ToolOutput, ToolUse, Words
from voice_trio.core.messages import Outcome


def record(outcome, *, said="question", reply="the whole reply", heard=0):
    return Record(
        conversation="c", session="s", turn=1, said=said, reply=reply, heard=heard, outcome=outcome, ended_at=0.0
    )


NOW = Words(id="now", by="person", text="now")
CALLED_1 = ("assistant", "", ("1",))
CALLED_BOTH = ("assistant", "", ("1", "2"))
FOUND_1 = ("tool", "found", "1")
FOUND_2 = ("tool", "found", "2")
A_B_C = [("user", "a", ""), ("system", "b", ""), ("user", "c", "")]


def recalled(*records, budget=1000):
    messages = prompt([*remembered(records), NOW], system="be kind", budget_tokens=budget)
    assert messages[0] == Message("system", "be kind")
    assert messages[-1] == Message("user", "now")
    return [(message.role, message.content) for message in messages[1:-1]]


def test_a_completed_turn_goes_in_whole():
    assert recalled(record(Outcome.COMPLETED, heard=3)) == [("user", "question"), ("assistant", "the whole reply")]


def test_a_cut_off_one_goes_in_as_heard_and_marked():
    for outcome in (Outcome.CANCELLED, Outcome.INTERRUPTED):
        assert recalled(record(outcome, heard=10)) == [("user", "question"), ("assistant", "the whole" + CUT_OFF)]


def test_one_cancelled_before_a_sound_leaves_nothing_and_one_interrupted_then_the_persons_words():
    assert recalled(record(Outcome.CANCELLED)) == []
    assert recalled(record(Outcome.INTERRUPTED)) == [("user", "question")]


def test_one_in_which_nobody_spoke_leaves_its_reply():
    assert recalled(record(Outcome.COMPLETED, said="")) == [("assistant", "the whole reply")]
    assert recalled(record(Outcome.INTERRUPTED, said="", heard=10)) == [("assistant", "the whole" + CUT_OFF)]


def test_one_that_failed_leaves_the_persons_words():
    for outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
        assert recalled(record(outcome)) == [("user", "question")]
        assert recalled(record(outcome, heard=10)) == [("user", "question")]


def test_one_without_words_leaves_nothing():
    assert recalled(record(Outcome.EMPTY, said="")) == []


def test_the_oldest_turns_stay_out_when_the_budget_is_full():
    turns = [record(Outcome.COMPLETED, said=f"question {n}", reply="x" * 400) for n in range(10)]
    kept = recalled(*turns, budget=300)
    assert [content for role, content in kept if role == "user"] == ["question 8", "question 9"]


def test_without_a_budget_the_question_still_goes_in():
    assert recalled(record(Outcome.COMPLETED), budget=0) == []


def test_without_a_system_prompt_there_is_none():
    assert prompt([NOW], system="", budget_tokens=0) == [Message("user", "now")]


def test_a_conversation_in_which_nothing_was_said_yet_has_a_prompt():
    assert [message.role for message in prompt([], system="", budget_tokens=0)] == ["system"]
    assert prompt([], system="be kind", budget_tokens=0) == [Message("system", "be kind")]


def asked(items, budget=1000):
    """The messages for ``items``: who says what, and what is asked for or answered."""
    return [
        (m.role, m.content, tuple(use.call for use in m.calls) or m.answers)
        for m in prompt(items, system="", budget_tokens=budget)
    ]


def said(text, key="said"):
    return Words(id=key, by="person", text=text)


def use(call):
    return ToolUse(id=f"id of {call}", call=call, name="look", arguments="{}")


def output(call, text="found"):
    return ToolOutput(id=f"output of {call}", call=call, output=text)


@pytest.mark.parametrize(
    ("items", "messages"),
    [
        ([said("look"), use("1"), output("1")], [("user", "look", ""), CALLED_1, FOUND_1]),
        # What comes between a call and its answer stands behind both.
        ([use("1"), said("wait"), output("1")], [CALLED_1, FOUND_1, ("user", "wait", "")]),
        ([use("1"), use("2"), output("2"), output("1")], [CALLED_BOTH, FOUND_1, FOUND_2]),
        # A call that nobody answered would be refused.
        ([said("look"), use("1"), said("well?")], [("user", "look", ""), ("user", "well?", "")]),
        ([said("look"), use("1"), use("2"), output("1")], [("user", "look", ""), CALLED_1, FOUND_1]),
        # And so would an answer to a call that there was not.
        ([output("3", "rain")], [("system", "A tool answered: rain", "")]),
        ([said("a"), Words(id="s", by="system", text="b"), said("c", "2")], A_B_C),
        # What was said, and is yet to be recognised.
        ([said(None), said("a", "2")], [("user", "a", "")]),
        ([Words(id="r", by="assistant", text="one two", heard=0), said("a")], [("user", "a", "")]),
        (
            [Words(id="r", by="assistant", text="one two", heard=4), said("a")],
            [("assistant", "one" + CUT_OFF, ""), ("user", "a", "")],
        ),
    ],
)
def test_items_become_messages(items, messages):
    assert asked(items) == messages


def test_what_a_client_tells_the_model_stays_however_little_room_there_is():
    system = Words(id="system", by="system", text="Rules. " * 100)
    many = [said("question " * 20, f"said {n}") for n in range(20)]
    messages = asked([system, *many, said("now", "now")], budget=0)
    assert messages == [("system", "Rules. " * 100, ""), ("user", "now", "")]


def test_a_call_stays_out_together_with_its_answer():
    old = [said("look"), use("1"), output("1", "found " * 100)]
    new = [said("and now?", "2"), use("2"), output("2")]
    assert asked([*old, *new], budget=60) == [("user", "and now?", ""), ("assistant", "", ("2",)), FOUND_2]


@pytest.mark.parametrize(
    ("changed", "shorter"),
    [
        ({}, True),
        ({"heard": 4, "outcome": Outcome.INTERRUPTED}, True),
        ({"reply": "the", "heard": 3}, True),
        ({"said": ""}, True),
        ({"heard": 11}, False),
        ({"reply": "the whole reply and more"}, False),
        ({"reply": "whole", "heard": 3}, False),
        ({"said": "quest"}, False),
        ({"turn": 2}, False),
        ({"session": "other"}, False),
    ],
)
def test_a_record_is_cut_and_never_becomes_longer(changed, shorter):
    whole = record(Outcome.COMPLETED, heard=10)
    assert is_shorter(replace(whole, **changed), whole) is shorter
