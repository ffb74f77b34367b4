"""Calls of the server's tools as they are taken, bounded, and kept."""

import json
from dataclasses import replace

import pytest

from voice_trio.core.called import CUT, UNANSWERED, Called, arguments_in, bounded, read_calls, spelled
from voice_trio.core.history import Message, Record, is_shorter, left_of, prompt, recalled, remembered
from voice_trio.core.items import Items, ToolOutput, ToolUse, Words, is_own, turn_of
from voice_trio.core.messages import CallState, Outcome

SET = Called(name="set_timer", arguments='{"s": 10}', result="Set.", state=CallState.DONE)
CUT_OFF = Called(name="set_timer", arguments="{}", result="", state=CallState.CANCELLED)


def record(outcome, *, said="question", reply="", heard=0, calls=(SET, CUT_OFF)):
    return Record(
        conversation="c",
        session="s",
        turn=3,
        said=said,
        reply=reply,
        heard=heard,
        outcome=outcome,
        ended_at=0.0,
        calls=calls,
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a": 1}', {"a": 1}),
        (' {"a":\n1} ', {"a": 1}),
        (json.dumps('{"a": 1}'), {"a": 1}),
        ('{"a": "\\ud83d\\ude00 \\ud800"}', {"a": "\U0001f600 \ufffd"}),
        ("{}", {}),
        ('{"a": 1e999}', None),
        ('{"a": [-1e999]}', None),
        ("", None),
        ("null", None),
        ("[{}]", None),
        ('"text"', None),
        ('{"a": Infinity}', None),
        ('{"a": 1', None),
        ("[" * 100_000, None),
        ('{"a":' * 100_000, None),
        ('{"a": ' + "9" * 10_000 + "}", None),
    ],
)
def test_arguments_are_an_object_or_nothing(text, read):
    found = arguments_in(text)
    assert (None if found is None else json.loads(found)) == read
    assert found is None or found.encode()


def test_a_result_is_cut_where_it_is_too_long_and_says_so():
    assert bounded("x" * 100, 100) == "x" * 100
    assert bounded("x" * 101, 100) == "x" * (100 - len(CUT)) + CUT


def test_what_is_kept_is_read_again():
    assert (spelled(()), read_calls("")) == ("", ())
    assert read_calls(spelled((SET, CUT_OFF))) == (SET, CUT_OFF)


@pytest.mark.parametrize(
    "text", ["{", "{}", "5", '"text"', "[1]", '[["a", "{}", "", "gone"]]', '[["a", "{}", "", 1]]', '[["a", "{}", ""]]']
)
def test_what_was_never_kept_so_is_told(text):
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        read_calls(text)


# --- in a conversation ------------------------------------------------------------------------------------------------


def test_the_items_of_a_turn_are_words_calls_and_the_reply():
    items = [*recalled(record(Outcome.COMPLETED, reply="It is set.", heard=10))]
    assert items == [
        Words(id="said_3", by="person", text="question"),
        ToolUse(id="use_3_0", call="use_3_0", name="set_timer", arguments='{"s": 10}'),
        ToolOutput(id="result_3_0", call="use_3_0", output="Set."),
        ToolUse(id="use_3_1", call="use_3_1", name="set_timer", arguments="{}"),
        ToolOutput(id="result_3_1", call="use_3_1", output=UNANSWERED),
        Words(id="reply_3", by="assistant", text="It is set."),
    ]
    assert [turn_of(item.id) for item in items] == [3] * 6
    assert [is_own(item.id) for item in items] == [False, True, True, True, True, False]


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.INTERRUPTED, Outcome.FAILED, Outcome.TIMED_OUT])
def test_what_was_done_is_left_of_any_turn_with_the_words_that_asked_for_it(outcome):
    assert [item.id for item in recalled(record(outcome))][:2] == ["said_3", "use_3_0"]


def test_a_model_is_shown_calls_before_their_results():
    one, other = (record(Outcome.COMPLETED, reply="Yes.", heard=4), record(Outcome.FAILED))
    messages = prompt([*remembered([one, other])], system="", budget_tokens=1000)
    used = ["assistant", "tool", "tool"]
    assert [message.role for message in messages] == ["user", *used, "assistant", "user", *used]
    assert isinstance(messages[1], Message)
    assert [use.call for use in messages[1].calls] == [messages[2].answers, messages[3].answers]
    # Of two turns, the ids of no two calls are the same.
    assert len({use.call for message in messages for use in message.calls}) == 4


def test_a_record_is_cut_to_less_and_never_to_other_calls():
    whole = record(Outcome.COMPLETED, reply="Yes.", heard=4)
    assert is_shorter(replace(whole, calls=()), whole)
    assert not is_shorter(replace(whole, calls=(SET,)), whole)
    assert not is_shorter(whole, replace(whole, calls=()))
    assert left_of(record(Outcome.FAILED, said=""))
    assert not left_of(record(Outcome.FAILED, said="", calls=()))


def words(*keys):
    return [Words(id=key, by="person", text=key) for key in keys]


def test_the_servers_calls_have_their_place_and_clients_know_none_of_it():
    used = [item for item in recalled(record(Outcome.COMPLETED)) if is_own(item.id)][:2]
    behind = Items(words("said_3", "reply_3"))
    behind.insert(used, "said_3", "reply_3")
    assert [item.id for item in behind] == ["said_3", "use_3_0", "result_3_0", "reply_3"]
    assert (behind.before("reply_3"), behind.told_before("reply_3")) == ("result_3_0", "said_3")
    before = Items(words("mine", "reply_3"))
    before.insert(used, "said_3", "reply_3")
    assert [item.id for item in before] == ["mine", "use_3_0", "result_3_0", "reply_3"]
    first = Items(words("reply_3"))
    first.insert(used, "said_3", "reply_3")
    assert first.told_before("reply_3") is None
    alone = Items()
    alone.insert(used, "said_3", "reply_3")
    alone.insert(used, "said_3", "reply_3")
    alone.add(*words("mine"))
    assert ([item.id for item in alone], alone.told_before("mine")) == (["use_3_0", "result_3_0", "mine"], None)
    alone.delete_own(4)
    alone.delete_own(3)
    assert [item.id for item in alone] == ["mine"]
