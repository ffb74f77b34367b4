"""What a live session costs: CPU time for each message and frame, as a ratio to a bare handler, and memory.

    python tools/load.py                      conversations and mere listening, in messages of 30 and 60 ms
    python tools/load.py --rounds 5           the same, more surely
    python tools/load.py --memory             what one session adds to resident memory
    python tools/load.py --profile FILE       cProfile's figures of the server, under conversations of 30 ms

Each server is a process of its own on loopback, and the load comes from this one: real speech at the speed of speech,
in every session at another moment. Our server has scripted engines that take no time, webrtcvad as its detector, and
logs as it does by default. The bare handler (`tools/bare_server.py`) gets the same messages, and sends the same ones
at the same times. Both are measured in turns, in one run; CPU time is that of the server's process.
"""

from __future__ import annotations

import base64
import json
import math
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.own_server import OwnServer, own_server
from tools.proc import machine
from voice_trio import sound_file
from voice_trio.client import Client, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, FRAME_MS, ms_to_samples
from voice_trio.wire import native

STORY = Path(__file__).parent.parent / "tests" / "clips" / "story.wav"

GOAL = 1.5
"""Times what the bare handler costs."""

MEMORY_GOAL_BYTES = 1 << 20

SETTINGS: dict[str, Any] = {
    "max_sessions": 10_000,
    "max_connections": 10_000,
    "max_connections_per_address": 10_000,
    "vad": "webrtc",
}
"""Of a server that takes whoever comes, with a detector that costs little."""
_STAGE_S = 60.0
_KEPT_UP = 0.97


@dataclass(frozen=True, slots=True)
class Workload:
    """What every session does, over and over: speak for ``speak_s``, then listen to the reply."""

    name: str
    cycle_s: float
    speak_s: float


CONVERSATION = Workload("conversation", cycle_s=6.0, speak_s=3.0)
LISTENING = Workload("listening", cycle_s=12.0, speak_s=math.inf)


