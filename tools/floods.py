"""What a flood of each kind does to everybody else: `/livez` and an honest first audio, in calm and under the flood.

    python tools/floods.py                       every kind, eight sockets each
    python tools/floods.py pongs bursts_of_audio --sockets 16 --seconds 5
    python tools/floods.py --talkers 30 --seconds 20    what thirty people notice of a flood from another address

The server is one of its own, in a process of its own under `tools/stalls.py`, with the engines that come
with it; the flood comes from a third process, from the same address as the honest client. For each kind it prints the
median and the 99th percentile of `/livez`, asked thirty times a second from an address of its own, the median of an
honest first audio, the server's memory, and how many steps of its loop took more than 20 ms of CPU. A flood that is cut
off connects again and goes on. With ``--talkers`` so many sessions type a question now and then, and the flood has an
address of its own. It exits with 1 if a step was longer, or the server gave no answer.
"""

from __future__ import annotations

import itertools
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools import stalls
from tools.figures import percentile
from tools.own_server import OwnServer, own_server
from tools.raw_websocket import UPGRADE, frame, spelled
from voice_trio.client import connect
from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE, wav_of

BINARY, TEXT, MORE, PING, PONG = 2, 1, 0, 9, 10
_BYTES_PER_S = 3_000_000
"""Of all sockets of a flood together."""
_PIECE_BYTES = 65_536
_CLIP = Path(__file__).parent.parent / "tests/clips/story.wav"
_WAV_HEADER_BYTES = 44
_PAUSE_S = 0.02
_BETWEEN_S = (1.0, 3.0)
_ANOTHER = "127.0.0.9"
_PROBE = "127.0.0.8"
_PROBES_PER_S = 30

Flood = Callable[[], tuple[bytes, bytes]]
"""Returns what a connection of it says first, and what it says from then on, without end."""


