"""What happens to a store whose files are taken away under it: no turn is called remembered that is not."""

import os
import shutil
import sqlite3
from contextlib import closing

import pytest
import trio

from tests.memory.records import record
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.memory.base import StoreError, StoreLost
from voice_trio.memory.database import Database
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedSynthesizer, scripted_engines

pytestmark = pytest.mark.real


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "memory.sqlite3"


@pytest.fixture
async def store(path):
    store = SqliteStore(Database(path, busy_s=1.0))
    yield store
    await store.aclose()


def turns_on_disk(path, name):
    """What another process would find, were this one killed now."""
    with closing(sqlite3.connect(path)) as other:
        rows = "SELECT turn FROM records WHERE conversation = ? ORDER BY turn"
        return [turn for (turn,) in other.execute(rows, (name,))]


def another_store(path):
    with closing(Database(path, busy_s=1.0)) as database:
        database.add(record("somebody else's", 1))


def deleted(path):
    path.unlink()


def deleted_with_all_beside_it(path):
    for file in [*path.parent.iterdir()]:
        file.unlink()


def replaced(path):
    other = path.parent.parent / "other" / path.name
    another_store(other)
    other.replace(path)


def emptied(path):
    for name in (path.name, path.name + "-wal"):
        os.truncate(path.with_name(name), 0)


def folder_removed(path):
    shutil.rmtree(path.parent)


def folder_renamed(path):
    path.parent.rename(path.parent.with_name("gone"))


LOSSES = [
    deleted,
    deleted_with_all_beside_it,
    replaced,
    emptied,
    folder_removed,
    folder_renamed,
]


@pytest.mark.parametrize("lose", LOSSES)
async def test_what_is_lost_is_told_once_and_later_turns_are_remembered(store, path, lose):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        lose(path)
        with pytest.raises(StoreLost, match="deleted or replaced"):
            await store.commit(record(name, 2))
        # The id of a conversation in progress stays good.
        assert list(await store.recall(name)) == []
        await store.commit(record(name, 3))
        assert [kept.turn for kept in await store.recall(name)] == [3]
        assert turns_on_disk(path, name) == [3]
        assert await store.recall(await store.begin()) == []


async def test_a_session_says_so_and_goes_on(store, path):
    engines = scripted_engines(synthesizer=ScriptedSynthesizer(char_ms=1))
    with trio.fail_after(30):
        async with conversation(store=store, engines=engines) as talk:
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Done, turn=1)).remembered is True
            folder_removed(path)
            await talk.ask(m.Text(text="hello"))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable, error.turn) == (ErrorCode.INTERNAL, True, 2)
            assert error.message.startswith("The server's memory was deleted or replaced while it was in use: ")
            assert (await talk.wait_for(m.Done, turn=2)).remembered is False
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Done, turn=3)).remembered is True


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
async def test_a_log_that_is_deleted_costs_nothing(store, path, suffix):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        path.with_name(path.name + suffix).unlink()
        await store.commit(record(name, 2))
        assert turns_on_disk(path, name) == [1, 2]


async def test_a_shared_memory_that_is_cut_does_not_kill_the_process(store, path):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        os.truncate(path.with_name(path.name + "-shm"), 0)
        await store.commit(record(name, 2))
        assert [kept.turn for kept in await store.recall(name)] == [1, 2]
        assert turns_on_disk(path, name) == [1, 2]


def garbage(path):
    path.write_bytes(b"\xa5" * 40_960)


def diary(path):
    path.unlink()
    path.write_text("Dear diary, " * 1000)


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [garbage, diary, a_folder, a_pipe])
async def test_what_cannot_be_opened_fails_each_turn_until_it_can(store, path, spoil):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        spoil(path)
        for turn in (2, 3):
            with pytest.raises(StoreError, match=r"not a database|malformed|not a file"):
                await store.commit(record(name, turn))
        shutil.rmtree(path.parent)
        with pytest.raises(StoreLost):
            await store.commit(record(name, 4))
        await store.commit(record(name, 5))
        assert turns_on_disk(path, name) == [5]


async def test_a_copy_that_is_put_back_goes_on_and_tells_what_it_lacks(store, path, tmp_path):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        with closing(sqlite3.connect(path)) as other:
            other.execute("VACUUM INTO ?", (str(tmp_path / "copy"),))
        await store.commit(record(name, 2))
        (tmp_path / "copy").replace(path)
        with pytest.raises(StoreLost):
            await store.commit(record(name, 3))
        await store.commit(record(name, 4))
        assert [kept.turn for kept in await store.recall(name)] == [1, 4]


async def test_a_full_copy_that_is_put_back_loses_nothing(store, path, tmp_path):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        with closing(sqlite3.connect(path)) as other:
            other.execute("VACUUM INTO ?", (str(tmp_path / "copy"),))
        (tmp_path / "copy").replace(path)
        await store.commit(record(name, 2))
        assert turns_on_disk(path, name) == [1, 2]


async def test_a_file_that_goes_while_it_is_written_is_told_too(store, path, monkeypatch):
    def add_and_lose(database, record, *, add=Database.add):
        add(database, record)
        deleted_with_all_beside_it(path)

    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        with monkeypatch.context() as patch:
            patch.setattr(Database, "add", add_and_lose)
            with pytest.raises(StoreLost):
                await store.commit(record(name, 2))
        await store.commit(record(name, 3))
        assert turns_on_disk(path, name) == [3]


async def test_other_processes_that_write_are_no_loss(store, path):
    with trio.fail_after(30):
        name = await store.begin()
        for turn in range(1, 20):
            await store.commit(record(name, turn))
            with closing(Database(path, busy_s=1.0)) as other:
                other.add(record("theirs", turn))
                other.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert turns_on_disk(path, name) == [*range(1, 20)]


async def test_a_database_that_was_moved_away_has_all_that_was_committed(store, path):
    with trio.fail_after(30):
        name = await store.begin()
        await store.commit(record(name, 1))
        moved = path.parent.parent / path.name
        path.rename(moved)
        with pytest.raises(StoreLost):
            await store.commit(record(name, 2))
        assert turns_on_disk(moved, name) == [1]
