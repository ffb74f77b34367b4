"""Lists, wherever they are kept."""

import sqlite3
from contextlib import closing, suppress
from math import inf

import pytest
import trio

from tests.memory.records import record
from voice_trio import config
from voice_trio.memory import list_rows, rewriting
from voice_trio.memory.database import Database
from voice_trio.memory.lists import StoredLists, lists_of
from voice_trio.memory.open import database_path, open_store
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.skills.keeping import InProcessLists
from voice_trio.toolbox.base import ToolError

pytestmark = pytest.mark.real


def settings(tmp_path, memory="on"):
    return config.load(memory=memory, data_dir=str(tmp_path / "data"))


@pytest.fixture(params=["on", "off", "postgres"])
async def lists(request, settings_of):
    async with open_store(settings_of(request.param)) as store:
        yield lists_of(store)


async def test_what_is_added_stands_there_in_its_order_and_on_its_own_list(lists):
    with trio.fail_after(30):
        assert (await lists.names("a"), await lists.read("a", "shopping")) == ([], [])
        await lists.add("a", "shopping", ["milk", "bread"])
        await lists.add("a", "to-do", ["call 'Anna'; DROP TABLE list_items"])
        await lists.add("a", "shopping", ["milk", "🥚 eggs"])
        await lists.add("b", "shopping", ["wine"])
        assert await lists.read("a", "shopping") == ["milk", "bread", "milk", "🥚 eggs"]
        assert await lists.names("a") == ["to-do", "shopping"]
        assert await lists.read("b", "shopping") == ["wine"]


async def test_what_is_removed_is_gone_and_an_empty_list_too(lists):
    with trio.fail_after(30):
        await lists.add("a", "shopping", ["milk", "bread", "milk"])
        await lists.add("b", "shopping", ["milk"])
        await lists.remove("a", "shopping", ["milk", "no such thing"])
        await lists.remove("a", "no such list", ["bread"])
        await lists.remove("c", "shopping", ["bread"])
        assert await lists.read("a", "shopping") == ["bread"]
        await lists.remove("a", "shopping", ["bread"])
        assert (await lists.names("a"), await lists.names("b")) == ([], ["shopping"])


async def test_of_things_added_at_once_as_many_find_room_as_there_is(lists):
    declined = []

    async def add(name, items):
        try:
            await lists.add("a", name, items)
        except ToolError as error:
            declined.append(str(error))

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            for number in range(9):
                nursery.start_soon(add, "shopping", [f"{number} {at}" for at in range(30)])
        assert len(await lists.read("a", "shopping")) == 180
        assert declined == ["There is no room for more than 200 things on a list."] * 3
        async with trio.open_nursery() as nursery:
            for number in range(60):
                nursery.start_soon(add, f"list {number}", ["one"])
        assert len(await lists.names("a")) == 50
        assert len(declined) == 14


async def test_half_a_character_can_be_kept_and_taken_off(lists):
    with trio.fail_after(30):
        await lists.add("a", "\ud800", ["\udfff"])
        await lists.remove("a", "\ud800", ["\udfff"])
        assert await lists.names("a") == []


async def test_lists_outlive_the_server(tmp_path):
    with trio.fail_after(30):
        async with open_store(settings(tmp_path)) as store:
            await lists_of(store).add("a", "shopping", ["milk"])
        async with open_store(settings(tmp_path)) as store:
            assert await lists_of(store).read("a", "shopping") == ["milk"]


async def test_in_process_only_the_latest_conversations_have_lists():
    lists = InProcessLists(max_conversations=2)
    for name in "abca":
        await lists.add(name, "shopping", ["milk"])
    assert [len(await lists.names(name)) for name in "abc"] == [1, 0, 1]


async def test_a_store_that_cannot_be_used_is_told_in_a_sentence(tmp_path):
    with trio.fail_after(30):
        async with open_store(settings(tmp_path)) as store:
            path = database_path(settings(tmp_path))
            with closing(sqlite3.connect(path)) as other, suppress(sqlite3.Error):
                other.execute("DROP TABLE list_items")
            with pytest.raises(ToolError, match=r"^The server's memory cannot be used\.$"):
                await lists_of(store).add("a", "shopping", ["milk"])


def left(path):
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    return {name for name in ("anna", "bert") if name.encode() in data}


def kept(path):
    """Give a database with lists of two people, one of whom has turns as well."""
    database = Database(path, busy_s=1.0)
    for turn in range(1, 30):
        for name in ("anna", "bert"):
            list_rows.add(database, name, "shopping", [f"{name}'s {turn} " * 9], float(turn))
    database.add(record("anna", 1))
    return database


def test_a_forgotten_conversation_leaves_no_trace_of_its_lists(tmp_path):
    path = tmp_path / "data" / "memory.sqlite3"
    with closing(kept(path)) as database:
        assert sum(rewriting.forget(database, "anna")) == 1
        assert list_rows.items(database, "anna", "shopping") == []
        assert [*rewriting.scrub(database)]
        assert len(list_rows.items(database, "bert", "shopping")) == 29
    assert left(path) == {"bert"}


def test_what_is_too_old_leaves_lists_as_well(tmp_path):
    path = tmp_path / "data" / "memory.sqlite3"
    with closing(kept(path)) as database:
        assert sum(rewriting.prune(database, 20.0)) == 0
        assert len(list_rows.items(database, "anna", "shopping")) == 10
        assert sum(rewriting.prune(database, inf)) == 1
    assert left(path) == set()


def test_a_database_of_before_there_were_lists_gets_them(tmp_path):
    path = tmp_path / "data" / "memory.sqlite3"
    Database(path, busy_s=1.0).close()
    with closing(sqlite3.connect(path)) as earlier:
        earlier.executescript(
            "DROP TABLE list_items; DROP TABLE alerts; DROP TABLE titles; PRAGMA user_version = 3;"
            "ALTER TABLE records DROP COLUMN origin; ALTER TABLE leaving DROP COLUMN origin"
        )
    with closing(Database(path, busy_s=1.0)) as database:
        list_rows.add(database, "a", "shopping", ["milk"], 1.0)
        assert list_rows.names(database, "a") == ["shopping"]


async def test_the_time_of_adding_is_the_clock_s(tmp_path):
    with trio.fail_after(30):
        async with open_store(settings(tmp_path)) as store:
            assert isinstance(store, SqliteStore)
            await StoredLists(store, lambda: 123.0).add("a", "shopping", ["milk"])
            await store.prune(123.0)
            assert await lists_of(store).names("a") == ["shopping"]
            await store.prune(124.0)
            assert await lists_of(store).names("a") == []
