"""A server in a process of its own, for tools that measure one: started, asked what it holds, and ended.

    async with own_server("scripted", max_sessions=100) as server:
        async with connect(server.ws_url) as client: ...
        vitals = await server.vitals()

It listens on a free loopback port and answers each line on its standard input with what it holds, so that nothing has
to be added to a real server, and nobody else can ask. `tools/own_server_child.py` is the other half.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import trio

Kind = Literal["scripted", "configured", "speaking", "bare"]
"""Ours with scripted engines that take no time; ours with those that the environment asks for; the same with a Whisper
of random weights; a bare handler."""

_CHILD = Path(__file__).with_name("own_server_child.py")
_START_S = 60.0
_END_S = 30.0


class ServerDied(Exception):
    """The server's process is over, and nobody told it to be."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a server's process holds at one moment, its loop's lag since it was last asked, and its CPU time."""

    cpu_s: float
    rss_bytes: int
    blocks: int
    """Python's own memory blocks, freshly collected: finer than resident memory, blind to what C libraries hold."""
    tasks: int
    threads: int
    processes: int
    files: int
    sessions: int
    connections: int
    lag_p50_ms: float
    """How late a task of the server's that only sleeps was woken."""
    lag_p99_ms: float
    crashed: int
    """Connections in which something of ours went wrong."""


class OwnServer:
    """That process, from outside."""

    def __init__(self, process: trio.Process, ws_url: str) -> None:
        self.ws_url = ws_url
        self.pid = process.pid
        self._process = process
        self._lock = trio.Lock()
        self._unread = b""

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.ws_url).port or 0

    async def vitals(self, *, collect: bool = True) -> Vitals:
        """Return what it holds; without ``collect`` it does not tidy up before it counts. Raises `ServerDied`."""
        found = await self._ask("collect" if collect else "look")
        return Vitals(**{field.name: found[field.name] for field in fields(Vitals)})

    async def cancels(self) -> list[tuple[float, float]]:
        """Return, for each `cancel` it has read, the ms to the last audio (0: none came) and to `done`, as written."""
        return [(audio_ms, done_ms) for audio_ms, done_ms in await self._ask("cancels")]

    async def stalls(self) -> dict[str, Any]:
        """Return the steps so far that held its loop for long, as `stalls.report` takes them."""
        found: dict[str, Any] = await self._ask("stalls")
        return found

    async def _ask(self, what: str) -> Any:
        async with self._lock:
            assert self._process.stdin is not None
            try:
                await self._process.stdin.send_all(what.encode() + b"\n")
            except trio.BrokenResourceError:
                raise ServerDied(f"exit code {self._process.returncode}") from None
            return json.loads(await self._line())

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            data = await self._process.stdout.receive_some()
            if not data:
                raise ServerDied(f"exit code {await self._process.wait()}")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line


@asynccontextmanager
async def own_server(
    kind: Kind,
    *,
    profile: Path | None = None,
    script: Path | None = None,
    watch_cancels: bool = False,
    watch_stalls: bool = False,
    log_to: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[OwnServer]:
    """Run a server of ``kind`` with ``settings``; on leaving it drains and ends. Raises `ServerDied`.

    ``profile`` names a file for cProfile's figures of the whole run; ``script`` what a bare handler plays
    (see `tools/load.py`). `OwnServer.cancels` needs ``watch_cancels``, and `OwnServer.stalls` ``watch_stalls``. What
    the server logs goes to ``log_to``. ``environment`` stands beside the one that there is.
    """
    orders = {
        "kind": kind,
        "settings": {"port": 0, "memory": "off"} | settings,
        "profile": str(profile) if profile else None,
        "script": str(script) if script else None,
        "watch_cancels": watch_cancels,
        "watch_stalls": watch_stalls,
    }
    with open(log_to or os.devnull, "wb") as log:  # noqa: ASYNC230 - before anything is measured
        process = await trio.lowlevel.open_process(
            [sys.executable, str(_CHILD), json.dumps(orders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | dict(environment or {}),
        )
    server = OwnServer(process, "")
    try:
        with trio.fail_after(_START_S):
            server.ws_url = (await server._line()).decode()
        yield server
        assert process.stdin is not None
        await process.stdin.aclose()
        with trio.fail_after(_END_S):
            code = await process.wait()
        if code:
            raise ServerDied(f"exit code {code}")
    finally:
        if process.returncode is None:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with trio.CancelScope(shield=True):
                    await pipe.aclose()
