"""Throws hostile bytes at a server, and shows what they do to a conversation that goes on all the while.

    python tools/fuzz_server.py                                   10,000 connections, 50 a second
    python tools/fuzz_server.py --count 4000 --rate 200 --seed 7
    python tools/fuzz_server.py --messages 100000                 instead, mutated messages in honest WebSockets

The server is one of its own, in a process of its own, on a free loopback port, with scripted engines: what is measured
is the server. The same seed throws the same bytes. It prints how many connections of each kind there were, or how the
sessions ended; how long a typed word waited for its first token (the echo) and for its first audio, before and during;
which steps of the server's loop took more than 20 ms of CPU (`tools/stalls.py`); and what is left of connections,
sessions, tasks and open files ten seconds later. It exits with 1 if the server died, if anything is left, if a step was
longer, or if a message met anything but what it deserved.

Mutated messages come as fast as a handful of clients can send them, and none of them is refused as a flood: a session
is left for a new one before it has said `SESSION_MESSAGES`, which is within the burst of control messages that every
session may make, and STREAM_MAX_UTTERANCE_MS, by which audio is limited, is at its highest.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools import stalls
from tools.fuzzing.hostile_bytes import attack_all
from tools.fuzzing.mutated_messages import say_mutated
from tools.own_server import OwnServer, ServerDied, Vitals, own_server
from voice_trio.client import connect
from voice_trio.core import messages as m

SETTLE_S = 10.0
"""After so long nothing may be left."""

BASELINE = 60
"""Turns measured in peace."""

_SETTINGS: dict[str, Any] = {
    "max_sessions": 1000,
    "max_connections": 2000,
    "max_connections_per_address": 2000,
    "max_utterance_ms": 300_000,
    "log_level": "ERROR",
}


@dataclass
class Waits:
    """How many seconds each turn waited after its `Text`."""

    token: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)


async def converse(url: str, enough: trio.Event, waits: Waits) -> None:
    """Type a word again and again, and note how long its first token and its first audio took."""
    async with connect(url) as client:
        while not enough.is_set():
            began_at = trio.current_time()
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.Token)
            waits.token.append(trio.current_time() - began_at)
            await client.wait_for(m.TtsChunk)
            waits.audio.append(trio.current_time() - began_at)
            await client.ask(m.Cancel())
            await client.wait_for(m.Done)
            # Two commands a turn, and well below the rate at which they would be a flood.
            await trio.sleep(0.15)


Attack = Callable[[OwnServer], Awaitable[bool]]
"""Attacks a server, prints what was done, and returns whether all of it was answered as it should be."""


async def measure(attack_it: Attack) -> bool:
    """Let a server be attacked, print the figures, and return whether all is as it should be."""
    async with own_server("scripted", watch_stalls=True, **_SETTINGS) as server:
        return await _measure(server, attack_it)


async def _measure(server: OwnServer, attack_it: Attack) -> bool:
    peace = Waits()
    enough = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(converse, server.ws_url, enough, peace)
        while len(peace.audio) < BASELINE:  # noqa: ASYNC110 - a figure more every few milliseconds
            await trio.sleep(0.1)
        enough.set()
    await trio.sleep(1)
    before = await server.vitals(collect=False)
    war = Waits()
    enough = trio.Event()
    began_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(converse, server.ws_url, enough, war)
        answered = await attack_it(server)
        took_s = trio.current_time() - began_at
        enough.set()
    await trio.sleep(SETTLE_S)
    long_steps = await server.stalls()
    after = await server.vitals(collect=False)
    click.echo(f"{took_s:7.0f}  s")
    for what, was, came in (("token", peace.token, war.token), ("audio", peace.audio, war.audio)):
        was_ms, came_ms = statistics.median(was) * 1000, statistics.median(came) * 1000
        click.echo(
            f"first {what}: {was_ms:.1f} ms median in peace, {came_ms:.1f} ms under attack ({len(came)} turns): "
            f"{came_ms / was_ms:.2f} times as long"
        )
    click.echo(stalls.report(long_steps))
    click.echo(f"before  {_left(before)}")
    click.echo(f"after   {_left(after)}, {after.crashed} crashed")
    return answered and _left(before) == _left(after) and not after.crashed and not long_steps["count"]


def _left(vitals: Vitals) -> str:
    return (
        f"{vitals.connections} connections, {vitals.sessions} sessions, {vitals.tasks} tasks, {vitals.files} open files"
    )


async def throw_bytes(server: OwnServer, count: int, rate: float, seed: int) -> bool:
    """Make hostile connections, and print how many of each kind there were."""
    made = await attack_all(server.port, count, rate, seed)
    for kind, times in sorted(made.items()):
        click.echo(f"{times:7}  {kind}")
    click.echo(f"{sum(made.values()):7}  connections, seed {seed}")
    return True


async def throw_messages(server: OwnServer, count: int, seed: int) -> bool:
    """Say mutated messages, and print how the sessions ended."""
    tally = await say_mutated(server.ws_url, count, seed)
    click.echo(f"{tally.sent:7}  messages, seed {seed}; {tally.malformed} of them malformed")
    for how, times in sorted(tally.ends.items()):
        click.echo(f"{times:7}  sessions closed {how}")
    for code, times in sorted(tally.errors.items()):
        click.echo(f"{times:7}  errors {code}")
    return tally.well


@click.command()
@click.option("--count", default=10_000, show_default=True, help="Hostile connections.")
@click.option("--rate", default=50.0, show_default=True, help="So many a second.")
@click.option("--messages", default=0, help="So many mutated messages in honest WebSockets, instead of connections.")
@click.option("--seed", default=1, show_default=True, help="The same seed throws the same bytes.")
def main(count: int, rate: float, messages: int, seed: int) -> None:
    """Throw hostile bytes at a server of one's own, and measure what they do."""

    async def attack_it(server: OwnServer) -> bool:
        if messages:
            return await throw_messages(server, messages, seed)
        return await throw_bytes(server, count, rate, seed)

    try:
        well = trio.run(measure, attack_it)
    except* ServerDied as died:
        well = False
        click.echo(f"the server died: {died.exceptions[0]}")
    click.echo("well" if well else "NOT WELL")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
