"""Hostile connections: each kind takes a source of chance and returns the pieces to send, one after the other."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from contextlib import suppress

import trio

from tools.fuzzing.mutation import mutated
from tools.raw_websocket import UPGRADE, frame

_LINGER_S = 1.0
"""How long a hostile client that waits for something waits."""

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
