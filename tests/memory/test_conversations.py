"""Looking through what is remembered, wherever it is."""

from contextlib import asynccontextmanager, closing
from math import inf
from pathlib import Path
from random import Random

import pytest
import trio

from tests.memory.records import record
from voice_trio import config
from voice_trio.core.history import Record
from voice_trio.core.messages import Outcome
from voice_trio.memory import conversation_rows, list_rows, rewriting, sqlite_conversations, title_rows
from voice_trio.memory.conversations import Place, Sought
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path, open_store
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.memory.sqlite_conversations import open_conversations

pytestmark = pytest.mark.real


@pytest.fixture
def path(tmp_path):
    return database_path(config.load(data_dir=str(tmp_path / "data")))


@asynccontextmanager
async def opened(settings):
    """Have a store, and what looks through it."""
    with trio.fail_after(60):
        async with open_store(settings) as store, open_conversations(store) as conversations:
            yield store, conversations


@pytest.fixture(params=["on", "off", "postgres"])
async def kept(request, settings_of):
    async with opened(settings_of(request.param)) as both:
        yield both


async def names(conversations, limit=100, **sought):
    return [one.id for one in (await conversations.page(Sought(limit=limit, **sought))).conversations]


async def test_the_newest_come_first_with_their_first_words_and_times(kept):
    store, conversations = kept
    await store.commit(record("a", 1, said="", reply="Hello.", ended_at=100.0))
    await store.commit(record("b", 1, said="What is\nthe time?", ended_at=200.0))
    await store.commit(record("a", 2, said="And now?", ended_at=300.0))
    page = await conversations.page(Sought(limit=10))
    assert [(one.id, one.title, one.began_at, one.last_at, one.turns) for one in page.conversations] == [
        ("a", "And now?", 100.0, 300.0, 2),
        ("b", "What is the time?", 200.0, 200.0, 1),
    ]
    assert (page.more, page.complete) == (False, True)


