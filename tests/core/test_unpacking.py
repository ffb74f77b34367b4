"""Unpacking: every format and every cut give the same, a little at a time."""

import gzip
import zlib

import pytest

from voice_trio.core.unpacking import STEP_BYTES, CannotUnpack, Unpacker

DATA = b"".join(b"line %d\n" % number for number in range(5000))


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 10**6])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(DATA)),
        ("X-GZIP ", gzip.compress(DATA)),
        ("gzip", gzip.compress(DATA[:500]) + gzip.compress(DATA[500:])),
        ("deflate", zlib.compress(DATA)),
        ("deflate", raw(DATA)),
        ("", DATA),
        ("identity", DATA),
    ],
)
def test_what_comes_out_is_what_was_packed(encoding, packed, size):
    unpacker = Unpacker(encoding)
    steps = [step for at in range(0, len(packed), size) for step in unpacker.push(packed[at : at + size])]
    assert b"".join(steps) == DATA
    assert max(map(len, steps)) <= STEP_BYTES


def test_a_bomb_comes_out_in_steps():
    bomb = gzip.compress(bytes(20_000_000))
    unpacked = 0
    for step in Unpacker("gzip").push(bomb):
        assert len(step) <= STEP_BYTES
        unpacked += len(step)
        if unpacked > 10 * STEP_BYTES:
            break


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_other_encodings_are_not_known(encoding):
    with pytest.raises(CannotUnpack):
        Unpacker(encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_packed_so_is_told(encoding):
    with pytest.raises(CannotUnpack):
        [*Unpacker(encoding).push(b"data: hello\n\n")]
