"""The command line in processes of their own."""

import os
import pty
import subprocess
import sys
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import trio

COMMAND = [sys.executable, "-P", "-m", "voice_trio"]


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "STREAM_ASR_ENGINE": "pocketsphinx", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


async def banner(process):
    """Return what a server says until it has said where to talk."""
    said = ""
    while "Talk at" not in said or not said.endswith("\n"):
        data = await process.stdout.receive_some()
        assert data, await read_all(process.stderr)
        said += data.decode()
    return said


@asynccontextmanager
async def serve(tmp_path, command=COMMAND, stderr=subprocess.PIPE, **environment):
    """Run ``voice-trio serve`` on a free port; yields the process, what it printed, and its address."""
    settings = {"STREAM_ASR_ENGINE": "auto", "HF_HOME": str(tmp_path), "STREAM_DATA_DIR": str(tmp_path)}
    process = await trio.lowlevel.open_process(
        [*command, "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
    )
    async with process.stdout, process.stderr or nullcontext():
        try:
            said = await banner(process)
            yield process, said, said.partition("Talk at ")[2].split()[0]
        finally:
            if process.returncode is None:
                process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def talk_to(url, tmp_path):
    """Have one turn with the server at ``url``."""
    command = [*COMMAND, "talk", "--text", "hi", "--url", url]
    talk = await trio.run_process(command, cwd=tmp_path, capture_stdout=True)
    assert b"done      completed" in talk.stdout


async def read_all(stream):
    return b"".join([data async for data in stream]).decode()


def in_terminal(folder, *arguments, **environment):
    ours, theirs = pty.openpty()
    streams: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen([*COMMAND, *arguments], cwd=folder, env={**os.environ, **environment}, **streams):
        os.close(theirs)
        shown = b""
        # A terminal whose other side was closed reads as an error.
        while data := read(ours):
            shown += data
        os.close(ours)
    return shown.decode()


def read(number):
    try:
        return os.read(number, 65536)
    except OSError:
        return b""
