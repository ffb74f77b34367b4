"""Connections that break, and a database that is started anew: what was announced is there, once."""

import os
import re
import signal
from dataclasses import replace

import pytest
import trio

from tests.memory.postgres.relay import relay_to
from tests.memory.records import record
from tools.store_bench import restarts
from voice_trio import config
from voice_trio.core.messages import Outcome
from voice_trio.memory.base import StoreError, StoreUnsure
from voice_trio.memory.lists import lists_of
from voice_trio.memory.open import open_store
from voice_trio.memory.postgres.open import open_postgres
from voice_trio.toolbox.base import ToolError

pytestmark = pytest.mark.real


@pytest.fixture
async def relay(postgres):
    async with relay_to(postgres.port) as relay:
        yield relay


def through(relay, address):
    return re.sub(r":\d+/", f":{relay.port}/", address)


async def test_a_commit_whose_answer_was_lost_is_found_on_a_new_connection_and_there_once(relay, database_url):
    async def cut():
        await relay.answered.wait()
        relay.is_deaf = False
        relay.cut()

    with trio.fail_after(30):
        async with open_postgres(through(relay, database_url), connections=1, claim_ttl_s=10) as store:
            name = await store.begin()
            assert await store.claims.hold(name)
            for turn in range(1, 6):
                relay.answered, relay.is_deaf = trio.Event(), True
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(cut)
                    await store.commit(record(name, turn))
            assert [one.turn for one in await store.recall(name)] == [1, 2, 3, 4, 5]
    assert relay.connections > 5


async def test_where_no_new_connection_comes_about_nobody_knows_and_the_next_turn_is_remembered(relay, database_url):
    with trio.fail_after(30):
        async with open_postgres(through(relay, database_url), connections=1, claim_ttl_s=10) as store:
            name = await store.begin()
            assert await store.claims.hold(name)
            relay.is_deaf = True
            began_at = trio.current_time()
            with pytest.raises(StoreUnsure):
                await store.commit(record(name, 1))
            assert trio.current_time() - began_at < 5.0
            relay.is_deaf = False
            relay.cut()
            await store.commit(record(name, 2))
            assert [one.turn for one in await store.recall(name)] == [1, 2]


async def test_a_claim_whose_answer_was_lost_is_given_back(relay, database_url):
    with trio.fail_after(30):
        async with (
            open_postgres(through(relay, database_url), connections=1, claim_ttl_s=20) as store,
            open_postgres(database_url, connections=1, claim_ttl_s=20) as other,
        ):
            assert await store.claims.hold("a")
            relay.is_deaf = True
            with pytest.raises(StoreUnsure):
                await store.claims.hold("b")
            assert not await other.claims.hold("b")
            relay.is_deaf = False
            relay.cut()
            while not await other.claims.hold("b"):  # noqa: ASYNC110 - nobody tells when it is free
                await trio.sleep(0.02)
            assert await store.claims.hold("a")
            assert not await store.claims.hold("b")


async def test_where_nothing_was_sent_it_is_known_that_nothing_was_written(relay, database_url):
    with trio.fail_after(30):
        async with open_postgres(through(relay, database_url), connections=1, claim_ttl_s=10) as store:
            name = await store.begin()
            assert await store.claims.hold(name)
            await store.commit(record(name, 1))
            relay.close()
            # The connection that there is breaks under the first, which is therefore sent, for all that is known.
            with pytest.raises(StoreUnsure):
                await store.commit(record(name, 2))
            with pytest.raises(StoreError, match="nothing listens there") as caught:
                await store.commit(record(name, 3))
            assert not isinstance(caught.value, StoreUnsure)
        async with open_postgres(database_url, connections=1, claim_ttl_s=10) as store:
            assert [one.turn for one in await store.recall(name)] == [1]


async def test_what_would_do_harm_twice_is_done_once(relay, database_url):
    settings = config.load(database_url=through(relay, database_url), database_connections=1)
    with trio.fail_after(60):
        async with open_store(settings) as store:
            lists = lists_of(store)
            await lists.add("a", "shopping", ["milk"])
            # What broke while it stood idle does no harm: nothing of it was sent.
            relay.cut()
            await lists.add("a", "shopping", ["bread"])
            assert await lists.read("a", "shopping") == ["milk", "bread"]
            relay.close()
            with pytest.raises(ToolError, match=r"memory"):
                await lists.add("a", "shopping", ["wine"])


async def test_a_database_that_stands_still_is_not_waited_for_for_ever(postgres, database_url):
    with trio.fail_after(60):
        async with open_postgres(database_url, connections=2, claim_ttl_s=10) as store:
            name = await store.begin()
            assert await store.claims.hold(name)
            await store.commit(record(name, 1))
            # All its processes: the one that answers us is a child of the first.
            pids = [postgres.pid, *postgres.children()]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                began_at = trio.current_time()
                with pytest.raises(StoreUnsure):
                    await store.commit(record(name, 2))
                with pytest.raises(StoreError):
                    await store.recall(name)
                assert trio.current_time() - began_at < 12.0
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
            # Whatever became of that one.
            await store.commit(record(name, 3))
            assert [one.turn for one in await store.recall(name)] in ([1, 3], [1, 2, 3])


async def test_a_turn_is_remembered_once_and_cut_late(database_url):
    with trio.fail_after(30):
        async with open_postgres(database_url, connections=2, claim_ttl_s=10) as store:
            name = await store.begin()
            await store.commit(record(name, 1))
            with pytest.raises(StoreError, match="UNIQUE"):
                await store.commit(record(name, 1))
            # It is known late how much was heard, after another server has the conversation.
            async with open_postgres(database_url, connections=1, claim_ttl_s=10) as other:
                while not await other.claims.hold(name):  # noqa: ASYNC110 - nobody tells when it is free
                    await trio.sleep(0.01)
                await store.amend(replace(record(name, 1), heard=3, outcome=Outcome.INTERRUPTED))
            [kept] = await store.recall(name)
            assert (kept.heard, kept.outcome) == (3, Outcome.INTERRUPTED)


def test_three_restarts_while_turns_end_lose_nothing_that_was_announced(postgres, database_url):
    found = trio.run(lambda: restarts.live(postgres, database_url, restarts=3, speakers=4))
    assert (found.lost, found.twice, found.denied) == (0, 0, 0)
    assert found.count(True) > 50
