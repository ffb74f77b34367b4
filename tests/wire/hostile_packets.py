"""Packets of Opus as an enemy sends them: random, cut off, with flipped bits, padded, giant, empty."""

import random
from collections.abc import Iterator, Sequence

from voice_trio.wire.opus.packet import MAX_PACKET_BYTES


def hostile(real: Sequence[bytes], count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield ``count`` of them, many made of ``real`` ones."""
    chance = random.Random(seed)
    ways = (_random, _random_behind_a_good_byte, _cut, _flipped, _padded, _giant, _empty, _as_it_is)
    for _ in range(count):
        yield chance.choice(ways)(chance, bytearray(chance.choice(real)))


def _random(chance: random.Random, packet: bytearray) -> bytes:
    return chance.randbytes(chance.randrange(1, MAX_PACKET_BYTES + 1))


def _random_behind_a_good_byte(chance: random.Random, packet: bytearray) -> bytes:
    way = chance.choice((1, 5, 9, 13, 15, 19, 23, 27, 31))
    return bytes([way << 3 | chance.choice((0, 4))]) + chance.randbytes(chance.randrange(1276))


def _cut(chance: random.Random, packet: bytearray) -> bytes:
    return bytes(packet[: chance.randrange(len(packet) + 1)])


def _flipped(chance: random.Random, packet: bytearray) -> bytes:
    for _ in range(chance.randrange(1, 9)):
        bit = chance.randrange(8 * len(packet))
        packet[bit // 8] ^= 1 << bit % 8
    return bytes(packet)


def _padded(chance: random.Random, packet: bytearray) -> bytes:
    lies = bytes(chance.choice((255, chance.randrange(255))) for _ in range(chance.randrange(1, 6)))
    return bytes([packet[0] | 3, 0x40 | chance.randrange(64)]) + lies + bytes(packet[1:])


def _giant(chance: random.Random, packet: bytearray) -> bytes:
    return bytes(packet) * chance.randrange(2, 65_536 // max(1, len(packet)))


def _empty(chance: random.Random, packet: bytearray) -> bytes:
    return b""


def _as_it_is(chance: random.Random, packet: bytearray) -> bytes:
    return bytes(packet)
