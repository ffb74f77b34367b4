"""A full disk, as SQLite itself finds it."""

import pytest
import trio

from tests.memory.records import record
from voice_trio import config
from voice_trio.core.faults import parse
from voice_trio.fault_tap import fill_up, inject
from voice_trio.faults import Faults
from voice_trio.memory.base import StoreError
from voice_trio.memory.database import Database
from voice_trio.memory.open import open_store
from voice_trio.testing.scripted import scripted_engines

pytestmark = pytest.mark.real


def test_a_full_disk_changes_nothing_and_there_is_room_afterwards(tmp_path):
    database = Database(tmp_path / "memory.sqlite3", busy_s=1)
    try:
        database.add(record("c1", 1))
        before = [*database.connection.iterdump()]
        for _ in range(2):
            with pytest.raises(StoreError, match="database or disk is full"):
                fill_up(database)
            assert [*database.connection.iterdump()] == before
            assert not database.connection.in_transaction
        database.add(record("c1", 2, reply="x" * 1_000_000))
        assert len(database.recall("c1", 10)) == 2
    finally:
        database.close()


@pytest.mark.parametrize("memory", ["on", "off"])
async def test_a_store_is_full_for_the_commit_that_was_meant(tmp_path, memory):
    with trio.fail_after(30):
        async with open_store(config.load(memory=memory, data_dir=str(tmp_path))) as inner:
            _, store = inject(Faults(parse("store:full#2")), scripted_engines(), inner)
            conversation = await store.begin()
            await store.commit(record(conversation, 1))
            with pytest.raises(StoreError, match="database or disk is full"):
                await store.commit(record(conversation, 2))
            await store.commit(record(conversation, 3))
            assert [kept.turn for kept in await store.recall(conversation)] == [1, 3]
            assert await store.prune(float("inf")) == 2
