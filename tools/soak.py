"""Holds many sessions with clients of all kinds for a long time, and says whether the server grows.

    python tools/soak.py --total 5000                           so many sessions, thirty at a time
    python tools/soak.py --sessions 20 --minutes 60 --real-time
    python tools/soak.py --url ws://host:port/ws --pid PID      a server that runs already, on this machine

Without --url the server is one of its own, in a process of its own, with scripted engines, a database in a temporary
folder, and `STREAM_SEND_TIMEOUT_S=1`. Kinds are drawn anew for every session, by --seed: talkers speak and hear the
reply out; typers type; cancellers interrupt at any moment, and often begin again at once; leavers vanish at any moment
without a word; stallers ask for a long reply and read nothing. --real-time has them speak at the speed of speech.

It prints what the server held over time, and the latencies; writes a plot; and judges. Something grows if a line
through the second half of the run rises with 99 % certainty (see `tools/figures.trend`) and by more than a floor: 1 %
of memory, one task, thread, process or file. When all sessions are gone, tasks, processes and files must be no
more than they were before. It exits with 1 if something grew, or stayed, or went wrong.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.figures import percentile, trend
from tools.load import microphone
from tools.own_server import own_server
from tools.proc import held_by, machine
from tools.scripted import LONG
from tools.svg import Line, Panel, over_time
from voice_trio.client import CannotConnect, Client, SessionClosed, connect
from voice_trio.core import messages as m

KINDS = {"talker": 30, "typer": 20, "canceller": 25, "leaver": 20, "staller": 5}
"""Kind of client -> how often it is drawn."""

FLOORS = {"rss_bytes": 0.01, "blocks": 0.01, "tasks": 1.0, "threads": 1.0, "processes": 1.0, "files": 1.0}
"""What is judged -> growth that nobody would call so: below 1.0 a share of its mean."""

_SHOWN = ("rss_bytes", "blocks", "tasks", "threads", "processes", "files", "sessions", "lag_p50_ms", "lag_p99_ms")
_STAYS = ("sessions", "connections", "tasks", "processes", "files")
_EVERY_S = 2.0
_SAMPLES = 60
"""Fewer say nothing about slopes."""
_WARM_UP = 40
"""Sessions before the count of what was there before: they bring in what is brought in once."""
_SETTLE_S = 15.0
_SESSION_S = 60.0
"""Ten times as long as any session takes: a client that is not through by then waits for what never comes."""
_STALL_S = 20.0


@dataclass
class Run:
    """What has happened so far."""

    begun: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """What was waited for -> (when, since the run began, and for how many ms)."""
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """What the server held: (when, name -> value)."""
    began_at: float = 0.0
    length_s: float = 0.0

    def now(self) -> float:
        """Return the seconds since the run began."""
        return trio.current_time() - self.began_at

    def waited(self, what: str, since: float) -> None:
        """Note that ``what`` came, after having been waited for since that moment of Trio's clock."""
        self.latencies[what].append((self.now(), (trio.current_time() - since) * 1000))


