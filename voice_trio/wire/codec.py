"""What a codec is: all that a wire is to the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import trio

from voice_trio.core.messages import Command, Event
from voice_trio.session.farewell import Farewell


class Codec(Protocol):
    """How one connection spells commands, events and farewells.

    Each connection has its own, which may remember what was said; `decode` and `encode` may be called by two tasks,
    never at once. None of it waits.
    """

    def decode(self, data: str | bytes) -> Sequence[Command]:
        """Return what the client asks with one message: nothing, one command or several, in their order.

        Raises `Malformed` for what ends the session, and `Unprepared` for what is to be done in a thread before it is
        called once more with the same. A command's fields are to be within the limits that its class
        names: nobody looks at them again. Audio is 16 kHz s16le mono there, whatever the wire has.
        """

    def encode(self, event: Event) -> Sequence[str | bytes]:
        """Return the messages that say ``event``, in their order: text, or bytes for a binary one; none if unsaid."""

    def close_code(self, farewell: Farewell) -> int:
        """Return the number that a WebSocket is closed with."""


class Unprepared(Exception):
    """A message asks for what takes its time to be had the first time: ``prepare`` is to be called in a thread."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        """``prepare`` can be called as often as anybody likes."""
        super().__init__()
        self.prepare = prepare


async def decoded(codec: Codec, data: str | bytes) -> Sequence[Command]:
    """Return what ``codec`` makes of ``data``, once it is prepared. Raises `Malformed`."""
    try:
        return codec.decode(data)
    except Unprepared as unprepared:
        await trio.to_thread.run_sync(unprepared.prepare)
    return codec.decode(data)


class CloseCode:
    """Numbers of WebSocket closes (RFC 6455, section 7.4)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    BAD_DATA = 1007
    POLICY = 1008
    TOO_LARGE = 1009
    INTERNAL = 1011
    TRY_AGAIN_LATER = 1013
    TAKEN_OVER = 4001
    """Of our own: those from 4000 on are free for it."""


CLOSE_CODES: Final[dict[Farewell, int]] = {
    Farewell.NORMAL: CloseCode.NORMAL,
    Farewell.SERVER_STOPPING: CloseCode.GOING_AWAY,
    Farewell.IDLE: CloseCode.NORMAL,
    Farewell.SESSION_LIMIT: CloseCode.NORMAL,
    Farewell.PLACE_NEEDED: CloseCode.TRY_AGAIN_LATER,
    Farewell.NO_ROOM: CloseCode.TRY_AGAIN_LATER,
    Farewell.UNAUTHORIZED: CloseCode.POLICY,
    Farewell.WRONG_STATE: CloseCode.POLICY,
    Farewell.SLOW_READER: CloseCode.POLICY,
    Farewell.FLOOD: CloseCode.POLICY,
    Farewell.UNSUPPORTED: CloseCode.UNSUPPORTED,
    Farewell.BAD_DATA: CloseCode.BAD_DATA,
    Farewell.TOO_LARGE: CloseCode.TOO_LARGE,
    Farewell.INTERNAL: CloseCode.INTERNAL,
    Farewell.TAKEN_OVER: CloseCode.TAKEN_OVER,
}
"""What is usual, for codecs that have no other numbers."""

assert set(CLOSE_CODES) == set(Farewell)