@dataclass
class Traffic:
    """Messages so far."""

    to_server: int = 0
    from_server: int = 0
    audio_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a server spent on some traffic."""

    cpu_s: float
    to_server: int
    from_server: int
    audio_s: float
    kept_up: float
    """Share of real time at which the load came; much below 1 on a machine too busy for this."""

    @property
    def message_us(self) -> float:
        """CPU time for each message of either direction."""
        return self.cpu_s / (self.to_server + self.from_server) * 1e6

    @property
    def frame_us(self) -> float:
        """CPU time for each frame of audio in, with all that belongs to it."""
        return self.cpu_s / (self.audio_s * 1000 / FRAME_MS) * 1e6


def microphone(message_ms: int) -> list[bytes]:
    """Return a recording of natural speech in messages of ``message_ms``, none of them short."""
    pcm = sound_file.read(STORY)
    step = ms_to_samples(message_ms) * BYTES_PER_SAMPLE
    return [pcm[at : at + step] for at in range(0, len(pcm) - step, step)]


async def talk(client: Client, workload: Workload, message_ms: int, traffic: Traffic) -> None:
    """Do as ``workload`` says, by the clock and whatever the server says, until this is cancelled."""
    audio = microphone(message_ms)
    began_at = trio.current_time()
    period_s, sent, cycle, stopped = message_ms / 1000, 0, 0, True
    while True:
        now_s = sent * period_s
        if now_s >= cycle * workload.cycle_s:
            cycle, stopped = cycle + 1, False
            await client.ask(m.Cancel() if workload.speak_s == math.inf and cycle > 1 else m.Start(mode="hold"))
            if workload.speak_s == math.inf and cycle > 1:
                await client.ask(m.Start(mode="hold"))
                traffic.to_server += 1
            traffic.to_server += 1
        if not stopped and now_s >= (cycle - 1) * workload.cycle_s + workload.speak_s:
            stopped = True
            await client.ask(m.Stop())
            traffic.to_server += 1
        await trio.sleep_until(began_at + now_s + period_s)
        await client.send_raw(audio[sent % len(audio)])
        sent += 1
        traffic.to_server += 1
        traffic.audio_s += period_s


async def collect(client: Client, traffic: Traffic) -> None:
    """Take what the server says, until it closes or this is cancelled."""
    try:
        while True:
            await client.hear()
            traffic.from_server += 1
    except SessionClosed:
        pass


async def record_script(url: str, workload: Workload) -> list[tuple[float, str, str]]:
    """Return what our server says in one cycle of ``workload``, for a bare handler to say."""
    script = []
    async with connect(url) as client, trio.open_nursery() as nursery:
        assert isinstance(await client.hear(), m.SessionOpened)
        began_at = trio.current_time()
        nursery.start_soon(talk, client, workload, 60, Traffic())
        with trio.move_on_after(workload.cycle_s - 0.2):
            while True:
                event = await client.hear()
                script.append((trio.current_time() - began_at, *written(event)))
        nursery.cancel_scope.cancel()
    return script


def written(event: m.Event) -> tuple[str, str]:
    """Return ``event`` as a script has it."""
    data = native.encode_event(event)
    return ("base64", base64.b64encode(data).decode()) if isinstance(data, bytes) else ("text", data)


async def measure(
    server: OwnServer, workload: Workload, *, sessions: int, message_ms: int, seconds: float, warm_up_s: float = 3.0
) -> Cost:
    """Put ``server`` under load and return what it spent in ``seconds`` of it."""
    traffic = Traffic()
    # Over one cycle, so that at each moment so many speak and so many are answered; and between two messages.
    spread_s = min(workload.cycle_s, CONVERSATION.cycle_s)

    async def session(index: int) -> None:
        async with connect(server.ws_url) as client, trio.open_nursery() as inner:
            inner.start_soon(collect, client, traffic)
            await trio.sleep_until(began_at + 1 + index * spread_s / sessions)
            await talk(client, workload, message_ms, traffic)

    async with trio.open_nursery() as nursery:
        began_at = trio.current_time()
        for index in range(sessions):
            nursery.start_soon(session, index)
        await trio.sleep_until(began_at + 1 + spread_s + warm_up_s)
        before, sofar = await server.vitals(collect=False), replace(traffic)
        await trio.sleep(seconds)
        after = await server.vitals(collect=False)
        cost = Cost(
            cpu_s=after.cpu_s - before.cpu_s,
            to_server=traffic.to_server - sofar.to_server,
            from_server=traffic.from_server - sofar.from_server,
            audio_s=traffic.audio_s - sofar.audio_s,
            kept_up=(traffic.audio_s - sofar.audio_s) / sessions / seconds,
        )
        nursery.cancel_scope.cancel()
    return cost


async def compare(*, sessions: int, rounds: int, seconds: float, lengths: tuple[int, ...]) -> float:
    """Measure both servers in turns, print the figures, and return the worst ratio."""
    worst = 0.0
    click.echo(
        f"{sessions} sessions, {rounds} rounds of {seconds:g} s, {machine()}\n"
        "medians of the CPU time of the server's process, in us\n"
    )
    click.echo(f"{'':14}{'':8} {'a message':>10} {'':>10} {'':>6} {'30 ms':>8} {'':>8} {'sessions':>9}")
    click.echo(f"{'':14}{'messages':>8} {'ours':>10} {'bare':>10} {'ratio':>6} {'ours':>8} {'bare':>8} {'a core':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for workload in (CONVERSATION, LISTENING):
            script = Path(folder) / f"{workload.name}.json"
            async with own_server("scripted", **SETTINGS) as ours:
                script.write_text(json.dumps(await record_script(ours.ws_url, workload)))
                async with own_server("bare", script=script, **SETTINGS) as bare:
                    for message_ms in lengths:
                        pairs = []
                        for _ in range(rounds):
                            pair = [
                                await measure(
                                    server, workload, sessions=sessions, message_ms=message_ms, seconds=seconds
                                )
                                for server in (bare, ours)
                            ]
                            pairs.append(pair)
                        worst = max(worst, _print(workload, message_ms, pairs))
    click.echo(f"\nworst ratio {worst:.2f}, goal {GOAL}: {'reached' if worst <= GOAL else 'MISSED'}")
    return worst


def _print(workload: Workload, message_ms: int, pairs: list[list[Cost]]) -> float:
    bares, ours = zip(*pairs, strict=True)
    ratio = statistics.median(our.message_us / bare.message_us for bare, our in pairs)
    a_session = statistics.median(our.cpu_s / our.audio_s for our in ours)
    click.echo(
        f"{workload.name:14}{message_ms:5} ms"
        f" {statistics.median(one.message_us for one in ours):10.0f}"
        f" {statistics.median(one.message_us for one in bares):10.0f}"
        f" {ratio:6.2f}"
        f" {statistics.median(one.frame_us for one in ours):8.0f}"
        f" {statistics.median(one.frame_us for one in bares):8.0f}"
        f" {1 / a_session:9.0f}"
    )
    kept_up = min(one.kept_up for pair in pairs for one in pair)
    if kept_up < _KEPT_UP:
        click.echo(f"{'':14}not to be trusted: the load came at {kept_up:.0%} of real time, the machine is too busy")
    return ratio


async def profile(path: Path, *, sessions: int, seconds: float) -> None:
    """Write cProfile's figures of our server under load to ``path``."""
    async with own_server("scripted", profile=path, **SETTINGS) as ours:
        await measure(ours, CONVERSATION, sessions=sessions, message_ms=30, seconds=seconds)


