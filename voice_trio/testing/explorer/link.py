"""The client's end of a session, and a link that lets a command in at any step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.session.farewell import Farewell, Goodbye
from voice_trio.session.link import LinkClosed

MESSAGE_MS = 60
"""Of audio in each message."""

SomeEvent = TypeVar("SomeEvent", bound=m.Event)


class Said(NamedTuple):
    """Something the session said."""

    event: m.Event
    at_s: float
    """When it was handed to the client, on Trio's clock."""


class ExploredLink:
    """A link without a socket, and the client that uses it. It keeps all that was said."""

    def __init__(self, *, read_s: float = 0.0) -> None:
        """The client takes ``read_s`` to read each event."""
        self.act: Callable[[m.Command], None] | None = None
        """The session's `act`."""
        self.taken: list[m.Event] = []
        """What the session took from its outbox, in order."""
        self.heard: list[Said] = []
        """What of it the client got."""
        self.asked: list[m.Start | m.Text] = []
        """The turns that the session was asked for, in order."""
        self.cancelled_at: int | None = None
        """How much of ``taken`` there was when the session read a cancel."""
        self.closed: Goodbye | None = None
        """How the session said goodbye, once it did."""
        self.gone = False
        """Whether the client has gone away."""
        self._read_s = read_s
        self._commands: deque[m.Command] = deque()
        self._reader_waits = False
        self._reader = trio.lowlevel.ParkingLot()
        self._client = trio.lowlevel.ParkingLot()

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
        self.heard.append(Said(event, trio.current_time()))
        self._client.unpark_all()

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Note the goodbye, and end both directions."""
        await trio.lowlevel.checkpoint()
        self.closed = Goodbye(farewell, reason)
        self.wake()

    # --- the client's end, for scripts ------------------------------------------------------------------------------

    async def ask(self, command: m.Command) -> None:
        """Say ``command``. Raises `LinkClosed` once the session closed the link, or the client is gone."""
        await trio.lowlevel.checkpoint()
        self._check_open()
        self._commands.append(command)
        self._wake_reader()

    async def say(self, pcm: bytes) -> None:
        """Speak, at the speed of speech, until the session is known to stop. Raises `LinkClosed`."""
        step = ms_to_samples(MESSAGE_MS) * BYTES_PER_SAMPLE
        for at in range(0, len(pcm), step):
            message = pcm[at : at + step]
            await trio.sleep(len(message) / BYTES_PER_SAMPLE / SAMPLE_RATE)
            if self.stopping:
                return
            await self.ask(m.Audio(message))

    async def until(self, kind: type[SomeEvent], **fields: Any) -> SomeEvent:
        """Return the first event of ``kind`` with these fields, when it has come. Raises `LinkClosed`."""
        looked_at = 0
        while True:
            for said in self.heard[looked_at:]:
                if isinstance(said.event, kind) and all(getattr(said.event, name) == fields[name] for name in fields):
                    return said.event
            looked_at = len(self.heard)
            self._check_open()
            await self._client.park()

    @property
    def stopping(self) -> bool:
        """Whether the client was told that the session ends."""
        return any(getattr(said.event, "code", None) is m.InfoCode.SHUTTING_DOWN for said in self.heard)

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
        if isinstance(command, m.Start | m.Text):
            self.asked.append(command)

    def _check_open(self) -> None:
        if self.gone or self.closed:
            raise LinkClosed

    def _wake_reader(self) -> None:
        self._reader_waits = False
        self._reader.unpark_all()

    def wake(self) -> None:
        """Have the session and the client look whether the link is still open."""
        self._wake_reader()
        self._client.unpark_all()
