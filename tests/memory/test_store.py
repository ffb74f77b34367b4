"""What every store does."""

from dataclasses import replace

import pytest
import trio

from tests.memory.records import record
from voice_trio.core.called import Called
from voice_trio.core.messages import CallState, Outcome
from voice_trio.memory.base import RECALLED_RECORDS
from voice_trio.memory.in_process import InProcessStore
from voice_trio.memory.open import open_store

pytestmark = pytest.mark.real


@pytest.fixture(params=["on", "off", "postgres"])
async def store(request, settings_of):
    async with open_store(settings_of(request.param)) as store:
        yield store


async def test_what_was_committed_is_recalled_in_order_and_apart_from_the_rest(store):
    with trio.fail_after(30):
        one, other = await store.begin(), await store.begin()
        for turn in range(1, 6):
            await store.commit(record(one, turn))
        await store.commit(record(other, 1))
        assert list(await store.recall(one)) == [record(one, turn) for turn in range(1, 6)]
        assert list(await store.recall(other)) == [record(other, 1)]


@pytest.mark.parametrize("outcome", Outcome)
async def test_a_record_comes_back_as_it_was(store, outcome):
    with trio.fail_after(30):
        conversation = await store.begin()
        kept = record(
            conversation,
            2**32 - 1,
            said="Grüße, 世界 👋🏽\n'); DROP TABLE records; --",
            reply="nul\0nul " * 2000,
            heard=0,
            outcome=outcome,
            ended_at=1_700_000_000.123456,
        )
        await store.commit(kept)
        [back] = await store.recall(conversation)
        assert back == kept
        assert back.outcome is outcome


async def test_an_id_that_was_issued_is_known_before_anything_was_said_and_any_other_never(store):
    with trio.fail_after(30):
        conversation = await store.begin()
        assert list(await store.recall(conversation)) == []
        stranger = await InProcessStore().begin()
        for unknown in (
            "",
            "c",
            "-",
            "é" * 39,
            "\ud800",
            "x" * 100_000,
            stranger,
            conversation[:-1],
            conversation + "=",
            conversation + "\n",
            conversation.swapcase(),
        ):
            assert await store.recall(unknown) is None


async def test_ids_differ_wholly_and_suit_a_command_line_and_the_wire(store):
    with trio.fail_after(30):
        ids = [await store.begin() for _ in range(1000)]
    assert len({name[1:23] for name in ids}) == len({name[23:] for name in ids}) == 1000
    for name in ids:
        assert name.startswith("c")
        assert len(name) == 39
        assert name.replace("-", "").replace("_", "").isalnum()


async def test_the_latest_records_are_recalled(store):
    with trio.fail_after(30):
        conversation = await store.begin()
        for turn in range(1, RECALLED_RECORDS + 11):
            await store.commit(record(conversation, turn))
        recalled = await store.recall(conversation)
    assert [kept.turn for kept in recalled] == list(range(11, RECALLED_RECORDS + 11))


async def test_what_was_cut_is_recalled_so_and_never_becomes_longer(store):
    with trio.fail_after(30):
        conversation = await store.begin()
        whole = record(conversation, 1, reply="one \ud83d two three", heard=13)
        cut = replace(whole, heard=3, outcome=Outcome.INTERRUPTED)
        for turn in (1, 2):
            await store.commit(replace(whole, turn=turn))
        await store.amend(cut)
        for other in (
            whole,
            replace(cut, heard=4),
            replace(cut, said="other"),
            replace(cut, turn=3),
            replace(cut, session="other"),
            replace(cut, conversation=await store.begin()),
        ):
            await store.amend(other)
        first, second = await store.recall(conversation)
        assert (first.heard, first.outcome, first.said) == (3, Outcome.INTERRUPTED, whole.said)
        assert (second.heard, second.outcome) == (13, Outcome.COMPLETED)
        await store.amend(replace(cut, said="", reply="", heard=0))
        first, second = await store.recall(conversation)
        assert (first.said, first.reply, first.heard, second.heard) == ("", "", 0, 13)


async def test_what_tools_did_is_recalled_and_can_be_forgotten(store):
    calls = (
        Called(name="set_timer", arguments='{"text": "\u00bd \U0001f600"}', result="Set.", state=CallState.DONE),
        Called(name="set_timer", arguments="{}", result="", state=CallState.CANCELLED),
    )
    with trio.fail_after(30):
        conversation = await store.begin()
        whole = record(conversation, 1, calls=calls)
        await store.commit(whole)
        assert list(await store.recall(conversation)) == [whole]
        await store.amend(replace(whole, calls=calls[:1]))
        await store.amend(replace(whole, heard=3))
        assert [one.calls for one in await store.recall(conversation)] == [calls]
        await store.amend(replace(whole, heard=3, calls=()))
        await store.amend(replace(whole, heard=3, calls=calls))
        assert [one.calls for one in await store.recall(conversation)] == [()]


async def test_what_was_forgotten_is_not_remembered_by_a_cut(store):
    with trio.fail_after(30):
        conversation = await store.begin()
        kept = record(conversation, 1, ended_at=10.0)
        await store.commit(kept)
        assert await store.prune(before=20.0) == 1
        await store.amend(replace(kept, heard=1))
        assert list(await store.recall(conversation)) == []


async def test_what_is_too_old_is_pruned_and_its_conversation_may_go_on(store):
    with trio.fail_after(30):
        old, mixed, empty = [await store.begin() for _ in range(3)]
        await store.commit(record(old, 1, ended_at=10.0))
        await store.commit(record(mixed, 1, ended_at=10.0))
        await store.commit(record(mixed, 2, ended_at=20.0))
        assert await store.prune(before=20.0) == 2
        assert await store.prune(before=20.0) == 0
        assert list(await store.recall(old)) == list(await store.recall(empty)) == []
        assert [kept.turn for kept in await store.recall(mixed)] == [2]
        await store.commit(record(old, 2, ended_at=30.0))
        await store.commit(record(mixed, 3, ended_at=30.0))
        assert [kept.turn for kept in await store.recall(old)] == [2]
        assert [kept.turn for kept in await store.recall(mixed)] == [2, 3]


async def test_many_commit_at_once(store):
    async def fill(conversation):
        for turn in range(1, 6):
            await store.commit(record(conversation, turn))
            assert len(await store.recall(conversation)) == turn

    with trio.fail_after(30):
        ids = [await store.begin() for _ in range(50)]
        async with trio.open_nursery() as nursery:
            for conversation in ids:
                nursery.start_soon(fill, conversation)
        for conversation in ids:
            assert list(await store.recall(conversation)) == [record(conversation, turn) for turn in range(1, 6)]


async def test_a_store_in_the_process_lets_go_of_the_conversation_that_was_quiet_longest():
    with trio.fail_after(30):
        store = InProcessStore(max_conversations=2)
        first, second, third = [await store.begin() for _ in range(3)]
        for conversation, turn in [(first, 1), (second, 1), (first, 2), (third, 1)]:
            await store.commit(record(conversation, turn))
        assert [len(await store.recall(conversation)) for conversation in (first, second, third)] == [2, 0, 1]
        await store.commit(record(second, 2))
        assert len(await store.recall(second)) == 1
