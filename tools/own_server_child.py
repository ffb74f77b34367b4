"""The process that `tools/own_server.py` starts: serves until its standard input ends, and says what it holds."""

from __future__ import annotations

import cProfile
import gc
import json
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.asr_bench.speaking import speaking
from tools.bare_server import open_bare_server
from tools.figures import percentile
from tools.proc import held_by
from tools.scripted import open_zero_cost_engines
from tools.stalls import Stalls
from voice_trio import config, log
from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.engines.base import Engines
from voice_trio.engines.host import OpenEngines, open_host
from voice_trio.engines.whisper.recognizer import WhisperRecognizer
from voice_trio.server import app
from voice_trio.server.run import open_server, tame_collector
from voice_trio.server.socket_link import SocketLink
from voice_trio.server.standstill import LivedClock

_TICK_S = 0.05

Counts = Callable[[], dict[str, int]]


@asynccontextmanager
async def open_kind(orders: dict[str, Any]) -> AsyncIterator[tuple[str, Counts]]:
    """Serve as ordered; yields the address and what counts sessions and connections."""
    settings = config.load(**orders["settings"])
    if orders["watch_cancels"]:
        app.SocketLink = WatchedLink  # type: ignore[attr-defined]
    if orders["kind"] == "bare":
        async with open_bare_server(settings, orders["script"]) as url:
            yield url, lambda: {"sessions": 0, "connections": 0, "crashed": 0}
        return
    engines = ENGINES[orders["kind"]]
    async with open_server(settings, engines) as running:
        yield (
            running.ws_url,
            lambda: {
                "sessions": len(running.sessions),
                "connections": len(running.connections),
                "crashed": running.connections.incidents["crashed"],
            },
        )


@asynccontextmanager
async def open_speaking_engines(settings: Settings) -> AsyncIterator[Engines]:
    """Open what ``settings`` ask for: a Whisper of random weights, which says as much as a person would."""
    async with open_host(settings) as host:
        assert isinstance(host.engines.recognizer, WhisperRecognizer)
        speaking(host.engines.recognizer.decoder)
        yield host.engines


ENGINES: dict[str, OpenEngines | None] = {
    "scripted": open_zero_cost_engines,
    "configured": None,
    "speaking": open_speaking_engines,
}
"""How a server's engines are opened; None is its own way."""


class WatchedLink(SocketLink):
    """A link that notes how long after each `cancel` was read audio was still written, and `done`."""

    cancels: ClassVar[list[tuple[float, float]]] = []
    """Milliseconds to the last audio, 0 where there was none, and to `done`."""

    _cancelled_at: float | None = None
    _audio_at = 0.0

    async def receive(self) -> m.Command:
        """Return the client's next command."""
        command = await super().receive()
        if isinstance(command, m.Cancel):
            self._cancelled_at = self._audio_at = trio.current_time()
        return command

    async def send(self, event: m.Event) -> None:
        """Hand ``event`` to the socket."""
        await super().send(event)
        if self._cancelled_at is None:
            return
        now = trio.current_time()
        if isinstance(event, m.TtsChunk):
            self._audio_at = now
        elif isinstance(event, m.Done):
            self.cancels.append(((self._audio_at - self._cancelled_at) * 1000, (now - self._cancelled_at) * 1000))
            self._cancelled_at = None


async def serve(orders: dict[str, Any], stalls: Stalls | None) -> None:
    async with open_kind(orders) as (url, counts), trio.open_nursery() as nursery:
        lags: deque[float] = deque(maxlen=100_000)
        nursery.start_soon(_tick, lags)
        tame_collector()
        if stalls is not None:
            # To load and to compile is not to serve.
            await trio.lowlevel.checkpoint()
            stalls.forget()
        print(url, flush=True)
        async for line in trio.wrap_file(sys.stdin):
            match line.strip():
                case "stalls":
                    assert stalls is not None
                    answer: Any = stalls.summary()
                case "cancels":
                    answer = WatchedLink.cancels
                case "collect":
                    gc.collect()
                    answer = vitals(lags) | counts()
                case _:
                    answer = vitals(lags) | counts()
            print(json.dumps(answer), flush=True)
            lags.clear()
        nursery.cancel_scope.cancel()


async def _tick(lags: deque[float]) -> None:
    while True:
        due = trio.current_time() + _TICK_S
        await trio.sleep_until(due)
        lags.append((trio.current_time() - due) * 1000)


def vitals(lags: deque[float]) -> dict[str, float]:
    return held_by(os.getpid()) | {
        "cpu_s": time.process_time(),
        "blocks": sys.getallocatedblocks(),
        "tasks": trio.lowlevel.current_statistics().tasks_living,
        "lag_p50_ms": percentile(lags, 50) if lags else 0.0,
        "lag_p99_ms": percentile(lags, 99) if lags else 0.0,
    }


if __name__ == "__main__":
    orders = json.loads(sys.argv[1])
    if orders["script"]:
        orders["script"] = json.loads(Path(orders["script"]).read_text())
    # As a server logs, and to standard error as a server does.
    log.configure("INFO")
    if orders["profile"]:
        profile = cProfile.Profile()
        profile.runcall(trio.run, serve, orders, None)
        profile.dump_stats(orders["profile"])
    elif orders["watch_stalls"]:
        stalls = Stalls()
        with stalls.watching():
            trio.run(serve, orders, stalls, clock=LivedClock(), instruments=[stalls])
    else:
        trio.run(serve, orders, None, clock=LivedClock())
