"""Two servers, each in a process of its own, behind HAProxy with the file of deploy/.

    async with own_fleet(STREAM_MAX_SESSIONS="5") as (servers, proxy):
        async with connect(proxy.url) as client: ...
        servers[0].process.send_signal(signal.SIGTERM)

Unlike that of `tools/own_server.py` they are what `voice-trio serve` starts, so signals mean to them what they mean to
any server. espeak speaks, and their skills alone answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx2
import trio

from tools.free_port import free_port
from tools.proxies import Behind, Proxy, haproxy

_START_S = 60.0
_END_S = 60.0


@dataclass
class Server:
    """One process."""

    process: trio.Process
    behind: Behind

    async def asked(self, path: str) -> dict[str, Any]:
        """Return what this server, and no proxy, answers to a GET of ``path``."""
        async with httpx2.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{self.behind.port}{path}")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def end(self) -> int:
        """Wait until it has ended, and return its exit status."""
        with trio.fail_after(_END_S):
            return await self.process.wait()


@asynccontextmanager
async def _server(folder: Path, settings: dict[str, str]) -> AsyncIterator[Server]:
    """Run a server on free ports, with what it keeps in ``folder``."""
    port, agent_port = free_port(), free_port()
    environment = {
        **os.environ,
        "STREAM_HOST": "127.0.0.1",
        "STREAM_PORT": str(port),
        "STREAM_AGENT_PORT": str(agent_port),
        "STREAM_TRUSTED_PROXIES": "127.0.0.1",
        "STREAM_DATA_DIR": str(folder),
        "STREAM_ASR_ENGINE": "pocketsphinx",
        "STREAM_TTS_ENGINE": "pyttsx3",
        "STREAM_LLM": "none",
        "STREAM_MAX_SESSIONS": "100",
        **settings,
    }
    process = await trio.lowlevel.open_process(
        [sys.executable, "-P", "-m", "voice_trio", "serve"],
        env=environment,
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        with trio.fail_after(_START_S):
            said = b""
            while b"Talk at" not in said:
                data = await process.stdout.receive_some()
                if not data:
                    raise click.ClickException(f"A server did not start: {said.decode()}")
                said += data
        yield Server(process, Behind(port, agent_port))
    finally:
        if process.returncode is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            if process.stdout is not None:
                await process.stdout.aclose()


@asynccontextmanager
async def own_fleet(**settings: str) -> AsyncIterator[tuple[list[Server], Proxy]]:
    """Run two servers with ``settings`` behind HAProxy."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir(mode=0o700)
            servers.append(await stack.enter_async_context(_server(folder / name, settings)))
        proxy = await stack.enter_async_context(haproxy(folder, [server.behind for server in servers]))
        yield servers, proxy
