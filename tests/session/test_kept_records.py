"""Which turns a session knows to be in the store, and when it has to look anew."""

from dataclasses import replace

from voice_trio.core.history import Record
from voice_trio.core.messages import Outcome
from voice_trio.memory.base import RECALLED_RECORDS
from voice_trio.session.kept_records import KeptRecords


def record(turn, session="mine"):
    return Record(
        conversation="c",
        session=session,
        turn=turn,
        said=f"turn {turn}",
        reply="Yes.",
        heard=4,
        outcome=Outcome.COMPLETED,
        ended_at=0.0,
    )


def kept(*records, unsure=()):
    one = KeptRecords()
    for each in records:
        one.keep(each)
    for each in unsure:
        one.doubt(each)
    return one


def test_what_is_as_it_was_is_known():
    assert kept().knows([])
    assert kept(record(1), record(2)).knows([record(1), record(2)])


def test_less_and_more_are_not():
    assert not kept(record(1), record(2)).knows([record(1)])
    assert not kept(record(1)).knows([record(1), record(7, "another's")])


def test_where_one_is_unsure_it_is_found_out():
    there = kept(record(1), unsure=[record(2)])
    assert not there.knows([record(1), record(2)])
    assert there.learn([record(1), record(2)]) == []
    assert [*there.own] == [1, 2]
    assert there.knows([record(1), record(2)])
    gone = kept(record(1), unsure=[record(2)])
    assert gone.learn([record(1)]) == []
    assert [*gone.own] == [1]
    assert gone.knows([record(1)])


def test_what_was_taken_back_of_a_turn_makes_it_no_other():
    cut = replace(record(2), said="", reply="", heard=0)
    assert kept(record(1), cut).knows([record(1), record(2)])


def test_of_more_than_are_recalled_the_latest_tells():
    mine = [record(turn) for turn in range(RECALLED_RECORDS)]
    one = kept(*mine)
    assert one.knows(mine)
    assert not one.knows([*mine[1:], record(3, "another's")])