def _request(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def _socket(*first: bytes) -> bytes:
    return UPGRADE + b"\r\n" + b"".join(first)


def _filled(piece: bytes) -> bytes:
    return piece * max(1, _PIECE_BYTES // len(piece))


def _speech(seconds: int) -> bytes:
    pcm = _CLIP.read_bytes()[_WAV_HEADER_BYTES:]
    return (pcm * (seconds * 2 * SAMPLE_RATE // len(pcm) + 1))[: seconds * 2 * SAMPLE_RATE]


def _audio(size: int) -> bytes:
    pcm = _speech(30)
    return b"".join(frame(BINARY, pcm[at : at + size]) for at in range(0, len(pcm), size))


def _upload() -> bytes:
    wav = wav_of(_speech(5), SAMPLE_RATE)
    head = _request("POST /api/utterance", "Content-Type: audio/wav", f"Content-Length: {len(wav)}")
    return head + wav


_HOLD = spelled(m.Start(mode="hold"))

FLOODS: dict[str, Flood] = {
    "pongs": lambda: (_socket(), _filled(frame(PONG))),
    "pings": lambda: (_socket(), _filled(frame(PING, bytes(125)))),
    "empty_fragments": lambda: (_socket(frame(BINARY, b"", first=0)), _filled(frame(MORE, b"", first=0))),
    "one_byte_fragments": lambda: (_socket(frame(BINARY, b"", first=0)), _filled(frame(MORE, b"x", first=0))),
    "empty_messages": lambda: (_socket(), _filled(frame(BINARY))),
    "bursts_of_audio": lambda: (_socket(_HOLD), _audio(_PIECE_BYTES)),
    "tiny_audio": lambda: (_socket(_HOLD), _audio(256)),
    "marks": lambda: (_socket(_HOLD), _filled(spelled(m.Mark(turn=1, marks={f"mark{n}": 1.0 for n in range(32)})))),
    "played": lambda: (_socket(_HOLD), _filled(spelled(m.Played(turn=1, samples=1)))),
    "sounding": lambda: (_socket(_HOLD), _filled(spelled(m.Sounding(turn=1, sample=1)))),
    "large_json": lambda: (_socket(), frame(TEXT, b'{"type":"stop","x":[' + b"[]," * 21_000 + b"0]}")),
    "bad_json": lambda: (_socket(), frame(TEXT, b'{"type":"mark","turn":1,"marks":{' + b'"":"",' * 9_000 + b'"a":1}}')),
    "tiny_chunks": lambda: (
        _request("POST /api/utterance", "Content-Type: audio/wav", "Transfer-Encoding: chunked"),
        _filled(b"1\r\nx\r\n"),
    ),
    "pipelined": lambda: (b"", _filled(_request("GET /livez"))),
    "many_headers": lambda: (b"", _request("GET /livez", *["a:"] * 3_000)),
    "long_query": lambda: (b"", _request(f"POST /api/utterance?{'a=&' * 5_000}", "Content-Type: audio/wav")),
    "uploads": lambda: (b"", _upload()),
    "connections": lambda: (_request("GET /livez", "Connection: close"), b""),
    "sessions": lambda: (_socket(frame(8)), b""),
}


async def flood_once(port: int, source: str, first: bytes, then: bytes, bytes_per_s: float) -> None:
    """Be one connection of a flood, until the server ends it."""
    async with await trio.open_tcp_stream("127.0.0.1", port, local_address=source) as stream:

        async def read() -> None:
            while await stream.receive_some():
                pass
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            if first:
                await stream.send_all(first)
            # What comes behind a handshake that is not answered yet would end it.
            await trio.sleep(_PAUSE_S)
            began_at, sent = trio.current_time(), 0
            while then:
                for at in range(0, len(then), _PIECE_BYTES):
                    piece = then[at : at + _PIECE_BYTES]
                    await stream.send_all(piece)
                    sent += len(piece)
                    await trio.sleep_until(began_at + sent / bytes_per_s)


async def flood(port: int, source: str, name: str, sockets: int) -> None:
    """Flood the server at ``port`` from the address ``source``, until cancelled."""
    first, then = FLOODS[name]()

    async def one() -> None:
        while True:
            try:
                await flood_once(port, source, first, then, _BYTES_PER_S / sockets)
            except* (OSError, trio.BrokenResourceError):
                await trio.sleep(_PAUSE_S)

    async with trio.open_nursery() as nursery:
        for _ in range(sockets):
            nursery.start_soon(one)


@dataclass
class Waits:
    """How long honest clients waited, in ms."""

    health: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)


async def ask_health(port: int, waits: list[float]) -> None:
    """Ask `/livez` thirty times a second, over one connection."""
    async with await trio.open_tcp_stream("127.0.0.1", port, local_address=_PROBE) as stream:
        while True:
            began_at = trio.current_time()
            await stream.send_all(_request("GET /livez"))
            answer = b""
            while b"}" not in answer:
                piece = await stream.receive_some()
                if not piece:
                    raise RuntimeError("the server closed an honest connection")
                answer += piece
            waits.append((trio.current_time() - began_at) * 1000)
            await trio.sleep(1 / _PROBES_PER_S)


async def ask_words(url: str, waits: list[float]) -> None:
    """Type a word again and again, each time in a session of its own, and wait for its first audio."""
    while True:
        began_at = trio.current_time()
        async with connect(url) as client:
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.TtsChunk)
            waits.append((trio.current_time() - began_at) * 1000)
            await client.ask(m.Cancel())
        await trio.sleep(0.1)


async def talk(url: str, number: int, waits: list[float]) -> None:
    """Be one of many: type a word now and then in a session of one's own, and hear the answer for a moment."""
    draw = random.Random(number)
    async with connect(url) as client:
        while True:
            await trio.sleep(draw.uniform(*_BETWEEN_S))
            began_at = trio.current_time()
            await client.ask(m.Text(text="hello"))
            await client.wait_for(m.TtsChunk)
            waits.append((trio.current_time() - began_at) * 1000)
            await trio.sleep(draw.uniform(*_BETWEEN_S))
            await client.ask(m.Cancel())
            await client.wait_for(m.Done)


async def measure(server: OwnServer, talkers: int, seconds: float) -> Waits:
    """Be the honest clients for so long."""
    waits, port = Waits(), server.port
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_health, port, waits.health)
            if not talkers:
                nursery.start_soon(ask_words, server.ws_url, waits.audio)
            for number in range(talkers):
                nursery.start_soon(talk, server.ws_url, number, waits.audio)
    return waits


async def measure_under(name: str | None, sockets: int, talkers: int, seconds: float) -> bool:
    """Measure a server under the flood of that name, or in calm, and print a line; False if it did not hold."""
    settings: dict[str, Any] = {"max_sessions": 64, "vad": "silero", "asr_engine": "pocketsphinx"}
    async with own_server("configured", watch_stalls=True, **settings) as server:
        command = [
            sys.executable,
            __file__,
            "--flood",
            str(name),
            "--port",
            str(server.port),
            "--sockets",
            str(sockets),
            "--source",
            _ANOTHER if talkers else "127.0.0.1",
        ]
        attacker = None if name is None else await trio.lowlevel.open_process(command, stderr=subprocess.DEVNULL)
        try:
            # The attacker's interpreter takes a moment to start.
            await trio.sleep(2)
            before = await server.vitals(collect=False)
            waits = await measure(server, talkers, seconds)
            after = await server.vitals(collect=False)
        finally:
            if attacker is not None:
                attacker.kill()
                await attacker.wait()
        held = await server.stalls()
    health = waits.health or [float("inf")]
    audio = waits.audio or [float("inf")]
    click.echo(
        f"{name or 'calm':18} livez p50 {statistics.median(health):7.1f} p99 {percentile(health, 99):7.1f} ms"
        f"  first audio {statistics.median(audio):7.1f} ms ({len(waits.audio)} times)"
        f"  CPU {(after.cpu_s - before.cpu_s) / seconds:4.0%}  {after.rss_bytes / 1e6:4.0f} MB"
        f" lag {after.lag_p50_ms:.1f}/{after.lag_p99_ms:.1f}"
        f"  longest step {held['longest_ms']:.1f} ms"
    )
    for step in itertools.islice(held["steps"], 3):
        click.echo(f"    {stalls.Step(**step)}")
    return bool(waits.health and waits.audio) and not held["count"]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(FLOODS)))
@click.option("--sockets", default=8, show_default=True, help="Connections of a flood.")
@click.option("--talkers", default=0, help="So many sessions beside the flood, which then has another address.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each is measured.")
@click.option("--flood", "be_flood", type=click.Choice(list(FLOODS)), hidden=True)
@click.option("--port", type=int, hidden=True)
@click.option("--source", default="127.0.0.1", hidden=True)
def main(
    names: tuple[str, ...], sockets: int, talkers: int, seconds: float, be_flood: str | None, port: int, source: str
) -> None:
    """Flood a server of one's own in each of the ways NAMES, or all, and measure what honest clients notice."""
    if be_flood is not None:
        trio.run(flood, port, source, be_flood, sockets)
        return
    held = [trio.run(measure_under, name, sockets, talkers, seconds) for name in (None, *(names or FLOODS))]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
