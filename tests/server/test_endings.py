"""How it ends: peers that vanish, and the server's own end, whatever the clients do."""

import os
import signal
import socket
import struct
from typing import Any

import pytest
import trio
import trio.testing

from tests.server.serving import (
    PING,
    TEXT,
    closing,
    eventually,
    frame,
    read_to_end,
    scripted,
    serving,
    until_none,
    upgrade,
)
from voice_trio import config
from voice_trio.client import Client, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome
from voice_trio.server import listening, task_tree as task_tree_module
from voice_trio.server.run import open_server, print_tree_on_signal
from voice_trio.server.sessions import Sessions

pytestmark = pytest.mark.real


async def test_a_peer_that_vanishes_without_a_word_is_gone_in_time(monkeypatch):
    assert listening.READ_TIMEOUT_S <= 45 - 5
    assert 2 * listening.PING_INTERVAL_S < listening.READ_TIMEOUT_S
    monkeypatch.setattr(listening, "PING_INTERVAL_S", 0.2)
    monkeypatch.setattr(listening, "READ_TIMEOUT_S", 1)
    with trio.fail_after(60):
        async with serving() as running, connect(running.ws_url) as alive:
            # A client by hand answers no ping, as one does whose cable was pulled.
            await upgrade(running)
            await eventually(lambda: len(running.sessions) == 2)
            await eventually(lambda: len(running.sessions) == len(running.connections) == 1)
            await alive.ask(m.Text(text="hello"))
            await alive.wait_for(m.Token)


async def test_a_peer_that_resets_is_gone_at_once():
    with trio.fail_after(60):
        async with serving() as running:
            stream, _ = await upgrade(running)
            await eventually(lambda: not (len(running.sessions) < 1))
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.socket.close()
            with trio.fail_after(2):
                await running.sessions.wait_empty()


async def stick(running, nursery):
    """Open a session whose client pings all the time and never reads."""
    stream, _ = await upgrade(running, SO_RCVBUF=4096)

    async def ping():
        try:
            while True:
                await stream.send_all(100 * frame(PING, bytes(125)))
        except trio.BrokenResourceError:
            pass

    nursery.start_soon(ping)


STATES = {
    "idle": None,
    "capturing": m.Start(mode="hold"),
    "listening": m.Start(mode="hands_free"),
    "responding": m.Text(text="hello"),
}


@pytest.mark.parametrize("second_signal", [False, True])
async def test_fifty_sessions_in_all_states_end_in_time(second_signal):
    """Far sooner than those who do not read would be cut off, and after a second signal without the grace as well."""
    told: list[int] = []
    grace_s = 60.0 if second_signal else 1.0

    async def live(url, command):
        try:
            await live_to_the_end(url, command)
        except SessionClosed:
            assert second_signal

    async def live_to_the_end(url, command):
        async with connect(url) as client:
            await client.wait_for(m.SessionOpened)
            if command is not None:
                await client.ask(command)
                await client.wait_for(m.StateChanged)
            ready.append(client)
            info = await client.wait_for(m.Info, code=InfoCode.SHUTTING_DOWN)
            assert info.grace_s == grace_s
            if isinstance(command, m.Start):
                assert (await client.wait_for(m.Done)).outcome is Outcome.CANCELLED
            told.append(await closing(client))

    server = trio.CancelScope()
    stop, stopped = trio.Event(), trio.Event()

    async def serve(task_status):
        with server:
            async with serving(
                shutdown_grace_s=grace_s, send_timeout_s=60, max_sessions=50, max_connections_per_address=100
            ) as running:
                task_status.started(running)
                await stop.wait()
        stopped.set()

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery, trio.open_nursery() as clients:
            running = await nursery.start(serve)
            ready: list[Client] = []
            for number in range(45):
                clients.start_soon(live, running.ws_url, list(STATES.values())[number % len(STATES)])
            for _ in range(5):
                await stick(running, clients)
            await eventually(lambda: not (len(ready) < 45 or len(running.sessions) < 50))
            stop.set()
            if second_signal:
                await trio.sleep(0.1)
                server.cancel()
            await stopped.wait()
            assert len(running.connections) == 0
            if second_signal:
                clients.cancel_scope.cancel()
    assert second_signal or told == [1001] * 45


async def test_a_session_that_came_to_no_goodbye_is_told_that_the_server_stops(monkeypatch):
    """Where there are many, or the machine is late, the server's end overtakes a session's own."""

    async def drain(sessions):
        sessions.draining = True

    monkeypatch.setattr(Sessions, "drain", drain)
    with trio.fail_after(60):
        async with open_server(config.load(port=0), scripted) as running:
            stream, _ = await upgrade(running)
            await eventually(lambda: running.sessions)
        said = await read_to_end(stream)
    stream.socket.close()
    assert said.endswith(struct.pack(">H", 1001) + b"the server is stopping")


async def test_who_does_not_read_for_the_moment_is_told_the_end_all_the_same():
    """The system takes what is left to say, a reply of seconds, and hands it over when it is read."""
    with trio.fail_after(30):
        async with open_server(config.load(port=0, send_timeout_s=0.3, shutdown_grace_s=3), scripted) as running:
            stream, _ = await upgrade(running, SO_RCVBUF=4096)
            await stream.send_all(frame(TEXT, b'{"type": "text", "text": "hello"}'))
            said = b""
            while b"tts_phrase" not in said:
                said += await stream.receive_some()
        assert running.connections.incidents["stuck"] == 0
        said += await read_to_end(stream)
    stream.socket.close()
    assert said.count(b'"type":"done"') == 1
    assert said.endswith(struct.pack(">H", 1001) + b"the server is stopping")


async def test_nothing_is_left_when_all_have_gone():
    with trio.fail_after(60):
        async with serving() as running:
            for _ in range(20):
                async with connect(running.ws_url) as client:
                    await client.ask(m.Text(text="hello"))
                    await client.wait_for(m.Token)
            await running.sessions.wait_empty()
            await until_none(running)


async def test_usr1_prints_the_live_task_tree(capfd):
    with trio.fail_after(60):
        async with serving() as running, connect(running.ws_url) as client, trio.open_nursery() as nursery:
            await client.wait_for(m.SessionOpened)
            await nursery.start(print_tree_on_signal)
            os.kill(os.getpid(), signal.SIGUSR1)
            tree = ""
            while "Session._read" not in tree:
                await trio.sleep(0.05)
                tree += capfd.readouterr().err
            nursery.cancel_scope.cancel()


async def test_the_tree_names_our_line_also_in_a_checkout_that_is_called_like_us(monkeypatch, tmp_path):
    package = tmp_path / "voice_trio" / "voice_trio"
    monkeypatch.setattr(task_tree_module, "_OURS", f"{package}{os.sep}")
    names: dict[str, Any] = {}
    for path in (package / "session.py", tmp_path / "voice_trio" / ".venv" / "library.py"):
        exec(compile("async def wait(inner):\n    await inner", str(path), "exec"), names.setdefault(path.stem, {}))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(names["session"]["wait"], names["library"]["wait"](trio.Event().wait()))
        await trio.testing.wait_all_tasks_blocked()
        assert "session.py:2 wait" in task_tree_module.task_tree()
        nursery.cancel_scope.cancel()
