"""How fast replies are cut off: many sessions listen to one, and each is cancelled at a moment of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass

import click
import trio

from tools.figures import percentile
from tools.own_server import Kind, own_server
from tools.proc import machine
from tools.scripted import LONG
from voice_trio.client import Client, connect
from voice_trio.core import messages as m

GOAL_MS = 20
"""99 % of the times from a `cancel` that was read to the last audio."""

_RANKS = (50, 95, 99, 100)


@dataclass(frozen=True, slots=True)
class Cancel:
    """One reply that was cut off: what the client saw, in ms after it sent `cancel`."""

    audio_ms: float
    """When the last audio came; 0 where none came any more."""
    done_ms: float


async def cancel_in_turns(client: Client, times: int, chance: random.Random) -> list[Cancel]:
    """Ask for something long and cut it off, ``times`` times."""
    cut = []
    for _ in range(times):
        await client.ask(m.Text(text=LONG))
        await client.wait_for(m.TtsChunk)
        with trio.move_on_after(chance.uniform(0.3, 3.0)):
            while True:
                await client.hear()
        sent_at = audio_at = trio.current_time()
        await client.ask(m.Cancel())
        while not isinstance(event := await client.hear(), m.Done):
            if isinstance(event, m.TtsChunk):
                audio_at = trio.current_time()
        cut.append(Cancel((audio_at - sent_at) * 1000, (trio.current_time() - sent_at) * 1000))
    return cut


async def measure_cancels(url: str | None, kind: Kind, *, sessions: int, times: int) -> bool:
    """Cut off ``times`` replies in each of ``sessions`` at once, print how fast, and return whether fast enough."""
    if url is not None:
        return _report(await _cancel_all(url, sessions, times), [])
    async with own_server(
        kind, watch_cancels=True, max_sessions=1000, max_connections=2000, max_connections_per_address=2000
    ) as server:
        cut = await _cancel_all(server.ws_url, sessions, times)
        return _report(cut, await server.cancels())


async def _cancel_all(url: str, sessions: int, times: int) -> list[Cancel]:
    cut: list[Cancel] = []

    async def one(seed: int) -> None:
        async with connect(url) as client:
            cut.extend(await cancel_in_turns(client, times, random.Random(seed)))

    async with trio.open_nursery() as nursery:
        for seed in range(sessions):
            nursery.start_soon(one, seed)
    return cut


def _report(cut: list[Cancel], written: list[tuple[float, float]]) -> bool:
    click.echo(machine())
    click.echo(f"{len(cut)} replies cut off{'':22}" + "".join(f"{f'p{rank}':>9}" for rank in _RANKS) + "   ms")
    rows = {
        "client: `cancel` sent to last audio come": [one.audio_ms for one in cut],
        "client: `cancel` sent to `done` come": [one.done_ms for one in cut],
    }
    if written:
        rows["server: `cancel` read to last audio written"] = [audio for audio, _ in written]
        rows["server: `cancel` read to `done` written"] = [done for _, done in written]
    for name, values in rows.items():
        click.echo(f"{name:44}" + "".join(f"{percentile(values, rank):9.2f}" for rank in _RANKS))
    click.echo(f"audio still came after {sum(one.audio_ms > 0 for one in cut)} of them")
    worst = percentile(rows.get("server: `cancel` read to last audio written", rows[next(iter(rows))]), 99)
    click.echo(f"last audio, p99: {worst:.2f} ms, goal {GOAL_MS}: {'reached' if worst <= GOAL_MS else 'MISSED'}")
    return worst <= GOAL_MS
