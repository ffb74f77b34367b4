"""A client of a session without a socket, for tests that read like a conversation."""

from contextlib import asynccontextmanager

import trio

from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import LinkClosed, Malformed, MemoryLink
from voice_trio.session.session import Session
from voice_trio.session.settings import SessionSettings
from voice_trio.testing.scripted import scripted_engines, silent, voiced

MESSAGE_MS = 60


class Conversation:
    """Always collects what the session says, with the time at which it came."""

    def __init__(self, link, session, store, read_s):
        self.link = link
        self.read_s = read_s
        self.session = session
        self.store = store
        self.heard = []
        self.times = []
        self._arrived = trio.lowlevel.ParkingLot()
        self._from = 0

    async def collect(self):
        try:
            while True:
                event = await self.link.hear()
                self.heard.append(event)
                self.times.append(trio.current_time())
                self._arrived.unpark_all()
                await trio.sleep(self.read_s)
        except LinkClosed:
            self._arrived.unpark_all()

    async def ask(self, *commands):
        for command in commands:
            await self.link.ask(command)

    async def say(self, ms=1500, then_silent_ms=0):
        """Speak, then be silent, at the speed of speech."""
        pcm = voiced(ms) + silent(then_silent_ms)
        step = SAMPLE_RATE * MESSAGE_MS // 1000 * BYTES_PER_SAMPLE
        for at in range(0, len(pcm), step):
            message = pcm[at : at + step]
            await trio.sleep(len(message) / BYTES_PER_SAMPLE / SAMPLE_RATE)
            await self.ask(m.Audio(message))

    async def expect(self, kind, **fields):
        """Wait for the next event of ``kind`` with these fields, after the last one expected, and return it."""
        while True:
            for at in range(self._from, len(self.heard)):
                event = self.heard[at]
                if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
                    self._from = at + 1
                    return event
            await self._arrived.park()

    async def act(self, actions, ending):
        """Do ``actions``, commands and the seconds between them; return ``ending``, or "closed" if that came first."""
        try:
            for action in actions:
                if isinstance(action, float):
                    await trio.sleep(action)
                else:
                    await self.ask(action)
            if ending == "malformed":
                await self.ask(Malformed("nonsense", Farewell.BAD_DATA))
        except LinkClosed:
            return "closed"
        return ending

    async def question(self):
        """Ask something by voice; return when the answer has begun."""
        await self.ask(m.Start())
        await self.say(1500, 900)
        return await self.expect(m.StateChanged, state=m.State.RESPONDING)

    def of_turn(self, turn):
        return [event for event in self.heard if getattr(event, "turn", None) == turn]

    def kinds(self, turn):
        return [type(event).__name__ for event in self.of_turn(turn)]

    def states(self, turn):
        return [event.state for event in self.of_turn(turn) if isinstance(event, m.StateChanged)]

    def audio(self, turn):
        return b"".join(event.pcm for event in self.of_turn(turn) if isinstance(event, m.TtsChunk))

    def reply(self, turn):
        return "".join(event.text for event in self.of_turn(turn) if isinstance(event, m.Token))

    def time_of(self, event):
        return self.times[next(at for at, other in enumerate(self.heard) if other is event)]


@asynccontextmanager
async def conversation(
    *, engines=None, store=None, claims=None, read_s=0.0, new_playout=None, new_session=Session, **settings
):
    """Hold a session of scripted engines; on leaving, the client vanishes, and all is to end by itself.

    ``engines`` may be a function, which the session calls whenever it wants them. The client reads one event each
    ``read_s``; None reads nothing.
    """
    link = MemoryLink()
    store = store or InProcessStore()
    engines = engines or scripted_engines()
    session = new_session(
        link,
        settings=SessionSettings.of(config.load(**settings)),
        engines=engines if callable(engines) else lambda: engines,
        store=store,
        claims=claims,
        wall_clock=lambda: 0.0,
        new_playout=new_playout,
    )
    async with trio.open_nursery() as nursery:
        talk = Conversation(link, session, store, read_s)
        nursery.start_soon(session.run)
        if read_s is not None:
            nursery.start_soon(talk.collect)
        yield talk
        link.vanish()
