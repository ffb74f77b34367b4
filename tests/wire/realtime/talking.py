"""A session without a socket, and a client of OpenAI's Realtime API that talks with it, in virtual time."""

import base64
import json
from contextlib import asynccontextmanager

import trio

from tests.wire.realtime.contract import check
from tests.wire.realtime.order import check_order
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.playout import UnpacedPlayout
from voice_trio.session.link import LinkClosed
from voice_trio.session.session import Session
from voice_trio.testing.conversation import session_on
from voice_trio.testing.scripted import scripted_engines
from voice_trio.testing.wire import WireLink
from voice_trio.wire.realtime.codec import RealtimeCodec
from voice_trio.wire.realtime.configuration import Configuration, Offered

OPENED = m.SessionOpened(
    session="s",
    conversation="c",
    sample_rate=16_000,
    max_utterance_ms=30_000,
    silence_ms=700,
    asr="a",
    llm="l",
    voices=("one", "two"),
    languages=(),
)
"""What a session says first, where a codec alone is tested."""


def voiced(ms, rate=24_000):
    """Return PCM that a `ScriptedDetector` takes for speech, also when it was resampled."""
    return (1000).to_bytes(2, "little") * (ms * rate // 1000)


def silent(ms, rate=24_000):
    return bytes(2 * (ms * rate // 1000))


class Client:
    """The client's end. Every event that comes is held against the contract."""

    def __init__(self, link, session):
        self.link = link
        self.session = session
        self.memory = link.memory
        self.events = []
        self.over = trio.Event()
        self._news = trio.Condition()
        self._read = 0

    async def collect(self):
        try:
            while True:
                event = check(json.loads(await self.memory.hear()))
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        except LinkClosed:
            async with self._news:
                self.over.set()
                self._news.notify_all()

    async def send(self, kind, **fields):
        await self.memory.ask(json.dumps({"type": kind, **fields}))

    async def send_raw(self, data):
        await self.memory.ask(data)

    async def append(self, pcm):
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def speak(self, ms=1500, then_silent_ms=900, rate=24_000):
        """Speak at the speed of speech, in pieces of 40 ms."""
        pcm = voiced(ms, rate) + silent(then_silent_ms, rate)
        step = 2 * rate * 40 // 1000
        for at in range(0, len(pcm), step):
            await self.append(pcm[at : at + step])
            await trio.sleep(0.04)

    async def update(self, **session):
        await self.send("session.update", session=session)
        return await self.wait_for("session.updated")

    async def write(self, text, **item):
        content = [{"type": "input_text", "text": text}]
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content, **item}
        )

    async def next(self):
        """Return the next event that was not looked at."""
        async with self._news:
            while self._read >= len(self.events):
                if self.over.is_set():
                    raise EOFError("the session is over")
                await self._news.wait()
            self._read += 1
            return self.events[self._read - 1]

    async def wait_for(self, kind, **fields):
        """Return the next event of that type with those fields, and pass over others."""
        with trio.fail_after(120):
            while True:
                event = await self.next()
                if event["type"] == kind and all(event.get(name) == value for name, value in fields.items()):
                    return event

    async def error(self):
        return (await self.wait_for("error"))["error"]

    def of(self, kind, **fields):
        """Return all events of that type with those fields so far."""
        return [
            event
            for event in self.events
            if event["type"] == kind and all(event.get(name) == value for name, value in fields.items())
        ]

    @property
    def types(self):
        return [event["type"] for event in self.events]


def new_codec(engines):
    """Return the codec of a connection to a server with ``engines``."""
    offered = Offered(
        model=engines.language_model.name,
        instructions=config.load().llm_system_prompt,
        voices=tuple(engines.synthesizer.voices),
        languages=tuple(engines.recognizer.languages),
    )
    return RealtimeCodec(offered, Configuration(), expires_at=0)


@asynccontextmanager
async def holding(engines=None, *, store=None, new_session=Session, to_the_end=False, **settings):
    """Hold a session as /v1/realtime would, and yield its client. At the end all that it was told is in order."""
    engines = engines or scripted_engines()
    link = WireLink(new_codec(engines))
    session = session_on(
        link, engines=engines, store=store, new_playout=UnpacedPlayout, new_session=new_session, **settings
    )
    client = Client(link, session)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.run)
        nursery.start_soon(client.collect)
        yield client
        link.memory.vanish()
    check_order(client.events, to_the_end=to_the_end)
