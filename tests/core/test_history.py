from voice_trio.core.history import CUT_OFF, Message, Record, prompt
from voice_trio.core.messages import Outcome


def record(outcome, *, said="question", reply="the whole reply", heard=0):
    return Record(
        conversation="c", session="s", turn=1, said=said, reply=reply, heard=heard, outcome=outcome, ended_at=0.0
    )


def recalled(*records, budget=1000):
    messages = prompt(records, "now", system="be kind", budget_tokens=budget)
    assert messages[0] == Message("system", "be kind")
    assert messages[-1] == Message("user", "now")
    return [(message.role, message.content) for message in messages[1:-1]]


def test_a_completed_turn_goes_in_whole():
    assert recalled(record(Outcome.COMPLETED, heard=3)) == [("user", "question"), ("assistant", "the whole reply")]


def test_a_cut_off_one_goes_in_as_heard_and_marked():
    for outcome in (Outcome.CANCELLED, Outcome.INTERRUPTED):
        assert recalled(record(outcome, heard=10)) == [("user", "question"), ("assistant", "the whole" + CUT_OFF)]


def test_one_cancelled_before_a_sound_leaves_nothing():
    assert recalled(record(Outcome.CANCELLED)) == []


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
    assert prompt([], "now", system="", budget_tokens=0) == [Message("user", "now")]
