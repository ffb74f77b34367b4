"""``voice-trio conversations``, in a process of its own."""

import json
import os
import subprocess
import sys
from contextlib import closing

import pytest

from tests.memory.records import record
from voice_trio import config
from voice_trio.memory import title_rows
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path

pytestmark = pytest.mark.real


@pytest.fixture
def path(tmp_path):
    return database_path(config.load(data_dir=str(tmp_path / "data")))


def run(path, *arguments):
    """Return the exit code, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "voice_trio", *arguments],
        env={**os.environ, "STREAM_DATA_DIR": str(path.parent), "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def remember(path):
    with closing(Database(path, busy_s=1.0)) as database:
        database.add(record("anna", 1, said="Green \x1b[31m tea?", ended_at=0.0))
        database.add(record("bert", 1, said="", reply="Tea.", ended_at=60.0))
        database.add(record("bert", 2, said="", ended_at=120.0))
        database.add(record("cora", 1, ended_at=180.0))
        title_rows.rename(database, "cora", "By name")


def test_all_are_shown_the_newest_first_and_forget_takes_what_is_printed(path):
    assert run(path, "conversations") == (0, f"Nothing is remembered in {path.parent}.\n")
    assert not path.parent.exists()
    remember(path)
    code, said = run(path, "conversations")
    assert (code, said.splitlines()) == (
        0,
        [
            "1970-01-01 00:03     1 turn  By name  [cora]",
            "1970-01-01 00:02    2 turns  (no words)  [bert]",
            # What a terminal would obey is shown instead.
            "1970-01-01 00:00     1 turn  Green \\x1b[31m tea?  [anna]",
        ],
    )
    for name in ("cora", "bert", "anna"):
        assert f"[{name}]" in run(path, "conversations")[1]
        assert run(path, "forget", name)[0] == 0
    assert run(path, "conversations") == (0, f"Nothing is remembered in {path.parent}.\n")


def test_words_are_looked_for_and_json_is_an_object_a_line(path):
    remember(path)
    code, said = run(path, "conversations", "--search", "TEA", "--json", "--data-dir", str(path.parent))
    assert code == 0
    assert [json.loads(line)["id"] for line in said.splitlines()] == ["bert", "anna"]
    assert json.loads(said.splitlines()[0]) == {
        "id": "bert",
        "title": "",
        "began_at": 60.0,
        "last_at": 120.0,
        "turns": 2,
    }
    assert run(path, "conversations", "--search", "milk") == (0, "No conversation has these words.\n")
    assert run(path, "conversations", "--search", "milk", "--json") == (0, "")


def test_beside_a_server(path):
    remember(path)
    with closing(Database(path, busy_s=1.0)) as beside:
        beside.add(record("dora", 1, ended_at=240.0))
        assert "[dora]" in run(path, "conversations")[1]
        beside.add(record("dora", 2, ended_at=300.0))
        assert "2 turns  question 1  [dora]" in run(path, "conversations")[1]
