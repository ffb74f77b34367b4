"""The client's end of a session, and a link that lets a command in at any step."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from voice_trio.core import messages as m
from voice_trio.core.items import Words
from voice_trio.microphone import Microphone
from voice_trio.session.farewell import Farewell, Goodbye
from voice_trio.session.link import LinkClosed
from voice_trio.testing.hearing import Hearing
from voice_trio.wire.codec import Codec


class ExploredLink(Hearing):
    """A link without a socket, and the client that uses it: no task of its own takes what is said."""

    def __init__(self, *, read_s: float = 0.0, codec: Codec | None = None) -> None:
        """The client takes ``read_s`` to read each event; ``codec`` spells what it says by `tell`, and hears."""
        super().__init__()
        self.codec = codec
        self.told: list[dict[str, Any]] = []
        """What the client got of ``taken``, as ``codec`` spells it."""
        self.written: list[str] = []
        """What it added to the conversation as a person's words."""
        self.act: Callable[[m.Command], None] | None = None
        """The session's `act`."""
        self.taken: list[m.Event] = []
        """What the session took from its outbox, in order; `heard` is what of it the client got."""
        self.asked: list[m.Start | m.Text | m.Respond] = []
        """The turns that the session was asked for, in order."""
        self.listens = False
        """Whether turns may begin that nobody asked for but by speaking."""
        self.cancelled_at: int | None = None
        """How much of ``taken`` there was when the session read a cancel."""
        self.closed: Goodbye | None = None
        """How the session said goodbye, once it did."""
        self.gone = False
        """Whether the client has gone away."""
        self.spoken = bytearray()
        """The audio that the session was given."""
        self._read_s = read_s
        self._commands: deque[m.Command] = deque()
        self._reader_waits = False
        self._reader = trio.lowlevel.ParkingLot()

    # --- the session's end ------------------------------------------------------------------------------------------

    async def receive(self) -> m.Command:
        """Return the client's next command."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._commands:
            if self.gone or self.closed:
                raise LinkClosed
            self._reader_waits = True
            try:
                await self._reader.park()
            finally:
                self._reader_waits = False
        command = self._commands.popleft()
        self._note(command)
        return command

    async def send(self, event: m.Event) -> None:
        """Hand ``event`` to the client."""
        if self.gone or self.closed:
            raise LinkClosed
        self.taken.append(event)
        await trio.sleep(self._read_s)
        if self.gone:
            raise LinkClosed
        if self.codec is not None:
            self.told += [json.loads(message) for message in self.codec.encode(event)]
        self.note(event)

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Note the goodbye, and end both directions."""
        await trio.lowlevel.checkpoint()
        self.closed = Goodbye(farewell, reason)
        self.wake()

    # --- the client's end, for scripts ------------------------------------------------------------------------------

    async def ask(self, command: m.Command) -> None:
        """Say ``command``. Raises `LinkClosed` once the session closed the link, or the client is gone."""
        await trio.lowlevel.checkpoint()
        self.check_open()
        self._commands.append(command)
        self._wake_reader()

    async def tell(self, kind: str, **fields: Any) -> None:
        """Say the message of that ``kind``, a JSON object, as the codec takes it. Raises as `ask` does."""
        assert self.codec is not None, "the scenario has no codec"
        for command in self.codec.decode(json.dumps({"type": kind, **fields})):
            await self.ask(command)

    async def say(self, pcm: bytes) -> None:
        """Speak, at the speed of speech, until the session is known to stop. Raises `LinkClosed`."""
        async for message in Microphone(pcm):
            if self.stopping:
                return
            await self.ask(m.Audio(message))

    @property
    def stopping(self) -> bool:
        """Whether the client was told that the session ends."""
        return any(getattr(event, "code", None) is m.InfoCode.SHUTTING_DOWN for event in self.heard)

    @property
    def in_a_turn(self) -> bool:
        """Whether a turn was announced that is not over."""
        begun = {event.turn for event in self.all(m.StateChanged)}
        return len(begun) > len(self.all(m.Done))

    # --- what ends it: none of this waits, and any of it may be called before any step --------------------------------

    def interject(self, command: m.Command) -> None:
        """Have the session read ``command`` now, if nothing is before it, else as soon as it can."""
        if self._reader_waits and not self._commands and self.act is not None:
            # The reader may have been handed it a step ago, and take its step before any task that is ready now.
            self._note(command)
            self.act(command)
        else:
            self._commands.append(command)

    def vanish(self) -> None:
        """Go away, without a word."""
        self.gone = True
        self._commands.clear()
        self.wake()

    def _note(self, command: m.Command) -> None:
        if isinstance(command, m.Cancel):
            self.cancelled_at = len(self.taken)
        match command:
            case m.Start() | m.Text() | m.Respond():
                self.asked.append(command)
            case m.AddItem(item=Words(by="person", text=str(text))):
                self.written.append(text)
        start = command.start if isinstance(command, m.Listen) else command
        self.listens = self.listens or (isinstance(start, m.Start) and start.mode == "hands_free")
        if isinstance(command, m.Audio):
            self.spoken += command.pcm

    def check_open(self) -> None:
        """Raise `LinkClosed` if the session closed the link, or the client is gone."""
        if self.gone or self.closed:
            raise LinkClosed

    async def wait_said(self) -> None:
        """Wait until the client has said something, or more of it is to be known."""
        await self._reader.park()

    def _wake_reader(self) -> None:
        self._reader_waits = False
        self._reader.unpark_all()

    def wake(self) -> None:
        """Have the session and the client look whether the link is still open."""
        self._wake_reader()
        self._arrivals.unpark_all()
