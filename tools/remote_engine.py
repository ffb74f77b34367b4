"""What it costs that the recognizer is on another machine: the way there and back, and how soon a cancel is seen there.

    python tools/remote_engine.py --overhead
    python tools/remote_engine.py --overhead --url http://127.0.0.1:8000
    python tools/remote_engine.py --cancel
    python tools/remote_engine.py --ray --kill 3 --hang 1 --seconds 30

The far end is a bare one in a process of its own, or any other that has the API for audio (``--url``), whose own time
is then in the figures. `--overhead` sends 160 kB, five seconds of sound, again and again, and in turns asks a
recognizer in this process the same. `--ray` has a cluster of Ray's host the recognizer as `deploy/ray` does, on this
machine, and asks it while replicas are killed and stopped; with `--overhead` it is what that measures. Exit status 1
where a goal is missed.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tools.figures import percentile
from tools.proc import machine
from tools.remote_engine_ray import cluster, survive
from voice_trio import config
from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.engines.base import Recognizer
from voice_trio.engines.remote.plug import open_recognizer
from voice_trio.testing.scripted import ScriptedRecognizer

_CHILD = Path(__file__).with_name("remote_engine_child.py")
SOUND = random.Random(1).randbytes(160_000)
GOAL_P50_MS, GOAL_P99_MS = 5.0, 25.0
GOAL_CANCEL_MS = 50.0
_WARM_UP = 20
_TOLD_S = 30.0


class _Child:
    """The far end's process."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._unread = b""

    async def told(self) -> float:
        """Return the next of what it writes."""
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            data = await self._process.stdout.receive_some()
            if not data:
                raise click.ClickException("The far end's process is over.")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return float(json.loads(line))


class _Log:
    """The same of a far end that writes into a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    async def told(self) -> float:
        """Return the next of what it writes."""
        with trio.fail_after(_TOLD_S):
            while len(lines := self._path.read_text().split("\n")[:-1]) <= self._read:  # noqa: ASYNC110
                await trio.sleep(0.001)
        self._read += 1
        return float(lines[self._read - 1])


@asynccontextmanager
async def _child(*options: str) -> AsyncIterator[_Child]:
    process = await trio.lowlevel.open_process(
        [sys.executable, str(_CHILD), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield _Child(process)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    await pipe.aclose()


async def _ask(recognizer: Recognizer) -> float:
    """Have `SOUND` recognised, and return how many ms it took."""
    begun = time.perf_counter()
    async with recognizer.open("en") as utterance:
        utterance.feed(SOUND)
        await utterance.settle(len(SOUND) // BYTES_PER_SAMPLE)
    return (time.perf_counter() - begun) * 1000


async def overhead(url: str | None, times: int) -> bool:
    """Compare the recognizer at ``url``, or at a bare far end, with one in this process; return whether it will do."""
    async with _child() as child:
        far = url or f"http://127.0.0.1:{int(await child.told())}"
        here = ScriptedRecognizer(settle_s=0.0)
        settings = config.load(asr_url=far, remote_fallback="off", remote_attempt_s=60)
        there_ms, here_ms = [], []
        async with open_recognizer(settings) as there:
            for _ in range(_WARM_UP):
                await _ask(there)
            for _ in range(times):
                there_ms.append(await _ask(there))
                here_ms.append(await _ask(here))
    click.echo(f"{len(SOUND) // 1000} kB, {times} times each; {machine()}")
    over = {}
    for percent in (50, 99):
        there_at, here_at = percentile(there_ms, percent), percentile(here_ms, percent)
        over[percent] = there_at - here_at
        click.echo(f"p{percent}: there {there_at:.2f} ms, here {here_at:.2f} ms, over {over[percent]:.2f} ms")
    return over[50] <= GOAL_P50_MS and over[99] <= GOAL_P99_MS


async def cancels(times: int) -> bool:
    """Cancel ``times`` questions that a bare far end does not answer; return whether it saw all of it soon enough."""
    async with _child("--hang") as child:
        return await _cancels(f"http://127.0.0.1:{int(await child.told())}", child, times)


async def _cancels(url: str, end: _Child | _Log, times: int) -> bool:
    """Do so with ``end``, which is asked at ``url``."""
    chance = random.Random(2)
    seen_ms = []
    settings = config.load(asr_url=url, remote_fallback="off", remote_attempt_s=60)
    async with open_recognizer(settings) as there:
        for _ in range(times):
            async with trio.open_nursery() as asking:
                asking.start_soon(_ask, there)
                await end.told()
                await trio.sleep(chance.uniform(0, 0.02))
                left = time.monotonic()
                asking.cancel_scope.cancel()
            seen_ms.append((await end.told() - left) * 1000)
    click.echo(f"{times} cancels; {machine()}")
    click.echo(", ".join(f"p{percent} {percentile(seen_ms, percent):.2f} ms" for percent in (50, 99, 100)))
    return percentile(seen_ms, 99) <= GOAL_CANCEL_MS


@click.command()
@click.option("--overhead", "of_overhead", is_flag=True, help="Measure the way there and back.")
@click.option("--cancel", "of_cancel", is_flag=True, help="Measure how soon a cancel is seen at the far end.")
@click.option("--url", help="Ask this far end instead of a bare one.")
@click.option("--ray", "of_ray", is_flag=True, help="Ask the recognizer of a cluster of Ray's on this machine.")
@click.option("--kill", "kills", default=3, show_default=True, help="Replicas of it to kill.")
@click.option("--hang", "hangs", default=1, show_default=True, help="Replicas of it to stop.")
@click.option("--seconds", default=30.0, show_default=True, help="How long it is asked meanwhile.")
@click.option("--times", default=500, show_default=True, help="Questions of each kind.")
def main(
    of_overhead: bool,
    of_cancel: bool,
    url: str | None,
    of_ray: bool,
    kills: int,
    hangs: int,
    seconds: float,
    times: int,
) -> None:
    """Measure a recognizer on another machine."""
    if not (of_overhead or of_cancel or of_ray):
        raise click.UsageError("say what to measure: --overhead, --cancel, --ray")
    well = True
    if of_ray:
        with cluster() as at:
            if of_overhead:
                well = trio.run(overhead, at.url, times)
            if of_cancel:
                well = trio.run(_cancels, at.waiting_url, _Log(at.log), times) and well
            survived = partial(survive, at.url, kills=kills, hangs=hangs, seconds=seconds)
            sys.exit(0 if trio.run(survived) and well else 1)
    if of_overhead:
        well = trio.run(overhead, url, times) and well
    if of_cancel:
        well = trio.run(cancels, times) and well
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
