"""Unpacks a body that was sent packed (Content-Encoding, RFC 9110), a little at a time: a megabyte can hold a thousand.

Its two formats of zlib are RFC 1952 and RFC 1950; the one without a header, which is not allowed, is RFC 1951.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

STEP_BYTES: Final = 4096
"""What comes out at a time, at most: even a line for every byte of it is read in a few milliseconds."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_HEADER_BYTES: Final = 2
_FORMATS: Final[dict[str, tuple[int, ...]]] = {
    "": (),
    "identity": (),
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}
"""Encoding -> the formats that go by its name. Many send "deflate" without the header that belongs to it."""


class CannotUnpack(Exception):
    """The encoding is not known, or the data is not in it."""


class Unpacker:
    """Bytes as they came in, bytes as they were meant out."""

    def __init__(self, encoding: str) -> None:
        """Unpack ``encoding``, a header's value. Raises `CannotUnpack`."""
        name = encoding.strip().lower()
        if name not in _FORMATS:
            raise CannotUnpack
        self._formats = _FORMATS[name]
        self._zlib = zlib.decompressobj(self._formats[0]) if self._formats else None
        self._head = b""  # the first bytes, by which the formats are told apart

    def push(self, piece: bytes) -> Iterator[bytes]:
        """Take ``piece`` and yield what it holds, at most `STEP_BYTES` at a time. Raises `CannotUnpack`."""
        for at in range(0, len(piece), STEP_BYTES):
            step = piece[at : at + STEP_BYTES]
            if self._zlib is None:
                yield step
            else:
                yield from self._unpack(self._zlib, step)

    def _unpack(self, unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
        more = True
        while more:
            try:
                out = unpacker.decompress(packed, STEP_BYTES)
            except zlib.error:
                if len(self._head) >= _HEADER_BYTES or len(self._formats) == 1:
                    raise CannotUnpack from None
                self._formats = self._formats[1:]
                unpacker, packed = zlib.decompressobj(self._formats[0]), self._head + packed
                continue
            self._head = (self._head + packed[:_HEADER_BYTES])[:_HEADER_BYTES]
            # What fills a step may have more behind it that takes no more bytes.
            more = bool(unpacker.unconsumed_tail) or len(out) == STEP_BYTES
            packed = unpacker.unconsumed_tail
            if unpacker.eof:
                packed = unpacker.unused_data
                more = bool(packed)
                unpacker = zlib.decompressobj(self._formats[0])
            if out:
                yield out
        self._zlib = unpacker
