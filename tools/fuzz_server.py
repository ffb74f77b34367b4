"""Throws hostile bytes at a server, and shows what they do to a conversation that goes on all the while.

    python tools/fuzz_server.py                                   10,000 connections, 50 a second
    python tools/fuzz_server.py --count 4000 --rate 200 --seed 7
    python tools/fuzz_server.py --messages 100000                 instead, mutated messages in honest WebSockets

The server is one of its own, in a process of its own, on a free loopback port, with scripted engines: what is measured
is the server. The same seed throws the same bytes. It prints how many connections of each kind there were, or how the
sessions ended; how long a typed word waited for its first token (the echo) and for its first audio, before and during;
and what is left of connections, sessions, tasks and open files ten seconds later. It exits with 1 if the server died,
if anything is left, or if a message met anything but what it deserved.

Mutated messages come as fast as a handful of clients can send them, and none of them is refused as a flood: a session
is left for a new one before it has said `SESSION_MESSAGES`, which is within the burst of control messages that every
session may make, and STREAM_MAX_UTTERANCE_MS, by which audio is limited, is at its highest.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import trio

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tools.raw_websocket import UPGRADE, frame
from voice_trio import config, log
from voice_trio.client import Client, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core import wire
from voice_trio.engines.base import Engines
from voice_trio.engines.scripted import scripted_engines
from voice_trio.server.run import open_server

SETTLE_S = 10.0
"""After so long nothing may be left."""

BASELINE = 60
"""Turns measured in peace."""

CLIENTS = 8
"""Clients that send mutated messages at the same time."""

SESSION_MESSAGES = 90
"""What each of them says in one session at most."""

_ANSWER_S = 20.0
"""How long a malformed message may wait for the end of its session."""

_LINGER_S = 1.0
"""How long a hostile client that waits for something waits."""


# --- the kinds: each takes a source of chance and returns the pieces to send, one after the other ---------------------

Pieces = list[bytes]


def malformed_upgrade(chance: random.Random) -> Pieces:
    """Return an upgrade with a few bytes changed, or a line of it lost or repeated."""
    lines = UPGRADE.split(b"\r\n")
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        lines[at : at + 1] = chance.choice([[], [lines[at]] * 2, [mutated(lines[at], chance)]])
    return [b"\r\n".join(lines) + b"\r\n"]


def malformed_body(chance: random.Random) -> Pieces:
    """Return a POST whose body is not what its head says."""
    head = chance.choice([b"Transfer-Encoding: chunked", b"Content-Length: 10", b"Content-Length: -1"])
    body = chance.choice([b"zz\r\n", b"5\r\nab", b"ffffffffffffffff\r\n", chance.randbytes(40)])
    path = chance.choice([b"/", b"/ws", b"/readyz", b"?x"])
    return [b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n" + body]


def trailing_bytes(chance: random.Random) -> Pieces:
    """Return an upgrade with more behind it, before anybody has answered."""
    return [UPGRADE + b"\r\n" + chance.choice([frame(1, b"{}"), chance.randbytes(30), UPGRADE + b"\r\n"])]


def bad_frames(chance: random.Random) -> Pieces:
    """Return what is no frame, or none that is allowed: unmasked, reserved bits, long controls, lone continuations."""
    bad = [
        b"\x81\x02{}",
        frame(chance.randint(3, 7), b"x"),
        frame(9, bytes(126)),
        frame(0, b"x"),
        frame(1, b"\xff\xfe"),
        frame(1, b"{}", first=0x80 | chance.choice([0x10, 0x20, 0x40])),
        frame(8, b"\x00"),
        chance.randbytes(chance.randint(1, 200)),
    ]
    return [UPGRADE + b"\r\n", *chance.sample(bad, 3)]


def endless_message(chance: random.Random) -> Pieces:
    """Return a message that is far too large, in one frame or in fragments, some of them empty."""
    if chance.random() < 0.5:
        return [UPGRADE + b"\r\n", frame(2, bytes(1 << 20))]
    piece = frame(0, bytes(chance.choice([0, 1, 1000])), first=0)
    return [UPGRADE + b"\r\n", frame(2, b"", first=0), *[piece * 500] * 8]


def compression_bomb(chance: random.Random) -> Pieces:
    """Return a compressed frame that would be a thousand times as large."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(8 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    offer = UPGRADE + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    return [offer, frame(chance.choice([1, 2]), bomb[:-4], first=0xC0)]


def half_open(chance: random.Random) -> Pieces:
    """Return nothing, or the beginning of something; then there is silence."""
    return [chance.choice([b"", UPGRADE, UPGRADE + b"\r\n", UPGRADE + b"\r\n" + frame(1, b"{}" * 99)[:50]]), b""]


