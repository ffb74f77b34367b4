"""The store on disk: its files, what cannot be opened, what fails, and who waits for whom."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog
import trio
import trio.testing

from tests.memory.records import record
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.history import Record
from voice_trio.core.messages import ErrorCode
from voice_trio.memory import sqlite
from voice_trio.memory.base import CannotRemember, StoreError
from voice_trio.memory.conversation_rows import count
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path, open_store
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedSynthesizer, scripted_engines

pytestmark = pytest.mark.real

DAY_S = 86_400
NOBODY = 65_534


@pytest.fixture
def settings(tmp_path):
    return config.load(data_dir=str(tmp_path / "data"))


@pytest.fixture
def path(settings):
    return database_path(settings)


@pytest.fixture
async def database(path):
    """An open one, with a store's business done by the test itself."""
    with closing(Database(path, busy_s=0.05)) as database:
        yield database


@contextmanager
def writing(path):
    """Be another program in the middle of writing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def as_nobody():
    """Have no right to anything of root's; a user other than root has none to begin with."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# --- files ----------------------------------------------------------------------------------------------------------


async def test_what_is_remembered_outlives_the_store_and_its_ids_too(settings):
    with trio.fail_after(30):
        async with open_store(settings) as store:
            kept, silent = await store.begin(), await store.begin()
            await store.commit(record(kept, 1))
        async with open_store(settings) as store:
            assert list(await store.recall(kept)) == [record(kept, 1)]
            assert list(await store.recall(silent)) == []


async def test_a_session_that_says_nothing_leaves_nothing_behind(settings, path):
    with trio.fail_after(30):
        async with open_store(settings) as store:
            for _ in range(1000):
                await store.begin()
        with closing(Database(path, busy_s=1.0)) as database:
            assert count(database) == (0, 0)


async def test_the_files_are_for_nobody_else_to_read(settings, path):
    before = os.umask(0)
    try:
        with trio.fail_after(30):
            async with open_store(settings) as store:
                await store.commit(record(await store.begin(), 1))
                files = sorted(path.parent.iterdir())
                assert [file.name for file in files] == ["memory.sqlite3", "memory.sqlite3-shm", "memory.sqlite3-wal"]
                assert [mode(file) for file in files] == [0o600] * 3
                assert mode(path.parent) == 0o700
    finally:
        os.umask(before)
    assert [file.name for file in path.parent.iterdir()] == ["memory.sqlite3"]


async def test_every_commit_is_synced_to_the_disk(database):
    def pragma(name):
        return database.connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("secure_delete")) == ("wal", 2, 1)


def test_the_folder_is_the_one_of_the_platform_unless_another_is_chosen(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("STREAM_DATA_DIR", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert database_path(config.load()) == Path("/home/ann/.local/share/voice_trio/memory.sqlite3")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert database_path(config.load()) == Path("/home/ann/.local/share/voice_trio/memory.sqlite3")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert database_path(config.load()) == Path("/data/voice_trio/memory.sqlite3")
    monkeypatch.setenv("STREAM_DATA_DIR", "~/voices")
    assert database_path(config.load()) == Path("/home/ann/voices/memory.sqlite3")
    monkeypatch.setenv("STREAM_DATA_DIR", "here")
    assert database_path(config.load()) == Path.cwd() / "here" / "memory.sqlite3"
    with pytest.raises(CannotRemember, match="STREAM_DATA_DIR"):
        database_path(config.load(data_dir="~no_such_user_at_all/voices"))


# --- what cannot be opened ------------------------------------------------------------------------------------------


def a_file_for_a_folder(path):
    path.parent.write_text("")


def a_file_above_the_folder(path):
    path.parent.parent.rmdir()
    path.parent.parent.write_text("")


def a_folder_for_a_file(path):
    path.mkdir(parents=True)


def something_else(path):
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)


def half_a_file(path):
    with closing(Database(path, busy_s=1.0)) as database:
        database.add(record("c", 1))
    path.write_bytes(path.read_bytes()[:6000])


def a_newer_schema(path):
    with closing(Database(path, busy_s=1.0)) as database:
        database.connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (a_file_for_a_folder, "that is a file, not a folder"),
        (a_file_above_the_folder, "that is a file, not a folder"),
        (a_folder_for_a_file, "memory.sqlite3 is a folder, not a file"),
        (something_else, "file is not a database"),
        (half_a_file, "database disk image is malformed"),
        (a_newer_schema, "a newer voice_trio wrote what is there"),
    ],
)
async def test_what_cannot_be_opened_is_one_sentence(settings, path, spoil, reason):
    spoil(path)
    with trio.fail_after(30):
        with pytest.raises(CannotRemember) as caught:
            async with open_store(settings):
                pass
    assert str(caught.value) == (
        f"Conversations cannot be remembered in {path.parent}: {reason}. "
        "Choose another folder with STREAM_DATA_DIR, or remember nothing with STREAM_MEMORY=off."
    )


