"""An engine's weights on their way to this disk.

A process of its own fetches them, as ``voice-trio models download`` does: it can be ended at any moment, and what it
computes holds up nobody's turn. What it had fetched by then, the next one goes on with, if the engine can.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.environment import is_secret, spelled, variables
from voice_trio.waiting import alongside

log = structlog.get_logger("voice_trio")

_MENDABLE = 2
"""The exit code with which the command says one sentence for a person."""

_MOST_SAID = 65_536
"""What is kept of a process that says more than it should, in bytes."""


class Far(NamedTuple):
    """How far a fetch is."""

    done: int
    """Bytes on disk."""
    total: int
    """Bytes in all; 0 while that is not known."""


class Fetch:
    """A fetch under way."""

    def __init__(self) -> None:
        self.far = Far(0, 0)
        self.over = False
        self.trouble: str | None = None
        """Why nothing came of it, in a sentence; None as long as that is not so."""
        self._news = trio.Event()

    async def wait_news(self, known: Far) -> None:
        """Wait until it is not where it is ``known`` to be, or over."""
        while self.far == known and not self.over:
            await self._news.wait()
        await trio.lowlevel.checkpoint()

    def tell(self, far: Far) -> None:
        """It is so far."""
        self.far = far
        self._wake()

    def end(self, trouble: str | None) -> None:
        """It is over, and came to nothing if there was ``trouble``."""
        self.over, self.trouble = True, trouble
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()


@asynccontextmanager
async def fetching(engine: str, model: str, settings: Settings) -> AsyncIterator[Fetch]:
    """Fetch ``model`` of ``engine`` while the block runs; a fetch that is not over by then is ended.

    ``settings`` are those that the process is to have as well.
    """
    fetch = Fetch()
    command = [*(sys.executable, "-P", "-m", "voice_trio"), *("models", "download", "--engine", engine, "--json")]
    async with alongside(partial(_run, fetch, [*command, "--", model], environment_for(settings))):
        yield fetch


def environment_for(settings: Settings) -> dict[str, str]:
    """Return our environment with ``settings``, without the secrets among them: they are for no other process."""
    secrets = {
        name
        for field, about in Settings.model_fields.items()
        if is_secret(about)
        for name in variables(Settings, field)
    }
    return {name: value for name, value in os.environ.items() if name not in secrets} | spelled(settings)


async def _run(fetch: Fetch, command: Sequence[str], environment: Mapping[str, str]) -> None:
    pipe = subprocess.PIPE
    async with trio.open_nursery() as nursery:
        try:
            process: trio.Process = await nursery.start(
                partial(trio.run_process, stdout=pipe, stderr=pipe, check=False, env=environment), command
            )
        except OSError as error:
            fetch.end(f"No process can be started for it: {error.strerror}.")
            return
        said = bytearray()
        nursery.start_soon(_keep, process.stderr, said)
        await _follow(fetch, process.stdout)
        code = await process.wait()
    fetch.end(None if code == 0 else _reason(code, said.decode(errors="replace")))


async def _keep(stream: Any, said: bytearray) -> None:
    async for data in stream:
        said += data[: _MOST_SAID - len(said)]


async def _follow(fetch: Fetch, stream: Any) -> None:
    """Tell ``fetch`` what the process prints."""
    rest = b""
    async for data in stream:
        *lines, rest = (rest + data)[-_MOST_SAID:].split(b"\n")
        for line in lines:
            if (far := _far(line)) is not None:
                fetch.tell(far)


def _far(line: bytes) -> Far | None:
    """Return what a line says of the progress; None for any other, which an engine's own code may have printed."""
    try:
        said = json.loads(line)
        return Far(int(said["done"]), int(said["total"]))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _reason(code: int, said: str) -> str:
    """Return why the process failed, in a sentence."""
    lines = said.strip().splitlines()
    if code == _MENDABLE and lines:
        return lines[-1].removeprefix("voice-trio: ")
    log.error("a model was not fetched", exit_code=code, said=lines[-20:])
    return "It could not be fetched; the server's log says why."
