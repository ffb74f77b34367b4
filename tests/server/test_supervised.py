"""What a server tells systemd."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import trio

from voice_trio.server.supervised import Supervisor

pytestmark = pytest.mark.real


@pytest.fixture
def supervisor(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(60)
        receiver.bind(str(tmp_path / "notify"))
        yield receiver


def states(receiver, last):
    """Return what is told until it is ``last``."""
    told = [receiver.recv(1000).decode()]
    while told[-1] != last:
        told.append(receiver.recv(1000).decode())
    return told


def test_a_server_says_that_it_is_ready_that_it_lives_and_that_it_stops(supervisor, tmp_path):
    environ = {
        **os.environ,
        "NOTIFY_SOCKET": supervisor.getsockname(),
        "WATCHDOG_USEC": "200000",
        "STREAM_DATA_DIR": str(tmp_path / "data"),
        "STREAM_TTS_ENGINE": "pyttsx3",
        "STREAM_LLM": "none",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "voice_trio", "serve", "--port", "0"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            assert states(supervisor, "READY=1") == ["READY=1"]
            assert [supervisor.recv(1000) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            server.send_signal(signal.SIGTERM)
            assert set(states(supervisor, "STOPPING=1")) <= {"WATCHDOG=1", "STOPPING=1"}
            assert server.wait(60) == 0
        finally:
            server.kill()


async def test_the_watchdog_is_told_twice_in_its_time(autojump_clock, supervisor):
    environ = {"NOTIFY_SOCKET": supervisor.getsockname(), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    told = Supervisor(environ)
    assert environ == {}
    with trio.move_on_after(46):
        await told.reassure()
    assert [supervisor.recv(1000) for _ in range(4)] == [b"WATCHDOG=1"] * 4


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1000000"},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "@nobody/listens", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
)
async def test_where_nobody_asks_nothing_is_told_and_nothing_fails(environ):
    supervisor = Supervisor(dict(environ))
    supervisor.ready()
    with trio.fail_after(5):
        await supervisor.reassure()
    supervisor.stopping()


def test_a_name_that_is_no_file_is_reached(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(10)
        receiver.bind(f"\0{tmp_path}")
        Supervisor({"NOTIFY_SOCKET": f"@{tmp_path}"}).ready()
        assert receiver.recv(100) == b"READY=1"
