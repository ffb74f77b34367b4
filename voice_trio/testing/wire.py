"""A session without a socket that is sent what a socket carries: for tests of a codec, and of what is malformed.

async with holding() as talk:
    await talk.send('{"type":"start"}')
    await talk.wait_for(m.StateChanged, state=State.CAPTURING)
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from voice_trio.client import SessionClosed
from voice_trio.core import messages as m
from voice_trio.engines.base import Engines
from voice_trio.memory.base import Store
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.testing.conversation import session_on
from voice_trio.testing.promises import check_promises
from voice_trio.testing.talk import Talk
from voice_trio.wire import native
from voice_trio.wire.codec import Codec, decoded


class WireLink:
    """A link that carries messages through memory, as ``codec`` spells them. `memory` has the client's end."""

    def __init__(self, codec: Codec) -> None:
        self.memory: Any = MemoryLink()
        """Carries what is spelled, where elsewhere it carries commands and events."""
        self.codec = codec
        self._asked: deque[m.Command] = deque()

    async def receive(self) -> m.Command:
        """Return the client's next command. Raises `LinkClosed` and `Malformed`."""
        while not self._asked:
            self._asked += await decoded(self.codec, await self.memory.receive())
        return self._asked.popleft()

    async def send(self, event: m.Event) -> None:
        """Spell ``event`` for the client. Raises `LinkClosed`."""
        for message in self.codec.encode(event):
            await self.memory.send(message)

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say goodbye."""
        await self.memory.close(farewell, reason)


class WireClient:
    """The client's end of a `WireLink` of /ws, as `voice_trio.client.Client` is that of a socket."""

    def __init__(self, link: WireLink) -> None:
        self._memory = link.memory
        self._codec = link.codec

    async def ask(self, command: m.Command) -> None:
        """Send ``command``. Raises `SessionClosed`."""
        await self.send_raw(native.encode_command(command))

    async def send_raw(self, data: str | bytes) -> None:
        """Send a message as it is, right or wrong. Raises `SessionClosed`."""
        try:
            await self._memory.ask(data)
        except LinkClosed:
            raise self._closed() from None

    async def hear(self) -> m.Event:
        """Return the next event that this version knows. Raises `SessionClosed`."""
        while True:
            try:
                data = await self._memory.hear()
            except LinkClosed:
                raise self._closed() from None
            event = native.decode_event(data)
            if event is not None:
                return event

    def _closed(self) -> SessionClosed:
        if self._memory.closed is None:
            return SessionClosed(None, None)
        farewell, reason = self._memory.closed
        return SessionClosed(self._codec.close_code(farewell), reason)


@dataclass(frozen=True)
class Line:
    """One message of either side."""

    at_s: float
    """When it was sent or heard, since the talk began."""
    by_client: bool
    data: str | bytes


class WireTalk(Talk):
    """A `Talk` that can send what is no command, and keeps the messages of both sides."""

    def __init__(self, client: WireClient) -> None:
        super().__init__(client)
        self.lines: list[Line] = []
        """All that was sent and heard, in order."""
        self._client = client
        self._began_at = trio.current_time()

    async def ask(self, *commands: m.Command) -> None:
        """Send ``commands``, in one breath. Raises `SessionClosed`."""
        await self.send(*map(native.encode_command, commands))

    async def send(self, *messages: str | bytes) -> None:
        """Send ``messages`` as they are, right or wrong. Raises `SessionClosed`."""
        for message in messages:
            self._keep(True, message)
            await self._client.send_raw(message)

    def note(self, event: m.Event) -> None:
        """Add what was just heard."""
        self._keep(False, native.encode_event(event))
        super().note(event)

    def _keep(self, by_client: bool, data: str | bytes) -> None:
        self.lines.append(Line(trio.current_time() - self._began_at, by_client, data))


@asynccontextmanager
async def holding(
    *,
    engines: Engines | Callable[[], Engines] | None = None,
    store: Store | None = None,
    **settings: Any,
) -> AsyncIterator[WireTalk]:
    """Hold a session as `conversation.conversation` does, and talk with it in the messages of /ws."""
    link = WireLink(native.NativeCodec())
    session = session_on(link, engines=engines, store=store, **settings)
    talk = WireTalk(WireClient(link))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.run)
        nursery.start_soon(talk.collect)
        yield talk
        heard_out = talk.over is not None
        link.memory.vanish()
    check_promises(talk.heard, to_the_end=heard_out)