class Guest:
    """One session, from the client's side."""

    def __init__(self, run: Run, url: str, chance: random.Random, *, real_time: bool) -> None:
        self._run = run
        self._url = url
        self._chance = chance
        self._real_time = real_time

    async def live(self, kind: str) -> None:
        """Hold a session as a client of ``kind`` does, and note what went wrong."""
        self._run.begun[kind] += 1
        try:
            with trio.fail_after(_SESSION_S):
                await getattr(self, f"_{kind}")()
        except trio.TooSlowError:
            self._run.troubles[f"{kind}: not over after {_SESSION_S:g} s"] += 1
        except (SessionClosed, CannotConnect) as error:
            self._run.troubles[f"{kind}: {error}"] += 1

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Client]:
        began_at = trio.current_time()
        async with connect(self._url) as client:
            await client.hear()
            self._run.waited("session", began_at)
            yield client

    async def _until(self, client: Client, kind: type | UnionType, what: str | None = None, since: float = 0.0) -> bool:
        """Hear until an event of ``kind``; False if the turn was over before."""
        while not isinstance(event := await client.hear(), kind):
            if isinstance(event, m.Error):
                self._run.troubles[f"error {event.code}"] += 1
            if isinstance(event, m.Done):
                return False
        if what is not None:
            self._run.waited(what, since)
        return True

    async def _speak(self, client: Client) -> None:
        await client.ask(m.Start(mode="hold"))
        audio = microphone(60)
        begin = self._chance.randrange(len(audio) - 40)
        said = audio[begin : begin + self._chance.randint(15, 40)]
        await client.speak(b"".join(said), real_time=self._real_time)
        await client.ask(m.Stop())

    async def _talker(self) -> None:
        async with self._session() as client:
            for _ in range(self._chance.randint(1, 2)):
                await self._speak(client)
                stopped_at = trio.current_time()
                if await self._until(client, m.Final | m.Info, "final transcript", stopped_at):
                    await self._until(client, m.Done)

    async def _typer(self) -> None:
        async with self._session() as client:
            for _ in range(self._chance.randint(1, 2)):
                asked_at = trio.current_time()
                await client.ask(m.Text(text="What is the weather like?"))
                # In this order; a turn that failed has none of them, and its error was counted.
                if await self._until(client, m.Token, "first token", asked_at) and await self._until(
                    client, m.TtsChunk, "first audio", asked_at
                ):
                    await self._until(client, m.Done)

    async def _canceller(self) -> None:
        async with self._session() as client:
            for _ in range(self._chance.randint(1, 4)):
                await (client.ask(m.Text(text=LONG)) if self._chance.random() < 0.5 else self._speak(client))
                with trio.move_on_after(self._chance.uniform(0, 0.5)):
                    await self._until(client, m.Done)
                    continue
                cancelled_at = trio.current_time()
                await client.ask(m.Cancel())
                await self._until(client, m.Done, "done after cancel", cancelled_at)

    async def _leaver(self) -> None:
        # A cancelled client closes its socket and says nothing.
        with trio.move_on_after(self._chance.uniform(0, 1.5)):
            async with self._session() as client:
                await (client.ask(m.Text(text=LONG)) if self._chance.random() < 0.5 else self._speak(client))
                await self._until(client, m.Done)

    async def _staller(self) -> None:
        host, port = self._url.split("/")[2].rsplit(":", 1)
        stream = trio.SocketStream(trio.socket.socket())
        stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
        async with stream:
            await stream.socket.connect((host, int(port)))
            text = b'{"type":"text","text":"%s"}' % LONG.encode()
            await stream.send_all(
                b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await stream.receive_some(1)
            await stream.send_all(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
            # Whether the server has cut the connection is seen by writing, without reading a byte of what it said.
            with trio.move_on_after(_STALL_S):
                while True:
                    await trio.sleep(0.25)
                    try:
                        await stream.send_all(b"\x89\x80" + bytes(4))
                    except trio.BrokenResourceError:
                        return
            self._run.troubles["staller: was not cut off"] += 1


# --- the run --------------------------------------------------------------------------------------------------------

Look = Callable[[], Awaitable[dict[str, float]]]
"""Returns what the server holds now."""


async def soak(
    url: str, look: Look, *, sessions: int, total: int | None, minutes: float | None, seed: int, real_time: bool
) -> Run:
    """Hold ``sessions`` at a time until there were ``total``, or for ``minutes``; return what happened."""
    run = Run()
    chance = random.Random(seed)

    def wanted() -> bool:
        if total is not None:
            return run.begun.total() < total
        return run.now() < (minutes or 0.0) * 60

    async def live_on() -> None:
        while wanted():
            kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
            await Guest(run, url, random.Random(chance.random()), real_time=real_time).live(kind)

    async def sample() -> None:
        while True:
            run.samples.append((run.now(), await look()))
            await trio.sleep(_EVERY_S)

    run.began_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sample)
        async with trio.open_nursery() as guests:
            for _ in range(sessions):
                guests.start_soon(live_on)
        run.length_s = run.now()
        nursery.cancel_scope.cancel()
    return run


async def settled(look: Look, before: dict[str, float]) -> dict[str, float]:
    """Return what the server holds once that is no more than ``before``, or when it had time enough."""
    deadline = trio.current_time() + _SETTLE_S
    while True:
        after = await look()
        if (
            all(after[name] <= most for name, most in before.items() if name in _STAYS and name in after)
            or trio.current_time() > deadline
        ):
            return after
        await trio.sleep(0.5)


# --- the report -----------------------------------------------------------------------------------------------------


def report(run: Run, before: dict[str, float], after: dict[str, float]) -> bool:
    """Print what happened, and return whether all is well."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in run.begun.most_common())
    click.echo(f"{run.begun.total()} sessions in {run.length_s:.0f} s: {kinds}; {machine()}")
    _report_latencies(run)
    wrong = [f"{times} times {what}" for what, times in run.troubles.items()]
    if after.get("crashed"):
        wrong.append(f"{after['crashed']:.0f} connections crashed")
    click.echo("\nwhen all had left:")
    for name in (name for name in _STAYS if name in before):
        click.echo(f"  {name:12} before {before[name]:.0f}, after {after[name]:.0f}")
        if after[name] > before[name]:
            wrong.append(f"{name} stay")
    wrong += _judge_slopes(run)
    for trouble in wrong:
        click.echo(f"TROUBLE  {trouble}")
    return not wrong


def _judge_slopes(run: Run) -> list[str]:
    """Print how what the server held went over the second half of the run, and return what grew."""
    if len(run.samples) < _SAMPLES:
        click.echo(f"\ntoo short to judge slopes: {len(run.samples)} samples, {_SAMPLES} are needed")
        return []
    grew = []
    times = [at for at, _ in run.samples]
    sessions = len(run.latencies["session"]) / run.length_s * (times[-1] - times[0]) / 2
    click.echo(f"\nover the second half, with 99 % certainty; {sessions:.0f} sessions began in it:")
    for name in (name for name in FLOORS if name in run.samples[0][1]):
        found = trend(times, [held[name] for _, held in run.samples])
        floor = FLOORS[name] * found.mean if FLOORS[name] < 1 else FLOORS[name]
        click.echo(f"  {name:12} mean {found.mean:12.1f}  growth {found.growth:+12.1f} +- {found.margin:10.1f}")
        if found.grows(floor):
            grew.append(f"{name} grow by {found.growth / max(sessions, 1):+.2f} with each session")
    return grew


def _report_latencies(run: Run) -> None:
    click.echo(f"\n{'latency, ms':20}{'count':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'worst':>8}")
    for what, found in sorted(run.latencies.items()):
        values = [ms for _, ms in found]
        ranks = "".join(f"{percentile(values, percent):8.1f}" for percent in (50, 95, 99, 100))
        click.echo(f"{what:20}{len(values):8}{ranks}")


def plot(run: Run, title: str) -> str:
    """Return the picture of ``run``."""
    panels = []
    for name in _SHOWN:
        scale = 1 << 20 if name == "rss_bytes" else 1
        points = [(at, held[name] / scale) for at, held in run.samples if name in held]
        if points:
            panels.append(Panel("resident memory, MiB" if scale > 1 else name, [Line(name, points)]))
    length = max(run.length_s / 30, 1.0)
    for what, found in sorted(run.latencies.items()):
        stretches = defaultdict(list)
        for at, ms in found:
            stretches[int(at / length)].append(ms)
        lines = [
            Line(
                f"p{percent}", [((at + 0.5) * length, percentile(ms, percent)) for at, ms in sorted(stretches.items())]
            )
            for percent in (50, 95, 99)
        ]
        panels.append(Panel(f"{what}, ms", lines))
    return over_time(title, panels, "s")


# --- the server -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def some_server(
    url: str | None, pid: int | None, sessions: int, log_to: Path | None = None
) -> AsyncIterator[tuple[str, Look]]:
    """Yield the address of the server at ``url``, or else of one of its own, and how to look into it."""
    if url is not None:

        async def look() -> dict[str, float]:
            await trio.lowlevel.checkpoint()
            return {} if pid is None else dict(held_by(pid))

        yield url, look
        return
    room = 20 * sessions + 1000
    with tempfile.TemporaryDirectory() as folder:
        limits: dict[str, Any] = {
            "max_sessions": min(room, 10_000),
            "max_connections": room,
            "max_connections_per_address": room,
        }
        async with own_server(
            "scripted", log_to=log_to, memory="on", data_dir=folder, send_timeout_s=1.0, vad="webrtc", **limits
        ) as server:

            async def look_inside() -> dict[str, float]:
                return asdict(await server.vitals(collect=False))

            yield server.ws_url, look_inside


@click.command()
@click.option("--sessions", default=30, show_default=True, type=click.IntRange(1), help="Sessions at the same time.")
@click.option("--total", type=click.IntRange(1), help="End after so many.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="End after this time.")
@click.option("--real-time", is_flag=True, help="Speak at the speed of speech.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same clients.")
@click.option("--url", help="A server that runs already (ws://host:port/ws).")
@click.option("--pid", type=int, help="Its process, if it is on this machine.")
@click.option("--plot", "plot_to", type=click.Path(path_type=Path), help="Write a picture (SVG).")
@click.option("--log", "log_to", type=click.Path(path_type=Path), help="Keep what our own server logs.")
def main(
    sessions: int,
    total: int | None,
    minutes: float | None,
    real_time: bool,
    seed: int,
    url: str | None,
    pid: int | None,
    plot_to: Path | None,
    log_to: Path | None,
) -> None:
    """Hold many sessions with clients of all kinds, and judge whether the server grows."""
    if (total is None) == (minutes is None):
        raise click.UsageError("give --total or --minutes")

    async def go() -> tuple[Run, bool]:
        async with some_server(url, pid, sessions, log_to) as (where, look):
            await soak(where, look, sessions=sessions, total=_WARM_UP, minutes=None, seed=seed, real_time=real_time)
            before = await settled(look, {"sessions": 0.0, "connections": 0.0})
            run = await soak(
                where, look, sessions=sessions, total=total, minutes=minutes, seed=seed, real_time=real_time
            )
            return run, report(run, before, await settled(look, before))

    run, well = trio.run(go)
    if plot_to is not None:
        words = f"{run.begun.total()} sessions, {sessions} at a time"
        plot_to.write_text(plot(run, words), encoding="utf-8")
    click.echo("\nwell" if well else "\nNOT WELL")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
