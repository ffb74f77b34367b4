"""Ctrl-C, from the first import of ours on: a quiet end, whenever it comes."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.commands import COMMAND
from voice_trio import start

pytestmark = pytest.mark.real

FIRST = b" click.globals\n"
"""The line with which the interpreter tells of an early import of the command line, when Ctrl-C is ours already."""

OBEYS = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""Begins a command that obeys Ctrl-C, also where whoever runs these tests does not."""

QUIET = {start.EXIT_INTERRUPTED, -signal.SIGINT}
"""The second is what the interpreter leaves of it in its very end; shells have one number for both."""


def interrupted(folder, arguments, imports):
    """Press Ctrl-C so many imports behind `FIRST`; return the exit code, and what was complained of."""
    command = [COMMAND[0], "-c", OBEYS, COMMAND[0], "-X", "importtime", *COMMAND[1:], *arguments]
    environment = {**os.environ, "STREAM_DATA_DIR": str(folder), "STREAM_PORT": "0"}
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams) as process:
        told = [process.stderr.readline()]
        while not told[-1].endswith(FIRST):
            told.append(process.stderr.readline())
            assert told[-1], told
        for _ in range(imports):
            told.append(process.stderr.readline())
        # As a terminal does: to all processes of the group.
        os.killpg(process.pid, signal.SIGINT)
        try:
            _, rest = process.communicate(timeout=60)
        finally:
            # What did not end would be waited for without end.
            process.kill()
    lines = (b"".join(told) + rest).decode().splitlines()
    return process.returncode, [line for line in lines if not line.startswith("import time:")]


@pytest.mark.parametrize("imports", [0, 10, 30, 60, 120, 240, 360, 480, 600, 720, 840])
def test_a_server_that_is_coming_up_leaves_quietly(tmp_path, imports):
    code, said = interrupted(tmp_path, ["serve"], imports)
    assert code in QUIET | {0}
    assert [line for line in said if not line.startswith("{")] == [], "but for its log"


@pytest.mark.parametrize("imports", [0, 100, 300, 500, 700])
@pytest.mark.parametrize("arguments", [["talk", "--text", "hi"], ["doctor"]], ids=lambda arguments: arguments[0])
def test_another_command_leaves_quietly(tmp_path, arguments, imports):
    code, said = interrupted(tmp_path, arguments, imports)
    assert (code in QUIET, said) == (True, [])


@pytest.mark.parametrize("arguments", [["models", "list"], ["--help"]])
def test_a_command_that_is_done_as_it_comes_may_have_ended_well(tmp_path, arguments):
    code, said = interrupted(tmp_path, arguments, 60)
    assert (code in QUIET | {0}, said) == (True, [])


def test_where_it_is_ignored_it_stays_so():
    """A shell starts what a script runs in the background so."""
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from voice_trio import start\n"
        "start.leave_at_once(); start.interrupt()\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "True\n"
