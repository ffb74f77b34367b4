"""A link over a Quart WebSocket."""

from __future__ import annotations

from collections import deque

import trio
from quart.wrappers import Websocket

from voice_trio.core.messages import Command, Event
from voice_trio.server.hypercorn.websocket import goodbye_of, unread_of
from voice_trio.session.farewell import Farewell
from voice_trio.wire.codec import Codec, decoded

_READ_OUT_S = 1.0


class SocketLink:
    """One client of a WebSocket, whose messages ``codec`` spells.

    A client that goes away is not reported here: Quart-Trio cancels the handler that this link lives in, and with it
    the session, unless that outlives its socket.
    """

    def __init__(self, websocket: Websocket, codec: Codec) -> None:
        self._websocket = websocket
        self._codec = codec
        self._unread = unread_of(websocket.scope)
        self._goodbye = goodbye_of(websocket.scope)
        self._asked: deque[Command] = deque()
        """What the latest message asks beyond the command that was returned."""

    @property
    def left(self) -> bool:
        """Whether the client said goodbye, and was not just lost."""
        return self._goodbye.said

    async def receive(self) -> Command:
        """Return the client's next command. Raises `Malformed`."""
        if self._asked:
            # However many commands a message holds, between two of them others have their turn.
            await trio.lowlevel.checkpoint()
        while not self._asked:
            data = await self._read()
            # An empty binary message arrives as None.
            self._asked += await decoded(self._codec, b"" if data is None else data)
        return self._asked.popleft()

    async def _read(self) -> str | bytes | None:
        data: str | bytes | None = await self._websocket.receive()
        if self._unread is not None:
            self._unread.take(data)
        return data

    async def send(self, event: Event) -> None:
        """Hand ``event`` to the socket."""
        for message in self._codec.encode(event):
            await self._websocket.send(message)
        # Once the peer is gone, sending returns at once and without a checkpoint; where it is there, it had several.
        await trio.lowlevel.checkpoint_if_cancelled()

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Close the WebSocket."""
        await self._websocket.close(self._codec.close_code(farewell), _short(reason))
        # What the peer had under way is read, or closing the socket on it would reset the connection and with that
        # destroy what we said last.
        with trio.move_on_after(_READ_OUT_S):
            while True:
                await self._read()


_REASON_BYTES = 123
"""What a close frame has room for, in UTF-8."""


def _short(reason: str) -> str:
    """Return as much of ``reason`` as there is room for, in whole characters."""
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")
