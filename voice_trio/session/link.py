"""All that a session knows of its client: commands come in, events go out, and it can be closed."""

from __future__ import annotations

from typing import Protocol

import trio

from voice_trio.core.messages import Command, Event
from voice_trio.session.farewell import Farewell, Goodbye


class LinkClosed(Exception):
    """The client is gone, or the link was closed."""


class Malformed(Exception):
    """The client sent what is no command: the session ends with ``farewell``, and ``message`` says what was wrong."""

    def __init__(self, message: str, farewell: Farewell) -> None:
        """``farewell`` is the kind of it: UNSUPPORTED, BAD_DATA, TOO_LARGE, or FLOOD for a command too many."""
        super().__init__(message)
        self.message = message
        self.farewell = farewell


class Link(Protocol):
    """One client. `receive` has one caller, `send` and `close` have one between them."""

    async def receive(self) -> Command:
        """Return the client's next command. Raises `LinkClosed`, and `Malformed` for what is no command."""

    async def send(self, event: Event) -> None:
        """Hand ``event`` to the transport. Raises `LinkClosed`."""

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say goodbye; ``reason`` is a few words. Never raises."""


class MemoryLink:
    """A link without a socket: for a program that holds a session itself, and for tests.

    The other end is in this object too: `ask` and `hear` are the client's verbs.
    """

    def __init__(self, capacity: int = 0) -> None:
        self._commands_in, self._commands = trio.open_memory_channel[Command | Exception](capacity)
        self._events_in, self._events = trio.open_memory_channel[Event](capacity)
        self.closed: Goodbye | None = None
        """How the session said goodbye, once it did."""

    async def receive(self) -> Command:
        """Return the client's next command."""
        try:
            command = await self._commands.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError) as error:
            raise LinkClosed from error
        if isinstance(command, Exception):
            raise command
        return command

    async def send(self, event: Event) -> None:
        """Hand ``event`` to the client."""
        try:
            await self._events_in.send(event)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise LinkClosed from error

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Note the goodbye, and end both directions."""
        await trio.lowlevel.checkpoint()
        self.closed = Goodbye(farewell, reason)
        self._commands.close()
        self._events_in.close()

    async def ask(self, command: Command | Exception) -> None:
        """Say ``command`` as the client; an exception stands for a message that cannot be read.

        Raises `LinkClosed` when the session closed the link.
        """
        try:
            await self._commands_in.send(command)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise LinkClosed from error

    async def hear(self) -> Event:
        """Return the session's next event as the client. Raises `LinkClosed`."""
        try:
            return await self._events.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError) as error:
            raise LinkClosed from error

    def vanish(self) -> None:
        """Go away as the client, without a word."""
        self._commands_in.close()
        self._events.close()
