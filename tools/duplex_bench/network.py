"""What lies between an adapter and its server: nothing, or a network that delivers late."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from voice_trio.client import SessionClosed

_Due = tuple[float, str | bytes]
"""When a message is delivered, on Trio's clock, and the message."""


class Connection(Protocol):
    """A socket of messages; `voice_trio.client.Client` is one."""

    async def send_raw(self, data: str | bytes) -> None:
        """Send a message as it is. Raises `SessionClosed`."""

    async def hear_raw(self) -> str | bytes:
        """Return the next message as it is. Raises `SessionClosed` after the last one."""


class Late:
    """A connection over which every message takes another time, up to ``jitter_s``; none overtakes another."""

    def __init__(self, connection: Connection, jitter_s: float, draw: random.Random) -> None:
        self._connection = connection
        self._jitter_s = jitter_s
        self._draw = draw
        self._out, self._going = trio.open_memory_channel[_Due](math.inf)
        self._in, self._coming = trio.open_memory_channel[_Due](math.inf)
        self._closed: SessionClosed | None = None

    async def send_raw(self, data: str | bytes) -> None:
        """Send a message, which arrives later. Raises `SessionClosed`."""
        if self._closed is not None:
            raise self._closed
        await self._out.send(self._due(data))

    async def hear_raw(self) -> str | bytes:
        """Return the next message, once it has arrived. Raises `SessionClosed` after the last one."""
        try:
            return await _arrived(self._coming)
        except trio.EndOfChannel:
            assert self._closed is not None
            raise self._closed from None

    async def carry_out(self) -> None:
        """Send what was sent, until this is cancelled or the connection closed."""
        try:
            while True:
                await self._connection.send_raw(await _arrived(self._going))
        except SessionClosed as closed:
            self._closed = closed

    async def carry_in(self) -> None:
        """Take what comes, until this is cancelled or the connection closed."""
        with self._in:
            try:
                while True:
                    await self._in.send(self._due(await self._connection.hear_raw()))
            except SessionClosed as closed:
                self._closed = closed

    def _due(self, message: str | bytes) -> _Due:
        return trio.current_time() + self._draw.uniform(0, self._jitter_s), message


async def _arrived(channel: trio.MemoryReceiveChannel[_Due]) -> str | bytes:
    """Return the next message when it is due; one behind it that is due before waits for it."""
    due, message = await channel.receive()
    await trio.sleep_until(due)
    return message


@asynccontextmanager
async def over_network(connection: Connection, jitter_s: float) -> AsyncIterator[Connection]:
    """Yield ``connection``, or, with ``jitter_s``, what delivers late over it; the same delays each time."""
    if not jitter_s:
        yield connection
        return
    async with trio.open_nursery() as nursery:
        late = Late(connection, jitter_s, random.Random(1))
        nursery.start_soon(late.carry_out)
        nursery.start_soon(late.carry_in)
        yield late
        nursery.cancel_scope.cancel()
