"""``voice-trio forget``, in a process of its own, with and without a server beside it."""

import os
import subprocess
import sys
from contextlib import closing

import pytest
import trio

from tests.memory.records import record
from tests.memory.test_sqlite import writing
from voice_trio import config
from voice_trio.memory.base import StoreError
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path, open_store

pytestmark = pytest.mark.real

COMMAND = [sys.executable, "-P", "-m", "voice_trio", "forget"]


@pytest.fixture
def path(tmp_path):
    return database_path(config.load(data_dir=str(tmp_path / "data")))


def forget(path, *arguments, answer=""):
    """Return the exit code, and what was printed."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, "STREAM_DATA_DIR": str(path.parent)},
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def remember(path, *conversations, turns=2):
    with closing(Database(path, busy_s=1.0)) as database:
        for conversation in conversations:
            for turn in range(1, turns + 1):
                database.add(record(conversation, turn, said=f"<{conversation}> " + "word " * 500))


def left(path):
    """Return the conversations that any byte of the files tells of."""
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    return {name for name in ("anna", "bert", "cora") if name.encode() in data}


def test_one_conversation_is_forgotten_and_no_trace_of_it_is_left(path):
    remember(path, "anna", "bert", turns=40)
    assert left(path) == {"anna", "bert"}
    assert forget(path, "anna") == (0, "Forgot 40 turns.\n")
    assert left(path) == {"bert"}
    remember(path, "cora", turns=1)
    assert forget(path, "cora") == (0, "Forgot 1 turn.\n")


def test_one_that_is_not_there_is_told(path):
    says = f"voice-trio: No conversation anna is remembered in {path.parent}.\n"
    assert forget(path, "anna") == (2, says)
    assert not path.parent.exists()
    remember(path, "bert")
    assert forget(path, "anna") == (2, says)
    assert left(path) == {"bert"}


def test_all_of_them_are_forgotten_if_that_is_meant(path):
    assert forget(path, "--all") == (0, f"Nothing is remembered in {path.parent}.\n")
    remember(path, "anna", "bert")
    code, said = forget(path, "--all", answer="n\n")
    assert code == 1
    assert said.startswith("Forget 2 conversations, 4 turns in all? [y/N]: ")
    assert forget(path, "--all")[0] == 1
    assert left(path) == {"anna", "bert"}
    code, said = forget(path, "--all", answer="y\n")
    assert code == 0
    assert said.endswith("Forgot 4 turns.\n")
    assert left(path) == set()
    remember(path, "cora")
    assert forget(path, "--all", "--yes", "--data-dir", str(path.parent)) == (0, "Forgot 2 turns.\n")


@pytest.mark.parametrize("arguments", [(), ("anna", "--all")])
def test_it_must_be_said_what_to_forget(path, arguments):
    code, said = forget(path, *arguments)
    assert code == 2
    assert "Give either the ID of a conversation or --all." in said


def test_a_folder_that_cannot_be_used_is_one_sentence(path):
    path.parent.mkdir()
    path.write_text("Dear diary")
    code, said = forget(path, "anna")
    assert code == 2
    assert said.startswith(f"voice-trio: Conversations cannot be remembered in {path.parent}: file is not a database.")


async def test_a_server_that_runs_forgets_too_and_goes_on(path):
    with trio.fail_after(60):
        async with open_store(config.load(data_dir=str(path.parent))) as store:
            one, other = await store.begin(), await store.begin()
            for turn in range(1, 30):
                await store.commit(record(one, turn, said="anna " * 200))
                await store.commit(record(other, turn, said="bert " * 200))
            assert await trio.to_thread.run_sync(forget, path, one) == (0, "Forgot 29 turns.\n")
            assert left(path) == {"bert"}
            assert list(await store.recall(one)) == []
            await store.commit(record(one, 30))
            assert [kept.turn for kept in await store.recall(one)] == [30]
            assert len(await store.recall(other)) == 29


async def test_it_waits_for_a_server_that_writes_without_end(path):
    async def write(store, conversation):
        for turn in range(1, 100_000):
            await store.commit(record(conversation, turn))

    with trio.fail_after(60):
        async with open_store(config.load(data_dir=str(path.parent))) as store, trio.open_nursery() as nursery:
            busy, one = await store.begin(), await store.begin()
            await store.commit(record(one, 1, said="anna"))
            nursery.start_soon(write, store, busy)
            assert await trio.to_thread.run_sync(forget, path, one) == (0, "Forgot 1 turn.\n")
            nursery.cancel_scope.cancel()
    assert left(path) == set()


def test_what_could_be_forgotten_but_not_scrubbed_is_told_and_done_the_next_time(path, monkeypatch):
    from click.testing import CliRunner

    from voice_trio.cli import cli

    def locked(self, **_):
        raise StoreError("the database is locked")

    remember(path, "anna")
    arguments = ["forget", "anna", "--data-dir", str(path.parent)]
    with monkeypatch.context() as patch:
        patch.setattr(Database, "settle", locked)
        error = CliRunner().invoke(cli, arguments).exception
    assert "Forgot 2 turns, but their words may still be found" in str(error)
    assert forget(path, "anna")[0] == 2
    assert left(path) == set()


def test_a_database_that_stays_locked_is_told(path, monkeypatch):
    from click.testing import CliRunner

    from voice_trio.cli import cli, forget as command

    remember(path, "anna")
    monkeypatch.setattr(command, "_BUSY_S", 0.05)
    with writing(path):
        result = CliRunner().invoke(cli, ["forget", "anna", "--data-dir", str(path.parent)])
    assert "locked" in str(result.exception)
