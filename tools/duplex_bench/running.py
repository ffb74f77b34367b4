"""Servers side by side: each script is said to one after the other, so that a busy moment meets them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.sse_server import Reply, serve
from tools.duplex_bench.adapter import OpenAdapter, SessionLost
from tools.duplex_bench.person import hold_session
from tools.duplex_bench.recording import Recording
from tools.duplex_bench.script import Script
from tools.own_server import ServerDied, own_server

_LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class Configuration:
    """A server to talk with."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """What one of our own is started with, beside the environment that there is."""
    url: str | None = None
    """One that runs already; its language model is its own."""


class CannotStart(Exception):
    """A server could not be started, or ended by itself; the message has what it said last."""


Prepare = Callable[[Script], str]
"""Makes a server ready for a script; returns its address."""


@asynccontextmanager
async def talking_to(configuration: Configuration, *, first_token_s: float, log_to: Path) -> AsyncIterator[Prepare]:
    """Start such a server; yields what makes it ready. Raises `CannotStart`.

    Its language model is a chat API on loopback that answers with a script's reply, all of it ``first_token_s`` after
    it was asked. What the server logs goes to ``log_to``.
    """
    if (url := configuration.url) is not None:
        yield lambda script: url
        return
    async with serve(Reply()) as api:

        def answer_as(script: Script) -> str:
            api.script[:] = [Reply(tokens=(script.reply,), delay_s=first_token_s)]
            return server.ws_url

        environment = {
            "STREAM_LLM_ENGINE": "openai-chat",
            "STREAM_LLM_MODEL": "scripted",
            "OPENAI_BASE_URL": api.base_url,
            **configuration.environment,
        }
        try:
            async with own_server("configured", environment=environment, log_to=log_to) as server:
                yield answer_as
        except* ServerDied as died:
            said = (await trio.Path(log_to).read_text(errors="replace")).splitlines()[-_LAST_LINES:]
            raise CannotStart("\n".join([f"{configuration.name}: {died.exceptions[0]}", *said])) from None


async def record_all(
    scripts: Sequence[Script],
    configurations: Sequence[Configuration],
    open_adapter: OpenAdapter,
    take: Callable[[Recording], None],
    *,
    first_token_s: float,
    logs: Path,
) -> list[str]:
    """Say every script to every server; each recording is given to ``take``. Return which sessions broke off, and why.

    ``logs`` is a folder for what the servers log. Raises `CannotStart`.
    """
    broken = []
    async with AsyncExitStack() as stack:
        servers = {}
        for one in configurations:
            started = talking_to(one, first_token_s=first_token_s, log_to=logs / f"{one.name}.server.log")
            servers[one.name] = await stack.enter_async_context(started)
        for script in scripts:
            for name, prepare in servers.items():
                try:
                    take(await hold_session(script, name, prepare(script), open_adapter))
                except SessionLost as lost:
                    broken.append(f"{name}, {script.name}: {lost}")
    return broken