def test_a_folder_without_permission_is_told():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        with as_nobody(), pytest.raises(CannotRemember, match="Permission denied"):
            Database(Path(folder) / "data" / "memory.sqlite3", busy_s=1.0)


def test_a_file_that_cannot_be_written_is_told_at_once_and_not_at_the_first_turn():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.sqlite3"
        Database(path, busy_s=1.0).close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with as_nobody(), pytest.raises(CannotRemember, match=r"another user|readonly|unable to open"):
            Database(path, busy_s=1.0)


def test_a_server_that_cannot_remember_does_not_start(path):
    a_file_for_a_folder(path)
    serve = subprocess.run(
        [sys.executable, "-P", "-m", "voice_trio", "serve", "--port", "0", "--data-dir", str(path.parent)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert serve.returncode == 2
    assert serve.stderr.startswith(f"voice-trio: Conversations cannot be remembered in {path.parent}: that is a file,")
    assert "Traceback" not in serve.stderr


async def test_a_database_that_is_busy_is_told(database, path):
    with writing(path), pytest.raises(CannotRemember, match="locked"):
        Database(path, busy_s=0.05)


async def test_off_keeps_it_in_the_process(settings, path):
    with trio.fail_after(30):
        async with open_store(settings.model_copy(update={"memory": "off"})) as store:
            conversation = await store.begin()
            await store.commit(record(conversation, 1))
            assert len(await store.recall(conversation)) == 1
    assert not path.parent.exists()


# --- what fails -----------------------------------------------------------------------------------------------------


def fill(database, *, spare_pages):
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages + spare_pages}")


async def test_a_full_disk_fails_the_commit_whole_and_nothing_else(database):
    store = sqlite.SqliteStore(database)
    with trio.fail_after(30):
        conversation = await store.begin()
        await store.commit(record(conversation, 1))
        fill(database, spare_pages=2)
        with pytest.raises(StoreError, match="full") as caught:
            await store.commit(record(conversation, 2, said="a secret " * 10_000))
        assert "secret" not in str(caught.value)
        await store.commit(record(conversation, 3))
        assert [kept.turn for kept in await store.recall(conversation)] == [1, 3]


async def test_a_session_with_a_full_disk_says_so_and_goes_on(database):
    engines = scripted_engines(synthesizer=ScriptedSynthesizer(char_ms=1))
    with trio.fail_after(30):
        async with conversation(store=sqlite.SqliteStore(database), engines=engines) as talk:
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Done)).remembered is True
            fill(database, spare_pages=0)
            await talk.ask(m.Text(text="hello" * 2000))
            error = await talk.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.INTERNAL, True)
            assert (await talk.wait_for(m.Done)).remembered is False
            fill(database, spare_pages=100)
            await talk.ask(m.Text(text="hello"))
            assert (await talk.wait_for(m.Done)).remembered is True


async def test_a_database_that_cannot_be_written_any_more_is_told_and_still_read(database):
    store = sqlite.SqliteStore(database)
    with trio.fail_after(30):
        conversation = await store.begin()
        await store.commit(record(conversation, 1))
        database.connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="readonly"):
            await store.commit(record(conversation, 2))
        assert [kept.turn for kept in await store.recall(conversation)] == [1]


async def test_a_turn_is_remembered_once(database):
    store = sqlite.SqliteStore(database)
    with trio.fail_after(30):
        conversation = await store.begin()
        await store.commit(record(conversation, 1))
        with pytest.raises(StoreError, match="UNIQUE"):
            await store.commit(record(conversation, 1))
        assert len(await store.recall(conversation)) == 1


async def test_half_a_character_does_not_keep_a_turn_from_being_remembered(database):
    store = sqlite.SqliteStore(database)
    with trio.fail_after(30):
        conversation = await store.begin()
        await store.commit(record(conversation, 1, reply="well \ud83d, yes"))
        [kept] = await store.recall(conversation)
    assert kept.reply == "well ?, yes"


async def test_another_program_that_writes_for_long_fails_the_commit_but_no_reader(database, path):
    store = sqlite.SqliteStore(database)
    with trio.fail_after(30):
        conversation = await store.begin()
        await store.commit(record(conversation, 1))
        with writing(path):
            with pytest.raises(StoreError, match="locked"):
                await store.commit(record(conversation, 2))
            assert len(await store.recall(conversation)) == 1
        await store.commit(record(conversation, 2))
        assert len(await store.recall(conversation)) == 2


# --- who waits for whom ---------------------------------------------------------------------------------------------


