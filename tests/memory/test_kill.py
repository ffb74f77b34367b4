"""What `Done` announced as remembered is there after a kill -9 at any moment."""

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import pytest

from voice_trio import config
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path

pytestmark = pytest.mark.real

KILLS = 60
SEED = 1


def test_a_kill_loses_nothing_that_was_announced(tmp_path):
    killing = subprocess.run(
        [sys.executable, "-m", "tests.memory.killing", str(tmp_path), str(SEED), str(KILLS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert killing.returncode == 0, killing.stderr
    announced = [json.loads(line) for line in killing.stdout.splitlines()]
    assert len(announced) > 5 * KILLS

    with closing(Database(database_path(config.load(data_dir=str(tmp_path))), busy_s=1.0)) as database:
        assert database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        conversations = {record["conversation"] for record in announced}
        kept = {name: [asdict(record) for record in database.recall(name, 10**6)] for name in conversations}
    there = {(record["session"], record["turn"]): record for records in kept.values() for record in records}
    assert len(there) == sum(map(len, kept.values())), "a turn is there twice"
    for record in announced:
        it = there[record["session"], record["turn"]]
        if record["outcome"] == "cancelled":
            # What was written and not sent yet is remembered, but the client never saw it.
            assert it["reply"].startswith(record["reply"])
            record["reply"] = it["reply"]
        assert it == record | {"ended_at": it["ended_at"], "calls": (), "origin": None}
    for records in kept.values():
        # In the order in which they happened: one session after the other, each turn after the one before it.
        sessions = [[record["turn"] for record in turns] for _, turns in groupby(records, lambda r: r["session"])]
        assert sessions == [list(range(1, len(turns) + 1)) for turns in sessions]
