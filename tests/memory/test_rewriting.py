"""Pruning and forgetting in short steps: how short they are, and that others have their turn between any two."""

import random
from contextlib import closing
from math import inf

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.memory.records import record
from voice_trio.memory import rewriting
from voice_trio.memory.conversation_rows import count
from voice_trio.memory.database import Database
from voice_trio.memory.sqlite import SqliteStore

pytestmark = pytest.mark.real

NAMES = ("anna", "bert", "cora")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "memory.sqlite3"


def in_haste(database):
    """Leave it to the kernel when the disk gets it."""
    database.connection.execute("PRAGMA synchronous = OFF")


def filled(database, turns, words=20):
    in_haste(database)
    for turn in range(1, turns + 1):
        name = NAMES[turn % 3]
        database.add(record(name, turn, said=f"<{name} {turn}> " * words, ended_at=float(turn)))


def changes_of(database):
    """Collect how many rows each transaction has changed."""
    sizes, at = [], [database.connection.total_changes]

    def note(statement):
        if statement == "COMMIT":
            sizes.append(database.connection.total_changes - at[0])
        if statement in ("BEGIN IMMEDIATE", "COMMIT"):
            at[0] = database.connection.total_changes

    database.connection.set_trace_callback(note)
    return sizes


@pytest.mark.parametrize(
    "steps", [lambda d: rewriting.prune(d, 501.0), rewriting.scrub, lambda d: rewriting.prune(d, inf)]
)
def test_no_transaction_changes_more_than_a_few_rows(path, steps):
    with closing(Database(path, busy_s=1.0)) as database:
        filled(database, 1000)
        sizes = changes_of(database)
        for _ in steps(database):
            assert not database.connection.in_transaction
        # A row that is carried over is one that is added and one that is deleted.
        assert max(sizes) <= 2 * rewriting.ROWS
        assert len(sizes) >= 1000 // rewriting.ROWS


def test_forgetting_a_long_conversation_is_done_in_steps_too(path):
    with closing(Database(path, busy_s=1.0)) as database:
        filled(database, 600)
        sizes = changes_of(database)
        assert sum(rewriting.forget(database, "anna")) == 200
        assert max(sizes) == rewriting.ROWS
        assert count(database) == (2, 400)


async def test_every_commit_has_its_turn_before_the_step_after_the_next(path, monkeypatch):
    order = []
    step = SqliteStore._step

    def noted(self, steps):
        order.append("step")
        return step(self, steps)

    async def talk(store, name):
        for turn in range(1, 11):
            asked = len(order)
            await store.commit(record(name, turn, session="talk", ended_at=1e6))
            order.append("commit")
            assert order[asked:].count("step") <= 1
            assert [kept.turn for kept in await store.recall(name)] == [*range(1, turn + 1)]

    monkeypatch.setattr(SqliteStore, "_step", noted)
    monkeypatch.setattr(rewriting, "PAUSE_S", 0)
    with trio.fail_after(60):
        database = Database(path, busy_s=1.0)
        filled(database, 1000)
        store = SqliteStore(database)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(talk, store, await store.begin())
                assert await store.prune(501.0) == 500
        finally:
            await store.aclose()
    steps = [n for n, what in enumerate(order) if what == "step"]
    commits = [n for n, what in enumerate(order) if what == "commit"]
    assert len(commits) == 10
    assert steps[0] < commits[-1] < steps[-1]


def test_whatever_ends_it_in_the_middle_every_turn_is_found_and_the_next_one_ends_it(path):
    with closing(Database(path, busy_s=1.0)) as database:
        filled(database, 300)
        total = len([*rewriting.scrub(database)])
    for ended_after in range(total):
        with closing(Database(path, busy_s=1.0)) as database:
            in_haste(database)
            steps = rewriting.scrub(database)
            for _ in range(ended_after):
                next(steps)
            steps.close()
        with closing(Database(path, busy_s=1.0)) as database:
            in_haste(database)
            assert count(database) == (3, 300)
            assert [kept.turn for kept in database.recall("anna", 1000)] == [*range(3, 301, 3)]
            for _ in rewriting.scrub(database):
                pass
            assert database.connection.execute("SELECT count(*) FROM leaving").fetchone() == (0,)
            assert database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_is_being_carried_over_can_be_cut_too(path):
    with closing(Database(path, busy_s=1.0)) as database:
        filled(database, 300)
        steps = rewriting.scrub(database)
        for _ in range(3):
            next(steps)
        for turn in (3, 300):
            database.amend(record("anna", turn, said="", ended_at=float(turn)))
        for _ in steps:
            pass
        assert [kept.turn for kept in database.recall("anna", 1000) if not kept.said] == [3, 300]


@given(
    turns=st.lists(st.tuples(st.integers(0, 100), st.integers(1, 400)), min_size=1, max_size=120),
    before=st.integers(0, 101),
    vacuum=st.booleans(),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_too_old_leaves_no_trace_and_the_rest_stays(tmp_path_factory, turns, before, vacuum):
    path = tmp_path_factory.mktemp("store") / "memory.sqlite3"
    with pytest.MonkeyPatch.context() as patch, closing(Database(path, busy_s=1.0)) as database:
        if not vacuum:
            patch.setattr(rewriting, "LITTLE_PAGES", 0)
        in_haste(database)
        for turn, (age, words) in enumerate(turns, start=1):
            database.add(record(f"c{turn % 5}", turn, session="s", said=f"<{turn}>" * words, ended_at=float(age)))
        kept = [turn for turn, (age, _) in enumerate(turns, start=1) if age >= before]
        assert sum(rewriting.prune(database, before)) == len(turns) - len(kept)
        rows = [row for n in range(5) for row in database.recall(f"c{n}", 1000)]
        assert sorted(row.turn for row in rows) == kept
        data = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert [turn for turn in range(1, len(turns) + 1) if f"<{turn}>".encode() in data] == kept


def test_where_little_is_left_the_file_gets_small(path):
    with closing(Database(path, busy_s=1.0)) as database:
        filled(database, 1000, words=200)
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = path.stat().st_size
        assert sum(rewriting.prune(database, 991.0)) == 990
        assert path.stat().st_size < before / 10


@pytest.mark.parametrize("seed", [0, 1, 5])
@pytest.mark.parametrize("carried_over", [True, False])
def test_pages_that_were_joined_keep_nothing_as_they_would_after_a_mere_delete(path, monkeypatch, seed, carried_over):
    monkeypatch.setattr(rewriting, "LITTLE_PAGES", 0)
    chance = random.Random(seed)
    ages = [chance.randrange(100) for _ in range(600)]
    traces = set()
    with closing(Database(path, busy_s=1.0)) as database:
        in_haste(database)
        for turn, age in enumerate(ages):
            said = f"<{turn}>" * chance.randrange(1, 120)
            database.add(record(f"c{turn % 5}", turn, session="s", said=said, ended_at=float(age)))
        for before in range(5, 100, 5):
            if carried_over:
                assert sum(rewriting.prune(database, before)) == sum(before - 5 <= age < before for age in ages)
            else:
                database.connection.execute("DELETE FROM records WHERE ended_at < ?", (before,))
                database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            data = b"".join(file.read_bytes() for file in path.parent.iterdir())
            traces |= {turn for turn, age in enumerate(ages) if age < before and f"<{turn}>".encode() in data}
    # That SQLite leaves some is why there is more to do than to delete.
    assert bool(traces) is not carried_over