async def test_a_commit_that_has_begun_cannot_be_cancelled_and_one_that_waits_leaves_nothing(path):
    kept: list[Record] = []

    async def commit(record):
        await store.commit(record)
        kept.append(record)

    with trio.fail_after(30), closing(Database(path, busy_s=20.0)) as database:
        store = sqlite.SqliteStore(database)
        first, second = record(await store.begin(), 1), record(await store.begin(), 1)
        with writing(path) as other:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(commit, first)
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(commit, second)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
                other.execute("ROLLBACK")
        assert kept == [first]
        assert list(await store.recall(first.conversation)) == [first]
        assert list(await store.recall(second.conversation)) == []


async def test_who_has_waited_too_long_is_told_and_leaves_nothing(path, monkeypatch):
    monkeypatch.setattr(sqlite, "_QUEUE_S", 0.05)
    with trio.fail_after(30), closing(Database(path, busy_s=20.0)) as database:
        store = sqlite.SqliteStore(database)
        first, second = record(await store.begin(), 1), record(await store.begin(), 1)
        with writing(path) as other:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(store.commit, first)
                await trio.testing.wait_all_tasks_blocked()
                with pytest.raises(StoreError, match="busy"):
                    await store.commit(second)
                other.execute("ROLLBACK")
        # The limit was long over when the first was written, and it was kept all the same.
        assert list(await store.recall(first.conversation)) == [first]
        assert list(await store.recall(second.conversation)) == []


def test_a_turn_waits_longer_than_the_store_takes_to_give_up():
    from voice_trio.session import recollection

    assert sqlite._QUEUE_S + sqlite.BUSY_S < recollection._COMMIT_LIMIT_S


async def test_fifty_sessions_commit_at_once(settings):
    engines = scripted_engines(synthesizer=ScriptedSynthesizer(char_ms=0, speak_s=0.0))

    async def talk_on(store, seen):
        async with conversation(store=store, engines=engines) as talk:
            opened = await talk.wait_for(m.SessionOpened)
            for turn in range(1, 6):
                await talk.ask(m.Text(text=f"question {turn}"))
                assert (await talk.wait_for(m.Done, turn=turn)).remembered is True
            seen.append(opened.conversation)

    seen: list[str] = []
    with trio.fail_after(60):
        async with open_store(settings) as store:
            async with trio.open_nursery() as nursery:
                for _ in range(50):
                    nursery.start_soon(talk_on, store, seen)
            for kept in seen:
                assert [r.said for r in await store.recall(kept)] == [f"question {turn}" for turn in range(1, 6)]
    assert len(set(seen)) == 50


# --- days -----------------------------------------------------------------------------------------------------------


async def pruned(lines, times):
    """Wait until the store has pruned so often, and sleeps until the next day."""
    while [line["event"] for line in lines] != ["old turns deleted"] * times:  # noqa: ASYNC110
        await trio.sleep(0.01)
    await trio.testing.wait_all_tasks_blocked()


async def test_what_is_too_old_goes_at_the_start_and_once_a_day(settings, path, mock_clock):
    mock_clock.rate = 1.0
    now = 100.0 * DAY_S
    settings = settings.model_copy(update={"memory_days": 2})
    with trio.fail_after(30) as limit:
        async with open_store(settings, lambda: now) as store:
            conversation = await store.begin()
            for turn, age in [(1, 2.1), (2, 1.9), (3, 0.5)]:
                await store.commit(record(conversation, turn, said=f"word{turn}", ended_at=now - age * DAY_S))
        with structlog.testing.capture_logs() as lines:
            async with open_store(settings, lambda: now) as store:
                for day, left in enumerate([[2, 3], [3], []], start=1):
                    await pruned(lines, day)
                    assert [kept.turn for kept in await store.recall(conversation)] == left
                    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
                    assert [turn for turn in (1, 2, 3) if f"word{turn}".encode() in files] == left
                    now += DAY_S
                    limit.deadline += DAY_S
                    mock_clock.jump(DAY_S)


async def test_nothing_is_ever_too_old_by_default(settings):
    with trio.fail_after(30):
        for _ in range(2):
            async with open_store(settings, lambda: 1e12) as store:
                await store.commit(record("c", 1, session=f"{id(store)}", ended_at=0.0))
                assert await store.prune(before=-1.0) == 0


async def test_pruning_that_fails_ends_nothing(settings, path, monkeypatch):
    monkeypatch.setattr(Database, "settle", _fail)
    settings = settings.model_copy(update={"memory_days": 1})
    with trio.fail_after(30):
        with structlog.testing.capture_logs() as lines:
            async with open_store(settings, lambda: 10.0 * DAY_S) as store:
                conversation = await store.begin()
                await store.commit(record(conversation, 1, ended_at=0.0))
                while not lines:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                await store.commit(record(conversation, 2))
                assert (await store.recall(conversation))[-1].turn == 2
    assert [line["event"] for line in lines] == ["old turns could not be deleted"]


def _fail(self, **_):
    raise StoreError("the database is locked")
