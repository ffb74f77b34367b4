"""A small part of what tools/fuzz_server.py does, with the same bytes every time."""

from collections import Counter

import pytest
import trio

from tests.server.serving import eventually, get, open_files, serving, until_none
from tools.fuzzing.hostile_bytes import KINDS, attack_all
from tools.fuzzing.mutated_messages import say_mutated
from voice_trio.client import connect
from voice_trio.core import messages as m

pytestmark = pytest.mark.real

COUNT = 20 * len(KINDS)


async def test_hostile_bytes_disturb_nobody_and_leave_nothing():
    assert len(KINDS) >= 9
    with trio.fail_after(60):
        async with serving(max_sessions=500, max_connections=500, max_connections_per_address=500) as running:
            port = int(running.url.rpartition(":")[2])
            # A server says that it has started before all of its own tasks have.
            await get(running.url, "/livez")
            await until_none(running)
            before = open_files()
            tasks = trio.lowlevel.current_statistics().tasks_living
            async with connect(running.ws_url) as client:
                made = await attack_all(port, COUNT, rate=100, seed=1)
                await client.ask(m.Text(text="hello"))
                await client.wait_for(m.Token)
            assert made == Counter({kind.__name__: 20 for kind in KINDS})
            # Later than the longest that a silent connection may last before it is a session.
            with trio.fail_after(60):
                await running.sessions.wait_empty()
            with trio.fail_after(60):
                await until_none(running)
            with trio.fail_after(60):
                await eventually(lambda: trio.lowlevel.current_statistics().tasks_living <= tasks)
            assert open_files() <= before
            assert "crashed" not in running.connections.incidents


async def test_mutated_messages_end_their_own_sessions_and_leave_nothing():
    with trio.fail_after(30):
        async with serving() as running:
            await get(running.url, "/livez")
            await until_none(running)
            before = open_files()
            tasks = trio.lowlevel.current_statistics().tasks_living
            async with connect(running.ws_url) as client:
                tally = await say_mutated(running.ws_url, 500, seed=1)
                await client.ask(m.Text(text="hello"))
                await client.wait_for(m.Token)
            assert tally.sent == 500
            assert {"1003", "1007"} <= set(tally.ends)
            assert tally.well, tally
            await running.sessions.wait_empty()
            await until_none(running)
            with trio.fail_after(60):
                await eventually(lambda: trio.lowlevel.current_statistics().tasks_living <= tasks)
            assert open_files() <= before
            assert "crashed" not in running.connections.incidents