async def test_page_after_page_brings_all_of_them_once(kept, monkeypatch):
    monkeypatch.setattr(sqlite_conversations, "_PLACES", 3)
    store, conversations = kept
    for number in range(10):
        # Some at one time.
        await store.commit(record(f"c{number * 7 % 10}", 1, ended_at=float(number // 3)))
    seen, before = [], None
    while True:
        page = await conversations.page(Sought(limit=3, before=before))
        seen += [one.place for one in page.conversations]
        if not page.more:
            break
        before = seen[-1]
    assert len(seen) == 10
    assert seen == sorted(set(seen), reverse=True)


async def test_only_those_that_are_named_where_some_are(kept):
    store, conversations = kept
    for number, name in enumerate("abc"):
        await store.commit(record(name, 1, said=f"<{name}>", ended_at=float(number)))
    assert await names(conversations, among=["c", "x", "a", "a"]) == ["c", "a"]
    assert await names(conversations, among=["c", "a"], terms=("<a>",)) == ["a"]
    assert await names(conversations, limit=1, among=["c", "a"]) == ["c"]
    assert await names(conversations, limit=1, among=["c", "a"], before=Place(2.0, "c")) == ["a"]
    assert await names(conversations, among=[]) == []


async def test_words_are_found_in_what_was_said_and_answered_and_in_titles(kept):
    store, conversations = kept
    await store.commit(record("a", 1, said="Tea or coffee?", reply="Green tea.", ended_at=1.0))
    await store.commit(record("b", 1, said="Tea", reply="It is noon.", ended_at=2.0))
    await store.commit(record("c", 1, said="Nothing", reply="of the kind", ended_at=3.0))
    assert await names(conversations, terms=("tea",)) == ["b", "a"]
    assert await names(conversations, terms=("tea", "green")) == ["a"]
    assert await names(conversations, terms=("milk",)) == []
    await conversations.rename("c", "About TEA")
    assert await names(conversations, terms=("tea",)) == ["c", "b", "a"]
    assert await names(conversations, terms=("tea",), among=["c", "b"]) == ["c", "b"]


async def test_turns_are_read_in_pages_from_the_last(kept):
    store, conversations = kept
    for number in range(1, 6):
        await store.commit(record("a", number, outcome=Outcome.CANCELLED))
    turns = await conversations.turns("a", limit=2)
    assert [one.record.turn for one in turns] == [4, 5]
    assert turns[0].record == record("a", 4, outcome=Outcome.CANCELLED)
    assert [one.record.turn for one in await conversations.turns("a", limit=9, before=turns[0].number)] == [1, 2, 3]
    assert await conversations.turns("x", limit=2) == []


async def test_a_name_stays_and_goes_with_the_turns(kept):
    store, conversations = kept
    assert not await conversations.rename("a", "A name")
    await store.commit(record("a", 1, ended_at=1.0))
    assert await conversations.rename("a", "A name")
    assert await conversations.rename("a", "Another 🥚")
    page = await conversations.page(Sought(limit=1))
    assert page.conversations[0].title == "Another 🥚"
    assert await conversations.delete("a") == 1
    assert await names(conversations) == []
    await store.commit(record("a", 9, said="anew"))
    assert (await conversations.page(Sought(limit=1))).conversations[0].title == "anew"


async def test_what_is_deleted_is_gone_and_the_rest_stays(kept):
    store, conversations = kept
    for number in range(120):
        await store.commit(record("a", number))
    await store.commit(record("b", 1))
    assert await conversations.delete("a") == 120
    assert await conversations.delete("a") == 0
    assert await names(conversations) == ["b"]
    assert await store.recall("b") == await store.recall("b")


async def test_no_trace_is_left_of_what_was_deleted_while_the_store_is_in_use(tmp_path, path):
    async with opened(config.load(data_dir=str(tmp_path / "data"))) as (store, conversations):
        for number in range(120):
            await store.commit(record("anna", number, said="<anna> " + "word " * 100))
            await store.commit(record("bert", number, said="<bert> " + "word " * 100))
        await conversations.rename("anna", "<anna> by name")
        assert await conversations.delete("anna") == 120

        def traces():
            return sum(file.read_bytes().count(b"anna") for file in path.parent.iterdir())

        while await trio.to_thread.run_sync(traces):  # noqa: ASYNC110 - the wiping tells nobody when it is done
            await trio.sleep(0.01)
        assert await names(conversations) == ["bert"]


def test_what_a_killed_process_had_begun_to_forget_leaves_no_trace_once_the_next_one_is_there(tmp_path, path):
    with closing(Database(path, busy_s=1.0)) as database:
        for number in range(120):
            database.add(record("anna", number, said="<anna> " + "word " * 100))
            database.add(record("bert", number))
        # All is deleted, and nothing is carried over yet.
        assert sum(rewriting.forget(database, "anna")) == 120
        assert database.has_leaving()

    async def live() -> None:
        async with opened(config.load(data_dir=str(tmp_path / "data"))) as (_, conversations):
            while b"anna" in path.read_bytes():  # noqa: ASYNC110
                await trio.sleep(0.01)
            assert await names(conversations) == ["bert"]

    trio.run(live)


def test_retention_takes_names_too(path):
    with closing(Database(path, busy_s=1.0)) as database:
        database.add(record("anna", 1, ended_at=1.0))
        database.add(record("bert", 1, ended_at=9.0))
        assert title_rows.rename(database, "anna", "old")
        assert title_rows.rename(database, "bert", "new")
        assert sum(rewriting.prune(database, 5.0)) == 1
        assert database.read("SELECT title FROM titles") == [("new",)]
        assert sum(rewriting.prune(database, inf)) == 1
        assert database.read("SELECT title FROM titles") == []


def scattered(path: Path, seed: int) -> tuple[Database, list[Record]]:
    """Return a database whose turns lie in both tables, and those turns."""
    database = Database(path, busy_s=1.0)
    random = Random(seed)
    records = []
    for number in range(60):
        one = record(
            f"c{random.randrange(12)}", number, said=random.choice(["", "tea", "milk"]), ended_at=float(number)
        )
        records.append(one)
        database.add(one)
        if random.random() < 0.1:
            database.turn_out()
        elif random.random() < 0.3:
            database.carry_over(-inf, limit=5)
    return database, records


@pytest.mark.parametrize("seed", range(8))
def test_turns_in_both_tables_are_told_of_as_if_they_were_in_one(path, seed):
    database, records = scattered(path, seed)
    with closing(database):
        last = {one.conversation: one.ended_at for one in records}
        for limit in (1, 4, 100):
            listed, after = [], ""
            while after is not None:
                some, after = conversation_rows.places(database, after, limit)
                listed += some
            assert sorted(listed) == sorted(Place(at, name) for name, at in last.items())
        for name in last:
            own = [one for one in records if one.conversation == name]
            told = conversation_rows.summary(database, name)
            assert (told.began_at, told.last_at, told.turns) == (own[0].ended_at, own[-1].ended_at, len(own))
            assert told.title == next((one.said for one in own if one.said), "")
            assert [one.record for one in conversation_rows.turns(database, name, 100, None)] == own
            assert conversation_rows.says(database, name, ["milk"]) is any(one.said == "milk" for one in own)
        found: set[str] = set()
        for table in ("leaving", "records"):
            below, begun = None, False
            while below is not None or not begun:
                begun = True
                saying, below = conversation_rows.saying(database, table, ["milk"], below, 7)
                found |= saying
        assert found == {one.conversation for one in records if one.said == "milk"}
        assert conversation_rows.count(database) == (len(last), 60)


async def test_a_turn_is_remembered_between_two_steps_of_a_search(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_conversations, "_SEARCHED", 1)
    async with opened(config.load(data_dir=str(tmp_path / "data"))) as (store, conversations):
        assert isinstance(store, SqliteStore)
        for number in range(50):
            await store.commit(record("a", number, said="tea"))
        steps = []
        plain = store.use

        async def counted(work):
            steps.append(work)
            if len(steps) == 10:
                nursery.start_soon(remember)
            return await plain(work)

        async def remember():
            await store.commit(record("b", 1, said="milk"))
            steps_at.append(len(steps))

        steps_at: list[int] = []
        monkeypatch.setattr(store, "use", counted)
        async with trio.open_nursery() as nursery:
            assert await names(conversations, terms=("tea",)) == ["a"]
        assert steps_at[0] < 20
        assert len(steps) > 50


async def test_a_search_that_takes_too_long_says_that_it_has_not_seen_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_conversations, "_SEARCHED", 1)
    monkeypatch.setattr(sqlite_conversations, "SEARCH_S", 0.0)
    async with opened(config.load(data_dir=str(tmp_path / "data"))) as (store, conversations):
        await store.commit(record("a", 1, said="tea", ended_at=1.0))
        await store.commit(record("b", 1, said="tea", ended_at=2.0))
        page = await conversations.page(Sought(limit=10, terms=("tea",)))
        assert ([one.id for one in page.conversations], page.complete) == (["b"], False)


def test_lists_are_still_forgotten(path):
    with closing(Database(path, busy_s=1.0)) as database:
        list_rows.add(database, "anna", "shopping", ["milk"], 1.0)
        assert sum(rewriting.forget(database, "anna")) == 0
        assert list_rows.names(database, "anna") == []
