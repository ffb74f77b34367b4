"""A client that always listens, so that a test can talk and wait as a person would: say, silence, next_is, wait_for.

async with calling("ws://127.0.0.1:8765/ws") as talk:
    await talk.next_is(m.SessionOpened)
    await talk.ask(m.Start())
    await talk.say(pcm)
    await talk.silence(900)
    await talk.wait_for(m.Done, outcome=Outcome.COMPLETED)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from voice_trio.client import Client, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.microphone import Microphone
from voice_trio.session.link import LinkClosed
from voice_trio.testing.hearing import Hearing
from voice_trio.testing.promises import check_promises
from voice_trio.testing.scripted import silent, voiced


class Caller(Protocol):
    """The client's end of a link: `voice_trio.client.Client`, `session.link.MemoryLink`, `WireClient`."""

    async def ask(self, command: m.Command) -> None:
        """Send ``command``. Raises `SessionClosed` or `LinkClosed`."""

    async def hear(self) -> m.Event:
        """Return the next event. Raises `SessionClosed` or `LinkClosed`."""


class Talk(Hearing):
    """One session, from the client's side."""

    def __init__(self, caller: Caller, *, speed: float = 1.0, read_s: float = 0.0) -> None:
        """Sound goes at ``speed``, as `Microphone` has it; the client takes ``read_s`` to read each event."""
        super().__init__()
        self.read_s = read_s
        self._caller = caller
        self._speed = speed

    async def ask(self, *commands: m.Command) -> None:
        """Send ``commands``, in one breath. Raises `SessionClosed` or `LinkClosed`."""
        for command in commands:
            await self._caller.ask(command)

    async def say(self, sound: int | bytes = 1500, then_silent_ms: int = 0) -> None:
        """Speak for so many ms, as a `ScriptedDetector` hears it, or 16 kHz s16le mono ``sound``; then be silent."""
        pcm = voiced(sound) if isinstance(sound, int) else sound
        async for message in Microphone(pcm + silent(then_silent_ms), speed=self._speed):
            await self.ask(m.Audio(message))

    async def silence(self, ms: int) -> None:
        """Let the microphone hear nothing for so many ms."""
        await self.say(silent(ms))

    async def question(self) -> m.StateChanged:
        """Ask something by voice; return when the answer has begun."""
        await self.ask(m.Start())
        await self.say(1500, 900)
        return await self.wait_for(m.StateChanged, state=m.State.RESPONDING)

    async def closing(self) -> int | None:
        """Hear the session out and return the code of its socket's close; None where there is no socket."""
        try:
            while True:
                await self._take()
        except (SessionClosed, LinkClosed):
            return getattr(self.over, "code", None)

    async def collect(self) -> None:
        """Hear the session, until it is over or this is cancelled."""
        try:
            while True:
                self.note(await self._caller.hear())
                await trio.sleep(self.read_s)
        except (SessionClosed, LinkClosed) as closed:
            self.end(closed)


class SocketTalk(Talk):
    """A `Talk` over a socket, which can send what is no command."""

    def __init__(self, client: Client, *, speed: float) -> None:
        super().__init__(client, speed=speed)
        self._client = client

    async def send(self, *messages: str | bytes) -> None:
        """Send ``messages`` as they are, right or wrong. Raises `SessionClosed`."""
        for message in messages:
            await self._client.send_raw(message)


@asynccontextmanager
async def calling(url: str, *, speed: float = 1.0) -> AsyncIterator[SocketTalk]:
    """Talk to the server at ``url``; at the end, check its promises. Raises `CannotConnect`."""
    async with connect(url) as client:
        talk = SocketTalk(client, speed=speed)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk.collect)
            yield talk
            nursery.cancel_scope.cancel()
        check_promises(talk.heard, to_the_end=talk.over is not None)