async def measure_memory(sessions: int) -> float:
    """Print what a session adds to resident memory, at each stage of its life, and return the most, in bytes."""
    costs = []
    async with own_server("scripted", **SETTINGS) as ours, trio.open_nursery() as nursery:
        # What the first sessions bring in for all others is no part of what a session costs.
        async with trio.open_nursery() as first:
            for _ in range(4):
                first.start_soon(_one_turn, ours.ws_url)
        before = await ours.vitals()

        async def note(stage: str) -> None:
            now = await ours.vitals()
            costs.append((now.rss_bytes - before.rss_bytes) / sessions)
            blocks, tasks = (now.blocks - before.blocks) / sessions, (now.tasks - before.tasks) / sessions
            click.echo(f"{stage:32}{costs[-1] / 1024:8.0f} KiB {blocks:8.0f} blocks {tasks:6.1f} tasks")

        click.echo(f"{sessions} sessions; resident memory for each, audio included")
        heard: Counter[type] = Counter()
        clients = [await _opened(nursery, ours.ws_url, heard) for _ in range(sessions)]
        await note("connected")
        for client in clients:
            await client.ask(m.Start(mode="hold"))
        for message in microphone(300)[:10]:
            for client in clients:
                await client.send_raw(message)
        await _until(lambda: heard[m.Partial] >= sessions)
        await note("listening, after 3 s of speech")
        for client in clients:
            await client.ask(m.Stop())
        await _until(lambda: heard[m.TtsChunk] >= sessions)
        await note("replying")
        await _until(lambda: heard[m.Done] == sessions)
        await note("after the reply")
        nursery.cancel_scope.cancel()
    worst = max(costs)
    click.echo(f"most {worst / 1024:.0f} KiB, goal 1024: {'reached' if worst <= MEMORY_GOAL_BYTES else 'MISSED'}")
    return worst


async def _opened(nursery: trio.Nursery, url: str, heard: Counter[type]) -> Client:
    async def live(task_status: trio.TaskStatus[Client]) -> None:
        async with connect(url) as client:
            await client.hear()
            task_status.started(client)
            while True:
                heard[type(await client.hear())] += 1

    client: Client = await nursery.start(live)
    return client


async def _until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(_STAGE_S):
        while not condition():  # noqa: ASYNC110 - counts of hundreds of sessions, and no hurry
            await trio.sleep(0.05)


async def _one_turn(url: str) -> None:
    async with connect(url) as client:
        await client.ask(m.Start(mode="hold"))
        for message in microphone(60)[:50]:
            await client.send_raw(message)
        await client.ask(m.Stop())
        await client.wait_for(m.Done)


@click.command()
@click.option("--sessions", default=40, show_default=True, type=click.IntRange(1), help="Live sessions.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Measurements of each kind.")
@click.option("--seconds", default=12.0, show_default=True, help="Length of each.")
@click.option("--message-ms", default=(30, 60), multiple=True, show_default=True, help="Lengths of the messages.")
@click.option("--memory", is_flag=True, help="Measure memory instead; give many --sessions.")
@click.option("--profile", "profile_to", type=click.Path(path_type=Path), help="Write a profile of the server instead.")
def main(
    sessions: int, rounds: int, seconds: float, message_ms: tuple[int, ...], memory: bool, profile_to: Path | None
) -> None:
    """Measure what a live session costs."""

    async def run() -> bool:
        if profile_to is not None:
            await profile(profile_to, sessions=sessions, seconds=seconds)
            return True
        if memory:
            return await measure_memory(sessions) <= MEMORY_GOAL_BYTES
        return await compare(sessions=sessions, rounds=rounds, seconds=seconds, lengths=message_ms) <= GOAL

    sys.exit(0 if trio.run(run) else 1)


if __name__ == "__main__":
    main()
