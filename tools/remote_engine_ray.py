"""A cluster of Ray's on this machine, with `deploy/ray` on it, and what happens to its replicas.

Wants Ray, which is no dependency of ours: `pip install -e '.[ray]'` in an environment of its own, whose Python then
runs `tools/remote_engine.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import click
import trio

from tools.figures import percentile
from tools.free_port import free_port
from tools.proc import machine
from voice_trio import config, sound_file
from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.core.errors import EngineError
from voice_trio.engines.base import Recognizer
from voice_trio.engines.remote.plug import open_recognizer

_ROOT = Path(__file__).parent.parent
_CLIP = _ROOT / "examples" / "time.wav"
GOAL_CALLS, GOAL_P99_S = 500, 1.0
_REPLICAS = 3
_ASKERS = 4
_DEADLINE_S = 8.0
_ROUTE = "/v1/audio/transcriptions"
_WAITING = "/waiting"


class Cluster(NamedTuple):
    """One that runs."""

    url: str
    """Of the recognizer."""
    waiting_url: str
    """Of one that answers nothing."""
    log: Path
    """Where that writes lines of JSON: when it was asked, and when its client had left, by `time.monotonic`."""


class Waiting:
    """Answers nothing."""

    def __init__(self, log: str) -> None:
        self._log = Path(log)

    async def __call__(self, request: Any) -> None:
        """Wait until the client leaves."""
        await request.body()
        self._note()
        try:
            await asyncio.sleep(3600)
        finally:
            self._note()

    def _note(self) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps(time.monotonic()) + "\n")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Have the recognizer served by three replicas. Blocks while it starts, for half a minute."""
    # Read when Ray is imported, here and in its processes.
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_DEDUP_LOGS": "0",
        "STREAM_INSECURE": "1",
        "PYTHONPATH": os.pathsep.join([str(_ROOT), str(_ROOT / "deploy" / "ray")]),
    }
    sys.path.insert(0, str(_ROOT / "deploy" / "ray"))
    try:
        import ray
        from ray import serve
        from voice_engines import Recognizer as Deployed
    except ImportError as error:
        raise click.ClickException(f"{error}. {' '.join((__doc__ or '').split(chr(10) * 2)[1].split())}") from None
    port = free_port()
    ray.init(num_cpus=_REPLICAS + 2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    try:
        serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
        deployed = Deployed.options(
            num_replicas=_REPLICAS,
            max_ongoing_requests=8,
            max_queued_requests=32,
            health_check_period_s=1,
            health_check_timeout_s=1,
            ray_actor_options={"num_cpus": 1},
        )
        serve.run(deployed.bind(), name="hear", route_prefix=_ROUTE)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "log")
            log.touch()
            waiting = serve.deployment(Waiting).options(ray_actor_options={"num_cpus": 1})
            serve.run(waiting.bind(str(log)), name="waiting", route_prefix=_WAITING + _ROUTE)
            address = f"http://127.0.0.1:{port}"
            yield Cluster(address, address + _WAITING, log)
            serve.shutdown()
    finally:
        ray.shutdown()


@dataclass
class Calls:
    """What became of the calls."""

    took_s: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def survive(url: str, *, kills: int, hangs: int, seconds: float) -> bool:
    """Ask the recognizer at ``url`` while replicas are killed and stopped; return whether nobody noticed."""
    pcm, calls = sound_file.read(_CLIP), Calls()
    settings = config.load(asr_url=url, remote_fallback="off", remote_attempt_s=1.5, asr_timeout_s=_DEADLINE_S)
    async with open_recognizer(settings) as recognizer, trio.open_nursery() as nursery:
        for _ in range(_ASKERS):
            nursery.start_soon(_keep_asking, recognizer, pcm, calls)
        await _harm(kills, hangs, seconds)
        nursery.cancel_scope.cancel()
    click.echo(f"{kills} killed, {hangs} stopped, {seconds:g} s; {machine()}")
    p50, p99 = (percentile(calls.took_s, percent) for percent in (50, 99))
    click.echo(f"{len(calls.took_s)} calls, {len(calls.failed)} failed; p50 {p50:.3f} s, p99 {p99:.3f} s")
    for why in sorted(set(calls.failed)):
        click.echo(f"  {calls.failed.count(why)} times: {why}")
    return not calls.failed and len(calls.took_s) >= GOAL_CALLS and p99 <= GOAL_P99_S


async def _keep_asking(recognizer: Recognizer, pcm: bytes, calls: Calls) -> None:
    while True:
        begun_at = time.perf_counter()
        try:
            with trio.fail_after(_DEADLINE_S):
                async with recognizer.open("en") as utterance:
                    utterance.feed(pcm)
                    final = await utterance.settle(len(pcm) // BYTES_PER_SAMPLE)
            if not final.text:
                calls.failed.append("no words")
        except EngineError as error:
            calls.failed.append(error.message)
        except trio.TooSlowError:
            calls.failed.append(f"no answer within {_DEADLINE_S:g} s")
        calls.took_s.append(time.perf_counter() - begun_at)


async def _harm(kills: int, hangs: int, seconds: float) -> None:
    """Kill and stop replicas at even distances, a replica at a time."""
    stopped: list[int] = []
    try:
        acts = [signal.SIGKILL] * kills + [signal.SIGSTOP] * hangs
        random.Random(3).shuffle(acts)
        pause_s = seconds / (len(acts) + 1)
        for act in acts:
            await trio.sleep(pause_s)
            alive = [pid for pid in replicas() if pid not in stopped]
            if not alive:
                raise click.ClickException("No replica is left.")
            os.kill(alive[0], act)
            stopped += [alive[0]] if act is signal.SIGSTOP else []
        await trio.sleep(pause_s)
    finally:
        for pid in set(stopped) & set(replicas()):
            os.kill(pid, signal.SIGKILL)


def replicas() -> list[int]:
    """Return the processes that are replicas, of the cluster that this process has started."""
    return [pid for pid in _below(os.getpid()) if b"ray::ServeReplica" in _read(pid, "cmdline")]


def _below(ancestor: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _read(int(entry.name), "stat")):
            parent = int(stat.rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, look = [], [ancestor]
    while look:
        mine = children.get(look.pop(), [])
        found += mine
        look += mine
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
