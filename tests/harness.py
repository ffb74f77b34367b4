"""A client whose tests read like a conversation: say, silence, expect, until.

    async with calling("ws://127.0.0.1:8765/ws") as talk:    a server, wherever it is
    async with holding() as talk:                            a session of scripted engines, without a socket

        await talk.expect(m.SessionOpened)
        await talk.ask(m.Start())
        await talk.say(1500)
        await talk.silence(900)
        await talk.until(m.Done, outcome=Outcome.COMPLETED)

Either way it is the messages of /ws that go back and forth. What the session says is collected all the time, so that it
never waits for a test that is busy talking, and what is promised of the order of events is checked at the end.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, TypeVar

import trio

from voice_trio import config
from voice_trio.client import SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.core.turn_state import TRANSITIONS
from voice_trio.engines.base import Engines
from voice_trio.memory.base import Store
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.testing.scripted import scripted_engines, silent, voiced
from voice_trio.wire import native
from voice_trio.wire.codec import Codec

MESSAGE_MS = 60

SomeEvent = TypeVar("SomeEvent")


class Wire(Protocol):
    """What a `Talk` needs of a client: a part of `voice_trio.client.Client`."""

    async def send_raw(self, data: str | bytes) -> None:
        """Send a message as it is. Raises `SessionClosed`."""

    async def hear(self) -> m.Event:
        """Return the next event. Raises `SessionClosed`."""


@dataclass(frozen=True)
class Line:
    """One message of either side."""

    at_s: float
    """When it was sent or heard, since the talk began."""
    by_client: bool
    data: str | bytes


class Talk:
    """One session, from the client's side. Times are seconds of Trio's clock."""

    def __init__(self, client: Wire, *, real_time: bool) -> None:
        """With ``real_time``, sound is sent at the speed of speech, else all at once."""
        self.lines: list[Line] = []
        """All that was sent and heard, in order."""
        self.heard: list[m.Event] = []
        self.times: list[float] = []
        """When each of `heard` came."""
        self.closed: SessionClosed | None = None
        """How the server closed the session, once it did."""
        self._client = client
        self._real_time = real_time
        self._began_at = trio.current_time()
        self._next = 0
        self._arrivals = trio.lowlevel.ParkingLot()

    # --- what the client does ---------------------------------------------------------------------------------------

    async def ask(self, *commands: m.Command) -> None:
        """Send ``commands``, in one breath. Raises `SessionClosed`."""
        await self.send(*map(native.encode_command, commands))

    async def send(self, *messages: str | bytes) -> None:
        """Send ``messages`` as they are, right or wrong. Raises `SessionClosed`."""
        for message in messages:
            self.lines.append(Line(trio.current_time() - self._began_at, True, message))
            await self._client.send_raw(message)

    async def say(self, sound: int | bytes) -> None:
        """Speak for so many ms, as scripted engines understand it, or 16 kHz s16le mono ``sound``."""
        pcm = voiced(sound) if isinstance(sound, int) else sound
        step = ms_to_samples(MESSAGE_MS) * BYTES_PER_SAMPLE
        for at in range(0, len(pcm), step):
            message = pcm[at : at + step]
            if self._real_time:
                # A microphone hands a message over when the last of it was heard.
                await trio.sleep(len(message) / BYTES_PER_SAMPLE / SAMPLE_RATE)
            await self.send(message)

    async def silence(self, ms: int) -> None:
        """Let the microphone hear nothing for so many ms."""
        await self.say(silent(ms))

    # --- what it hears ----------------------------------------------------------------------------------------------

    async def expect(self, kind: type[SomeEvent], **fields: Any) -> SomeEvent:
        """Return the next event, which must be of ``kind`` with these fields. Raises `SessionClosed`."""
        event = await self._take()
        assert _is(event, kind, fields), f"expected {kind.__name__} with {fields}, heard {event}"
        return event

    async def until(self, kind: type[SomeEvent], **fields: Any) -> SomeEvent:
        """Return the next event of ``kind`` with these fields, past all others. Raises `SessionClosed`."""
        while True:
            event = await self._take()
            if _is(event, kind, fields):
                return event

    async def closing(self) -> int | None:
        """Hear the session out and return its close code."""
        try:
            while True:
                await self._take()
        except SessionClosed as closed:
            return closed.code

    # --- what it heard ----------------------------------------------------------------------------------------------

    def all(self, kind: type[SomeEvent], **fields: Any) -> list[SomeEvent]:
        """Return every event so far of ``kind`` with these fields."""
        return [event for event in self.heard if _is(event, kind, fields)]

    def states(self, turn: int) -> list[m.State]:
        """Return the states that ``turn`` has gone through."""
        return [event.state for event in self.all(m.StateChanged, turn=turn)]

    def reply(self, turn: int) -> str:
        """Return the reply of ``turn``, as far as it was written."""
        return "".join(token.text for token in self.all(m.Token, turn=turn))

    def audio(self, turn: int) -> bytes:
        """Return the audio of ``turn``."""
        return b"".join(chunk.pcm for chunk in self.all(m.TtsChunk, turn=turn))

    async def collect(self) -> None:
        """Hear the session, until it is over or this is cancelled."""
        try:
            while True:
                event = await self._client.hear()
                now = trio.current_time()
                self.lines.append(Line(now - self._began_at, False, native.encode_event(event)))
                self.heard.append(event)
                self.times.append(now)
                self._arrivals.unpark_all()
        except SessionClosed as closed:
            self.closed = closed
            self._arrivals.unpark_all()

    async def _take(self) -> m.Event:
        while self._next == len(self.heard):
            if self.closed is not None:
                raise self.closed
            await self._arrivals.park()
        self._next += 1
        return self.heard[self._next - 1]


def _is(event: m.Event, kind: type[SomeEvent], fields: dict[str, Any]) -> TypeGuard[SomeEvent]:
    return isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())


def check_order(events: Iterable[m.Event], *, to_the_end: bool) -> None:
    """Assert what is promised of the events of any session; ``to_the_end`` if the server had its last word."""
    states: dict[int, m.State] = {}
    over: list[int] = []
    for event in events:
        turn = getattr(event, "turn", None)
        if turn is None:
            continue
        assert turn not in over, f"{event} comes after its turn's end"
        if isinstance(event, m.StateChanged):
            before = states.get(turn, m.State.IDLE)
            assert event.state in TRANSITIONS[before].values(), f"{event} comes after {before}"
            assert turn >= max(states, default=turn), f"{event} comes after a later turn"
            states[turn] = event.state
        else:
            assert turn in states, f"{event} is of a turn that was not announced"
        if isinstance(event, m.Done):
            assert states[turn] is m.State.COMPLETE
            over.append(turn)
    assert over == [turn for turn in states if turn in over]
    missing = set(states) - set(over)
    assert missing <= ({max(states)} if states and not to_the_end else set()), f"no end of the turns {missing}"


# --- where a talk comes from ----------------------------------------------------------------------------------------


@asynccontextmanager
async def calling(url: str, *, real_time: bool = True) -> AsyncIterator[Talk]:
    """Talk to the server at ``url``. Raises `CannotConnect`."""
    async with connect(url) as client, _talking(client, real_time=real_time) as talk:
        yield talk


@asynccontextmanager
async def holding(
    *,
    engines: Engines | Callable[[], Engines] | None = None,
    store: Store | None = None,
    **settings: Any,
) -> AsyncIterator[Talk]:
    """Talk to a session in this process; on leaving, the client vanishes, and all is to end by itself."""
    link = WireLink(native.NativeCodec())
    engines = engines or scripted_engines()
    session = Session(
        link,
        settings=SessionSettings.of(config.load(**settings)),
        engines=engines if callable(engines) else lambda: engines,
        store=store or InProcessStore(),
        wall_clock=lambda: 0.0,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.run)
        async with _talking(WireClient(link), real_time=True) as talk:
            yield talk
        link.memory.vanish()


@asynccontextmanager
async def _talking(client: Wire, *, real_time: bool) -> AsyncIterator[Talk]:
    async with trio.open_nursery() as nursery:
        talk = Talk(client, real_time=real_time)
        nursery.start_soon(talk.collect)
        yield talk
        check_order(talk.heard, to_the_end=talk.closed is not None)
        nursery.cancel_scope.cancel()


class WireLink:
    """A link that carries messages through memory, as ``codec`` spells them."""

    def __init__(self, codec: Codec) -> None:
        self.memory: Any = MemoryLink()
        self.codec = codec
        self._asked: deque[m.Command] = deque()

    async def receive(self) -> m.Command:
        """Return the client's next command. Raises `LinkClosed` and `Malformed`."""
        while not self._asked:
            self._asked += self.codec.decode(await self.memory.receive())
        return self._asked.popleft()

    async def send(self, event: m.Event) -> None:
        """Spell ``event`` for the client. Raises `LinkClosed`."""
        for message in self.codec.encode(event):
            await self.memory.send(message)

    async def close(self, farewell: Farewell, reason: str) -> None:
        """Say goodbye."""
        await self.memory.close(farewell, reason)


class WireClient:
    """The client's end of a `WireLink`, as `voice_trio.client.Client` is that of a socket."""

    def __init__(self, link: WireLink) -> None:
        self._memory = link.memory
        self._codec = link.codec

    async def send_raw(self, data: str | bytes) -> None:
        """Send a message as it is. Raises `SessionClosed`."""
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
