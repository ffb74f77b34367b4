"""G.711, the sound of telephones: 8 kHz, a byte a sample, on a logarithmic scale (ITU-T G.711, 1988).

Both laws split the scale into eight segments a sign, each twice as wide as the one before it, with sixteen steps a
segment. What is decoded and encoded here is s16le mono PCM of the same 8 kHz.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cache
from sys import byteorder
from typing import Final

RATE: Final = 8_000

_U_BITS, _A_BITS = 14, 12
"""Of a sample's 16, from the highest, so many are looked at."""
_U_BIAS: Final = 33
"""Added to a magnitude of u-law, so that its segments begin at powers of two."""
_U_MOST: Final = 8_158
_A_EVEN: Final = 0x55
"""A-law inverts every other bit, so that silence is no row of equal ones."""


class Law:
    """One of the two, as tables."""

    def __init__(self, decoded: Callable[[int], int], encoded: Callable[[int], int], bits: int) -> None:
        """``decoded`` gives the sample of a byte; ``encoded`` the byte of a sample's highest ``bits``."""
        pairs = [(decoded(byte) & 0xFFFF).to_bytes(2, "little") for byte in range(256)]
        self._low, self._high = (bytes(pair[half] for pair in pairs) for half in (0, 1))
        half, equal = 1 << (bits - 1), 1 << (16 - bits)
        # In the order of the samples' bits without their sign: the negative ones come last.
        self._encoded = b"".join(bytes([encoded(high)]) * equal for high in (*range(half), *range(-half, 0)))

    def decode(self, data: bytes) -> bytes:
        """Return the PCM that ``data`` stands for."""
        pcm = bytearray(2 * len(data))
        pcm[0::2] = data.translate(self._low)
        pcm[1::2] = data.translate(self._high)
        return bytes(pcm)

    def encode(self, pcm: bytes) -> bytes:
        """Return the bytes that come closest to ``pcm``, whole samples."""
        samples = array("H", pcm)
        if byteorder == "big":
            samples.byteswap()
        return bytes(map(self._encoded.__getitem__, samples))


def _from_u(byte: int) -> int:
    byte ^= 0xFF
    segment, step = (byte >> 4) & 7, byte & 15
    magnitude = ((2 * step + _U_BIAS) << segment) - _U_BIAS
    return -4 * magnitude if byte & 0x80 else 4 * magnitude


def _to_u(high: int) -> int:
    magnitude = min(abs(high), _U_MOST) + _U_BIAS
    segment = magnitude.bit_length() - 6
    step = (magnitude >> (segment + 1)) & 15
    return ((0x80 if high < 0 else 0) | segment << 4 | step) ^ 0xFF


def _from_a(byte: int) -> int:
    byte ^= _A_EVEN
    segment, step = (byte >> 4) & 7, byte & 15
    # The lowest two segments are equally wide.
    magnitude = 2 * step + 1 if segment == 0 else (2 * step + 33) << (segment - 1)
    return 8 * magnitude if byte & 0x80 else -8 * magnitude


def _to_a(high: int) -> int:
    magnitude = high if high >= 0 else ~high
    segment = max(0, magnitude.bit_length() - 4)
    step = (magnitude >> max(0, segment - 1)) & 15
    return ((0x80 if high >= 0 else 0) | segment << 4 | step) ^ _A_EVEN


@cache
def u_law() -> Law:
    """Return that of North America and Japan, ``audio/pcmu``."""
    return Law(_from_u, _to_u, _U_BITS)


@cache
def a_law() -> Law:
    """Return that of the rest of the world, ``audio/pcma``."""
    return Law(_from_a, _to_a, _A_BITS)
