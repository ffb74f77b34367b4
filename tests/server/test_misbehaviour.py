"""Every row of the table of misbehaving clients in docs/testing.md, against a real server."""

import pytest
import trio

from tests.server.serving import serving, until_none
from tools.fault_matrix import MANNERS, Kept
from tools.misbehave import KINDS, Server, is_well, misbehave
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.memory.database import Database
from voice_trio.server import listening
from voice_trio.server.sessions import NO_ROOM

pytestmark = pytest.mark.real


def test_the_table_has_every_kind():
    assert [manner.name for manner in MANNERS] == [*KINDS]


@pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.name)
async def test_a_manner_comes_to_what_the_table_says(tmp_path, monkeypatch, manner):
    if manner.name == "stalled_writer":
        monkeypatch.setattr(listening, "PING_INTERVAL_S", 0.2)
        monkeypatch.setattr(listening, "READ_TIMEOUT_S", 1)
    with trio.fail_after(60):
        async with serving(data_dir=str(tmp_path), send_timeout_s=1) as running:
            server = Server(running.ws_url, patience_s=20)
            answer = await KINDS[manner.name](server)
            # Before anybody else comes, so that what is remembered is its own.
            await running.sessions.wait_empty()
            await until_none(running)
            records = recorded(tmp_path)
            assert await is_well(server)
            assert "crashed" not in running.connections.incidents
    assert answer.end.startswith(manner.end)
    assert set(answer.events) == set(manner.said)
    if manner.kept is not Kept.PART:
        assert records == []
    else:
        [record] = records
        assert record.outcome is Outcome.CANCELLED
        assert record.heard < len(record.reply)


def recorded(folder):
    [path] = folder.glob("*.sqlite3")
    database = Database(path, busy_s=1)
    try:
        ids = [row[0] for row in database.connection.execute("SELECT DISTINCT conversation FROM records")]
        return [record for conversation in ids for record in database.recall(conversation, 10)]
    finally:
        database.close()


async def test_it_says_of_each_whether_the_next_session_was_answered(capsys, monkeypatch):
    with trio.fail_after(30):
        async with serving(memory="off") as running:
            assert await misbehave(Server(running.ws_url), ("flood", "oversized"))
            first, second = capsys.readouterr().out.splitlines()
            assert first.startswith("flood           closed 1008 ")
            assert second.startswith("oversized       closed 1009 ")
        async with serving(memory="off", max_sessions=1) as running, connect(running.ws_url) as client:
            await client.wait_for(m.SessionOpened)
            assert not await misbehave(Server(running.ws_url), ("oversized",))
            assert "WAS NOT LET IN" in capsys.readouterr().out
        async with serving(memory="off") as running:
            let_in: list[str] = []

            def let_one_in(address):
                if let_in:
                    raise Refused(ErrorCode.SERVER_BUSY, NO_ROOM)
                let_in.append(address)

            monkeypatch.setattr(running.sessions, "check_room", let_one_in)
            assert not await misbehave(Server(running.ws_url), ("oversized",))
            assert "THE NEXT SESSION WAS NOT ANSWERED" in capsys.readouterr().out
