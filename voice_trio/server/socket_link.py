"""A link over a Quart WebSocket."""

from __future__ import annotations

import trio
from quart.wrappers import Websocket

from voice_trio.core import wire
from voice_trio.core.messages import Command, Event

_READ_OUT_S = 1.0


class SocketLink:
    """One client of /ws.

    A client that goes away is not reported here: Quart-Trio cancels the handler that this link lives in, and with it
    the session.
    """

    def __init__(self, websocket: Websocket) -> None:
        self._websocket = websocket

    async def receive(self) -> Command:
        """Return the client's next command. Raises `wire.Malformed`."""
        while True:
            # An empty binary message arrives as None.
            data: str | bytes | None = await self._websocket.receive()
            command = None if data is None else wire.decode_command(data)
            if command is not None:
                return command

    async def send(self, event: Event) -> None:
        """Hand ``event`` to the socket."""
        await self._websocket.send(wire.encode_event(event))
        # Once the peer is gone, sending returns at once and without a checkpoint; where it is there, it had several.
        await trio.lowlevel.checkpoint_if_cancelled()

    async def close(self, code: int, reason: str) -> None:
        """Close the WebSocket."""
        await self._websocket.close(code, reason[:_REASON_CHARS])
        # What the peer had under way is read, or closing the socket on it would reset the connection and with that
        # destroy what we said last.
        with trio.move_on_after(_READ_OUT_S):
            while True:
                await self._websocket.receive()


_REASON_CHARS = 30
"""A close frame has room for 123 bytes of UTF-8, four of which a character may need."""
