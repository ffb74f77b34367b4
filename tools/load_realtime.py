"""What a message of audio costs the server on `/v1/realtime`, as a ratio to `/ws`, and what a session there holds.

    python tools/load_realtime.py                 forty sessions that speak and are answered, on either wire
    python tools/load_realtime.py --rounds 5      the same, more surely

Both wires are one server's, in a process of its own with scripted engines that take no time and webrtcvad as its
detector. The same natural speech goes to both at the speed of speech, in messages of 60 ms, and whoever stops for half
a second is answered: on `/ws` s16 of 16 kHz in binary messages, on the other 24 kHz in base64 in JSON. So the ratio
has all that the other form costs: base64, JSON, two resamplers and the events that are told. Both are measured in
turns, in one run; CPU time is that of the server's process.
"""

from __future__ import annotations

import base64
import json
import statistics
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import click
import numpy as np
import soxr
import trio
from trio_websocket import ConnectionClosed, open_websocket_url

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.load import SETTINGS, STORY
from tools.own_server import OwnServer, own_server
from tools.proc import machine
from voice_trio import sound_file
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples

GOAL = 1.6
"""Times what a message costs on the native wire."""
MEMORY_GOAL_BYTES = 1 << 20

_MESSAGE_MS = 60
_PAUSE_MS = 1500
_RATE = 24_000
_WARM_UP_S = 3.0

Message = str | bytes
Opened = Callable[[Message], Awaitable[None]]


def speech() -> np.ndarray:
    """Return natural speech (int16, 16 kHz) with a pause behind it, in which it is answered."""
    said = np.frombuffer(sound_file.read(STORY), dtype="<i2")[: 4 * SAMPLE_RATE]
    return np.concatenate([said, np.zeros(ms_to_samples(_PAUSE_MS), dtype="<i2")])


def native_messages() -> list[Message]:
    """Return it as `/ws` takes it."""
    pcm, step = speech().tobytes(), ms_to_samples(_MESSAGE_MS) * BYTES_PER_SAMPLE
    return [pcm[at : at + step] for at in range(0, len(pcm) - step + 1, step)]


def realtime_messages() -> list[Message]:
    """Return it as `/v1/realtime` takes it."""
    pcm, step = soxr.resample(speech(), SAMPLE_RATE, _RATE).tobytes(), _RATE * _MESSAGE_MS // 1000 * BYTES_PER_SAMPLE
    parts = [base64.b64encode(pcm[at : at + step]).decode() for at in range(0, len(pcm) - step + 1, step)]
    return [json.dumps({"type": "input_audio_buffer.append", "audio": part}) for part in parts]


_SERVER_VAD = {"type": "server_vad", "silence_duration_ms": 500}
_BEGIN = {
    "/ws": {"type": "start", "mode": "hands_free", "silence_ms": 500, "endpointing": "fixed", "barge_in": False},
    "/v1/realtime": {"type": "session.update", "session": {"audio": {"input": {"turn_detection": _SERVER_VAD}}}},
}


@asynccontextmanager
async def session(server: OwnServer, path: str) -> AsyncIterator[Opened]:
    """Open a session that is ready for audio, and take whatever it is told; the block is given how to send."""
    async with open_websocket_url(server.ws_url.removesuffix("/ws") + path) as socket, trio.open_nursery() as nursery:

        async def take() -> None:
            try:
                while True:
                    await socket.get_message()
            except ConnectionClosed:
                pass

        nursery.start_soon(take)
        await socket.send_message(json.dumps(_BEGIN[path]))
        yield socket.send_message
        nursery.cancel_scope.cancel()


async def speak(
    opened: AbstractAsyncContextManager[Opened], messages: list[Message], late_s: float, sent: list[int]
) -> None:
    """Open a session and say it over and over, beginning ``late_s`` from now, until this is cancelled."""
    async with opened as send:
        due = trio.current_time() + late_s
        at = 0
        while True:
            due += _MESSAGE_MS / 1000
            await trio.sleep_until(due)
            await send(messages[at % len(messages)])
            at += 1
            sent[0] += 1


async def measure(server: OwnServer, path: str, messages: list[Message], sessions: int, seconds: float) -> float:
    """Return the CPU time of a message in, in microseconds, with all that belongs to it."""
    sent = [0]
    spread_s = len(messages) * _MESSAGE_MS / 1000
    async with trio.open_nursery() as nursery:
        for index in range(sessions):
            nursery.start_soon(speak, session(server, path), messages, index * spread_s / sessions, sent)
        await trio.sleep(spread_s + _WARM_UP_S)
        before, sofar = await server.vitals(collect=False), sent[0]
        await trio.sleep(seconds)
        after = await server.vitals(collect=False)
        cost = (after.cpu_s - before.cpu_s) / (sent[0] - sofar) * 1e6
        nursery.cancel_scope.cancel()
    return cost


async def memory(server: OwnServer, messages: list[Message], sessions: int) -> float:
    """Return what a session of `/v1/realtime` adds to resident memory, in bytes, while it is spoken to."""
    spread_s = len(messages) * _MESSAGE_MS / 1000
    before = await server.vitals()
    async with trio.open_nursery() as nursery:
        for index in range(sessions):
            nursery.start_soon(speak, session(server, "/v1/realtime"), messages, index * spread_s / sessions, [0])
        most = 0
        for _ in range(4):
            await trio.sleep(spread_s / 2)
            most = max(most, (await server.vitals()).rss_bytes)
        nursery.cancel_scope.cancel()
    return (most - before.rss_bytes) / sessions


async def compare(sessions: int, rounds: int, seconds: float) -> bool:
    """Print the figures; return whether both goals are reached."""
    wires = {"/ws": native_messages(), "/v1/realtime": realtime_messages()}
    costs: dict[str, list[float]] = {path: [] for path in wires}
    click.echo(f"{machine()}; {sessions} sessions, {rounds} rounds of {seconds:g} s, messages of {_MESSAGE_MS} ms")
    # In a server of its own: what one has freed after many sessions is used again, and would seem to cost nothing.
    async with own_server("scripted", **SETTINGS) as server:
        await measure(server, "/v1/realtime", wires["/v1/realtime"], 2, seconds=1)
        held = await memory(server, wires["/v1/realtime"], sessions)
    async with own_server("scripted", **SETTINGS) as server:
        for _ in range(rounds):
            for path, messages in wires.items():
                costs[path].append(await measure(server, path, messages, sessions, seconds))
    for path, found in costs.items():
        click.echo(f"{path:14} {statistics.median(found):6.0f} us a message of audio, with its share of all else")
    ratio = statistics.median(of / to for of, to in zip(costs["/v1/realtime"], costs["/ws"], strict=True))
    click.echo(f"{'ratio':14} {ratio:6.2f}, goal {GOAL}")
    click.echo(f"{'memory':14} {held / 1024:6.0f} KiB a session, goal 1024")
    return ratio <= GOAL and held <= MEMORY_GOAL_BYTES


@click.command()
@click.option("--sessions", default=40, show_default=True, type=click.IntRange(1), help="At once.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Measurements of each wire.")
@click.option("--seconds", default=12.0, show_default=True, help="Length of each.")
def main(sessions: int, rounds: int, seconds: float) -> None:
    """Measure what the Realtime API costs the server."""
    sys.exit(0 if trio.run(compare, sessions, rounds, seconds) else 1)


if __name__ == "__main__":
    main()
