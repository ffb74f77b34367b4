"""Timers, alarms and reminders, wherever they are kept."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
import structlog
import trio

from tests.memory.records import record
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.alerts import MOST_ALERTS, Alert
from voice_trio.memory import alert_rows, rewriting
from voice_trio.memory.alerts import alerts_of
from voice_trio.memory.database import Database
from voice_trio.memory.open import open_store
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.skills.alerts_kept import InProcessAlerts
from voice_trio.testing.conversation import conversation
from voice_trio.toolbox.base import ToolError

pytestmark = pytest.mark.real

ALARM = Alert(
    conversation="a",
    id="1",
    kind="alarm",
    label="work \ud800 'Anna'; DROP TABLE alerts",
    due_at=2000.5,
    set_at=1000.25,
    zone="Europe/Berlin",
    wall="07:30",
    weekdays=(0, 4, 6),
)


def timer(name, key, due_at, label="pasta"):
    return Alert(conversation=name, id=key, kind="timer", label=label, due_at=due_at, set_at=due_at - 10)


def settings(tmp_path, memory="on"):
    return config.load(memory=memory, data_dir=str(tmp_path / "data"))


@pytest.fixture(params=["on", "off", "postgres"])
async def alerts(request, settings_of):
    async with open_store(settings_of(request.param)) as store:
        yield alerts_of(store)


async def test_what_is_set_waits_in_its_conversation_the_next_one_first(alerts):
    with trio.fail_after(30):
        assert await alerts.of("a") == []
        for alert in (ALARM, timer("a", "2", 50.0), timer("b", "1", 7.0)):
            await alerts.put(alert)
        first, second = await alerts.of("a")
        assert first == timer("a", "2", 50.0)
        assert replace(second, label=ALARM.label) == ALARM
        assert second.label.endswith("DROP TABLE alerts")
        await alerts.put(replace(ALARM, due_at=9.0))
        assert [one.due_at for one in await alerts.of("a")] == [9.0, 50.0]


async def test_what_is_removed_is_gone_in_its_conversation(alerts):
    with trio.fail_after(30):
        for alert in (timer("a", "1", 5.0), timer("a", "2", 6.0), timer("b", "1", 7.0)):
            await alerts.put(alert)
        await alerts.remove("a", ["1", "no such one"])
        await alerts.remove("c", ["1"])
        assert [one.id for one in await alerts.of("a")] == ["2"]
        assert [one.id for one in await alerts.of("b")] == ["1"]


async def test_there_is_room_for_so_many_and_one_sentence_says_so(alerts):
    with trio.fail_after(60):
        for number in range(MOST_ALERTS):
            await alerts.put(timer("a", str(number), float(number)))
        with pytest.raises(ToolError, match=r"^There is no room for more than 50 timers, alarms and reminders: .*\.$"):
            await alerts.put(timer("a", "one more", 1.0))
        await alerts.put(timer("a", "7", 1000.0))
        await alerts.put(timer("b", "1", 1.0))
        assert len(await alerts.of("a")) == MOST_ALERTS


async def test_in_process_only_the_latest_conversations_have_any():
    alerts = InProcessAlerts(max_conversations=2)
    for name in "abca":
        await alerts.put(timer(name, "1", 1.0))
    assert [len(await alerts.of(name)) for name in "abc"] == [1, 0, 1]


async def test_in_process_too_what_was_due_long_ago_leaves_each_day(autojump_clock):
    now = 10 * 86_400.0
    began = trio.current_time()
    async with open_store(config.load(memory="off", memory_days=3), lambda: now + trio.current_time() - began) as store:
        alerts = alerts_of(store)
        weekly = replace(ALARM, due_at=1.0)
        for alert in (timer("a", "2", now - 2.5 * 86_400), timer("a", "3", now + 1.0), weekly, timer("b", "1", now)):
            await alerts.put(alert)
        await trio.sleep(86_400 + 1)
        assert [alert.id for alert in await alerts.of("a")] == ["1", "3"]
        await trio.sleep(4 * 86_400)
        assert [alert.id for alert in await alerts.of("a")] == ["1"]
        assert await alerts.of("b") == []


def left(path):
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    return {name for name in ("anna", "bert") if name.encode() in data}


def kept(path):
    """Give a database with alerts of two people, one of whom has turns as well."""
    database = Database(path, busy_s=1.0)
    for number in range(1, 40):
        for name in ("anna", "bert"):
            assert alert_rows.put(database, timer(name, str(number), float(number), f"{name}'s {number} " * 9))
    database.add(record("anna", 1))
    return database


def test_a_forgotten_conversation_leaves_no_trace_of_its_alerts(tmp_path):
    path = tmp_path / "data" / "memory.sqlite3"
    with closing(kept(path)) as database:
        assert sum(rewriting.forget(database, "anna")) == 1
        assert alert_rows.of(database, "anna") == []
        assert [*rewriting.scrub(database)]
        assert len(alert_rows.of(database, "bert")) == 39
    assert left(path) == {"bert"}


def test_what_was_due_long_ago_leaves_and_what_is_yet_to_come_stays(tmp_path):
    path = tmp_path / "data" / "memory.sqlite3"
    with closing(kept(path)) as database:
        alert_rows.put(database, replace(ALARM, conversation="anna", id="weekly", due_at=3.0))
        assert sum(rewriting.prune(database, 20.0)) == 0
        assert {one.due_at for one in alert_rows.of(database, "anna")} == {3.0, *map(float, range(20, 40))}
        assert sum(rewriting.prune(database, inf)) == 1
    assert left(path) == set()


def test_a_database_of_before_there_were_alerts_gets_them(tmp_path):
    path = tmp_path / "data" / "memory.sqlite3"
    with closing(Database(path, busy_s=1.0)) as database:
        database.add(record("c", 1))
    with closing(sqlite3.connect(path)) as earlier:
        earlier.executescript(
            "DROP TABLE alerts; PRAGMA user_version = 5;"
            "ALTER TABLE records DROP COLUMN origin; ALTER TABLE leaving DROP COLUMN origin"
        )
    with closing(Database(path, busy_s=1.0)) as database:
        assert alert_rows.put(database, ALARM)
        assert database.connection.execute("PRAGMA user_version").fetchone() == (6,)
        (one,) = database.recall("c", 5)
        assert one.origin is None
        database.add(replace(record("c", 2), origin=m.Origin.TIMER))
        database.turn_out()
        assert database.carry_over(0.0, limit=100) == 0
        assert [one.origin for one in database.recall("c", 5)] == [None, m.Origin.TIMER]


@pytest.mark.parametrize(
    "damage",
    [
        *("kind = 'gong'", "weekdays = 'mon'", "weekdays = x'00'", "label = x'00'", "zone = x'00'", "wall = ''"),
        *("wall = 'noon'", "due_at = 'soon'", "due_at = -1e30", "due_at = 9e999", "set_at = 'x'", "set_at = 1e30"),
    ],
)
async def test_a_damaged_one_costs_the_others_nothing(tmp_path, damage):
    with trio.fail_after(30), structlog.testing.capture_logs() as lines:
        async with open_store(settings(tmp_path)) as store:
            for alert in (timer("a", "0", 1000.0), ALARM, timer("a", "2", 3000.0)):
                await alerts_of(store).put(alert)
            assert isinstance(store, SqliteStore)
            await store.use(
                lambda database: database.connection.execute(f"UPDATE alerts SET {damage} WHERE id = '{ALARM.id}'")
            )
            assert [alert.id for alert in await alerts_of(store).of("a")] == ["0", "2"]
            await alerts_of(store).remove("a", ["0", ALARM.id])
            assert [alert.id for alert in await alerts_of(store).of("a")] == ["2"]
    warned = [line["damaged"] for line in lines if line["log_level"] == "warning"]
    assert warned == [1]


@pytest.mark.parametrize(("moment", "is_told_again"), [("set", True), ("begun", False)])
async def test_a_kill_loses_none_and_what_was_begun_is_not_told_again(tmp_path, moment, is_told_again):
    killed = await trio.to_thread.run_sync(
        lambda: subprocess.run(
            [sys.executable, "-m", "tests.memory.alert_killing", str(tmp_path), moment],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    )
    assert killed.returncode == -9, killed.stderr
    name = killed.stdout.strip()
    with trio.fail_after(60):
        async with open_store(config.load(data_dir=str(tmp_path))) as store:
            alerts = alerts_of(store)
            assert [alert.label for alert in await alerts.of(name)] == (["pasta"] if is_told_again else [])
            async with conversation(store=store, alerts=alerts, wall_clock=time.time) as talk:
                await talk.wait_for(m.SessionOpened)
                await talk.ask(m.Resume(conversation=name))
                if is_told_again:
                    await talk.wait_for(m.Done, turn=1)
                    assert talk.reply(1).startswith("While you were away, your pasta timer was up at ")
                    assert await alerts.of(name) == []