def slow_head(chance: random.Random) -> Pieces:
    """Return a head, a few bytes at a time."""
    return [UPGRADE[at : at + 3] for at in range(0, chance.randint(9, 60), 3)]


def pipelining(chance: random.Random) -> Pieces:
    """Return many requests in one breath, of which nobody waits for the answers."""
    request = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    return [request * chance.randint(2, 60) + chance.choice([b"", b"GET", UPGRADE + b"\r\n"])]


def early_close(chance: random.Random) -> Pieces:
    """Return a conversation that breaks off in the middle of a word."""
    whole = UPGRADE + b"\r\n" + frame(1, b'{"type":"start"}') + frame(2, bytes(960))
    return [whole[: chance.randrange(len(whole))]]


def mutated_message(chance: random.Random) -> Pieces:
    """Return a message of /ws with a few bytes changed, in an honest frame."""
    said = [
        b'{"type":"start","mode":"hold"}',
        b'{"type":"text","text":"hi"}',
        b'{"type":"played","turn":1,"samples":5}',
    ]
    return [UPGRADE + b"\r\n", *[frame(1, mutated(chance.choice(said), chance)) for _ in range(4)]]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` with some bytes changed, lost or doubled."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        changed[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 3))
    return bytes(changed)


KINDS = [
    malformed_upgrade,
    malformed_body,
    trailing_bytes,
    bad_frames,
    endless_message,
    compression_bomb,
    half_open,
    slow_head,
    pipelining,
    early_close,
    mutated_message,
]
WAITING = {half_open, slow_head}


async def attack(port: int, number: int, seed: int) -> str:
    """Make hostile connection ``number``; returns its kind. What the server answers is read sometimes, or never."""
    chance = random.Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    pieces = kind(chance)
    with trio.move_on_after(3 * _LINGER_S), suppress(OSError, trio.BrokenResourceError):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            for piece in pieces:
                if kind in WAITING:
                    await trio.sleep(_LINGER_S / len(pieces))
                await stream.send_all(piece)
            if chance.random() < 0.7:
                with trio.move_on_after(chance.random() * 0.5):
                    while await stream.receive_some():
                        pass
    return kind.__name__


async def attack_all(port: int, count: int, rate: float, seed: int) -> Counter[str]:
    """Make ``count`` hostile connections, ``rate`` a second."""
    made: Counter[str] = Counter()

    async def one(number: int) -> None:
        made[await attack(port, number, seed)] += 1

    began_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(count):
            await trio.sleep_until(began_at + number / rate)
            nursery.start_soon(one, number)
    return made


# --- messages: honest WebSockets, in which what is said is wrong ------------------------------------------------------

COMMANDS: list[m.Command] = [
    m.Start(mode="hold", language="en", speed=1.5, silence_ms=500),
    m.Start(),
    m.Text(text="hello", voice="scripted", speed=0.5),
    m.Text(text="what is the weather like?"),
    m.Stop(),
    m.Cancel(turn=1),
    m.Cancel(),
    m.Played(turn=1, samples=500),
    m.Mark(turn=1, marks={"first_audio": 12.5, "speech_end": 3}),
]

_ODD_VALUES: list[Any] = [
    *(
        None,
        True,
        -1,
        0,
        0.5,
        2**31,
        2**32,
        2**63,
        2**64,
        -(2**70),
        10**4000,
        1e308,
        "",
        "1",
        "\0",
        "\ud800",
        "x" * 20_000,
    ),
    *([], {}, [1], {"type": "start"}, [[[]]], {"": None}, {"a": 1e9, "b": -1}, dict.fromkeys(map(str, range(100)), 1)),
]
_NUMBERS = ["NaN", "-Infinity", "1e400", "-0", "9" * 5000, "0." + "1" * 5000, "1e-400", "01", "0x1"]


def mutated_messages(chance: random.Random) -> Iterator[str | bytes]:
    """Yield messages of a client, without end: one in four is in order, the others are not, or not quite."""
    ways = [_as_it_is, _flipped, _cut, _doubled, _wrong_type, _odd_number, _nested, _odd_audio]
    while True:
        yield chance.choices(ways, weights=[5, 3, 1, 1, 4, 2, 1, 3])[0](chance)


def _as_it_is(chance: random.Random) -> str | bytes:
    command = chance.choice([*COMMANDS, m.Audio(bytes(960)), m.Audio(b"\1\0" * 480)])
    return wire.encode_command(command)


def _text(chance: random.Random) -> str:
    return str(wire.encode_command(chance.choice(COMMANDS)))


def _flipped(chance: random.Random) -> str:
    data = _text(chance).encode()
    if chance.random() < 0.5:
        return mutated(data, chance).decode(errors="replace")
    flipped = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return flipped.decode(errors="replace")


def _cut(chance: random.Random) -> str:
    text = _text(chance)
    return text[: chance.randrange(len(text))]


def _doubled(chance: random.Random) -> str:
    text = _text(chance)
    # A whole message twice, or each of its fields.
    return text + text if chance.random() < 0.5 else text[:-1] + "," + text[1:]


def _wrong_type(chance: random.Random) -> str:
    body = json.loads(_text(chance))
    # Unknown fields are ignored, whatever is in them.
    body[chance.choice([*body, "conversation", "voice", "unknown"])] = chance.choice(_ODD_VALUES)
    return json.dumps(body)


def _odd_number(chance: random.Random) -> str:
    name, place = chance.choice([("played", "samples"), ("cancel", "turn"), ("start", "speed"), ("mark", "turn")])
    return f'{{"type":"{name}","turn":1,"{place}":{chance.choice(_NUMBERS)}}}'


def _nested(chance: random.Random) -> str:
    depth = chance.choice([5, 100, 1_000, 10_000, 30_000])
    opening, closing = chance.choice([("[", "]"), ('{"a":', "}")])
    if len(opening) * depth > m.MAX_MESSAGE_BYTES // 2:
        opening, closing = "[", "]"
    deep = opening * depth + "1" + closing * depth
    place = chance.choice(["marks", "text", "type", "unknown"])
    return chance.choice([deep, f'{{"type":"mark","turn":1,"{place}":{deep}}}', opening * depth])


def _odd_audio(chance: random.Random) -> bytes:
    if chance.random() < 0.02:
        return bytes(chance.choice([m.MAX_MESSAGE_BYTES, m.MAX_MESSAGE_BYTES + 2, 2 * m.MAX_MESSAGE_BYTES + 2]))
    return chance.randbytes(chance.choice([0, 1, 2, 3, 255, 256, 960, 1921, 4000]))


@dataclass
class Tally:
    """What became of mutated messages, and of the sessions they were said in."""

    sent: int = 0
    malformed: int = 0
    """Of those sent, the ones that must end their session."""
    ends: Counter[str] = field(default_factory=Counter)
    """How sessions ended: by close code, or otherwise."""
    errors: Counter[str] = field(default_factory=Counter)
    """What the server said about it, by error code."""

    @property
    def well(self) -> bool:
        """Whether nothing was ever the server's own failure, and every malformed message had its answer."""
        failures = (self.ends[str(wire.CloseCode.INTERNAL)], self.ends[UNANSWERED], self.errors[m.ErrorCode.INTERNAL])
        return not any(failures)


UNANSWERED = "not at all, after a malformed message"
LEFT = "left by the client"


async def say_mutated(url: str, count: int, seed: int, clients: int = CLIENTS) -> Tally:
    """Say ``count`` mutated messages to the server at ``url``, in as many sessions as that takes."""
    tally = Tally()

    async def one(number: int) -> None:
        messages = mutated_messages(random.Random(f"{seed}/{number}"))
        while tally.sent < count:
            async with connect(url) as client:
                await _one_session(client, messages, count, tally)

    async with trio.open_nursery() as nursery:
        for number in range(clients):
            nursery.start_soon(one, number)
    return tally


async def _one_session(client: Client, messages: Iterator[str | bytes], count: int, tally: Tally) -> None:
    closed = trio.Event()

    async def hear() -> None:
        try:
            while True:
                event = await client.hear()
                if isinstance(event, m.Error):
                    tally.errors[event.code] += 1
        except SessionClosed as end:
            tally.ends[str(end.code)] += 1
            closed.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear)
        said = 0
        while said < SESSION_MESSAGES and tally.sent < count and not closed.is_set():
            message = next(messages)
            said += 1
            tally.sent += 1
            fatal = _is_malformed(message)
            tally.malformed += fatal
            try:
                await client.send_raw(message)
            except SessionClosed:
                await closed.wait()
            if fatal:
                # What is said after it is not heard any more.
                with trio.move_on_after(_ANSWER_S):
                    await closed.wait()
                if not closed.is_set():
                    tally.ends[UNANSWERED] += 1
                    break
        else:
            if not closed.is_set():
                tally.ends[LEFT] += 1
        nursery.cancel_scope.cancel()


def _is_malformed(message: str | bytes) -> bool:
    try:
        wire.decode_command(message)
    except wire.Malformed:
        return True
    return False


# --- the conversation that goes on all the while ----------------------------------------------------------------------


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
            while not isinstance(await client.hear(), m.Token):
                pass
            waits.token.append(trio.current_time() - began_at)
            while not isinstance(await client.hear(), m.TtsChunk):
                pass
            waits.audio.append(trio.current_time() - began_at)
            await client.ask(m.Cancel())
            while not isinstance(await client.hear(), m.Done):
                pass
            # Two commands a turn, and well below the rate at which they would be a flood.
            await trio.sleep(0.15)


# --- the server, in a process of its own ------------------------------------------------------------------------------


@asynccontextmanager
async def scripted(settings: config.Settings) -> AsyncIterator[Engines]:
    """Yield engines that cost next to nothing."""
    yield scripted_engines()


async def serve_here() -> None:
    """Serve until standard input says nothing more; answer each line with what is open."""

    log.configure("ERROR")
    async with open_server(
        config.load(
            port=0,
            memory="off",
            max_sessions=1000,
            max_connections=2000,
            max_connections_per_address=2000,
            max_utterance_ms=300_000,
        ),
        scripted,
    ) as running:
        print(running.ws_url, flush=True)
        async for _ in trio.wrap_file(sys.stdin):
            left = {
                "connections": len(running.connections),
                "sessions": len(running.sessions),
                "files": len(os.listdir("/proc/self/fd")),
                "tasks": trio.lowlevel.current_statistics().tasks_living,
                "incidents": dict(running.connections.incidents),
            }
            print(json.dumps(left), flush=True)


class Server:
    """That process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self.port = int(self.url.split(":")[2].split("/")[0])

    def left(self) -> dict[str, Any]:
        """Return what is open in it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def end(self) -> int:
        """End it, and return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(timeout=30)


Attack = Callable[[Server], Awaitable[bool]]
"""Attacks a server, prints what was done, and returns whether all of it was answered as it should be."""


async def measure(server: Server, attack_it: Attack) -> bool:
    """Let ``server`` be attacked, print the figures, and return whether all is as it should be."""
    peace = Waits()
    enough = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(converse, server.url, enough, peace)
        while len(peace.audio) < BASELINE:  # noqa: ASYNC110 - a figure more every few milliseconds
            await trio.sleep(0.1)
        enough.set()
    await trio.sleep(1)
    before = server.left()
    war = Waits()
    enough = trio.Event()
    began_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(converse, server.url, enough, war)
        answered = await attack_it(server)
        took_s = trio.current_time() - began_at
        enough.set()
    await trio.sleep(SETTLE_S)
    after = server.left()
    click.echo(f"{took_s:7.0f}  s")
    for what, was, came in (("token", peace.token, war.token), ("audio", peace.audio, war.audio)):
        was_ms, came_ms = statistics.median(was) * 1000, statistics.median(came) * 1000
        click.echo(
            f"first {what}: {was_ms:.1f} ms median in peace, {came_ms:.1f} ms under attack ({len(came)} turns): "
            f"{came_ms / was_ms:.2f} times as long"
        )
    click.echo(f"before  {json.dumps(before)}")
    click.echo(f"after   {json.dumps(after)}")
    same = all(after[what] == before[what] for what in ("connections", "sessions", "files", "tasks"))
    return answered and same and "crashed" not in after["incidents"]


async def throw_bytes(server: Server, count: int, rate: float, seed: int) -> bool:
    """Make hostile connections, and print how many of each kind there were."""
    made = await attack_all(server.port, count, rate, seed)
    for kind, times in sorted(made.items()):
        click.echo(f"{times:7}  {kind}")
    click.echo(f"{sum(made.values()):7}  connections, seed {seed}")
    return True


async def throw_messages(server: Server, count: int, seed: int) -> bool:
    """Say mutated messages, and print how the sessions ended."""
    tally = await say_mutated(server.url, count, seed)
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
@click.option("--serve", "be_server", is_flag=True, hidden=True)
def main(count: int, rate: float, messages: int, seed: int, be_server: bool) -> None:
    """Throw hostile bytes at a server of one's own, and measure what they do."""
    if be_server:
        trio.run(serve_here)
        return

    async def attack_it(server: Server) -> bool:
        if messages:
            return await throw_messages(server, messages, seed)
        return await throw_bytes(server, count, rate, seed)

    server = Server()
    well = trio.run(measure, server, attack_it)
    code = server.end()
    click.echo(f"{'well' if well and code == 0 else 'NOT WELL'}: exit code {code}")
    sys.exit(0 if well and code == 0 else 1)


if __name__ == "__main__":
    main()
