"""The client of /ws comes back to its session, over a network that breaks."""

from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio

from tests.server.serving import eventually
from voice_trio import config
from voice_trio.client import Client, SessionClosed, connect
from voice_trio.client_resumption import Resumption
from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome
from voice_trio.server.run import open_server
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.promises import check_promises
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    silent,
)

CUTS = 4
WORDS = ("what", "time", "is", "it", "in", "london", "and", "in", "rome")
RATE = 16_000
REPLY = "A reply that takes a moment. And one more sentence."


class Network:
    """Hands on what passes between the client and the server, until it is cut."""

    def __init__(self, port):
        self._port = port
        self._cuts = trio.CancelScope()
        self.is_down = False
        self.answer = None
        """What whoever comes is told in the server's place."""
        self.refused = 0

    def cut(self):
        self._cuts.cancel()
        self._cuts = trio.CancelScope()

    async def carry(self, client):
        if self.is_down:
            await trio.aclose_forcefully(client)
            return
        if self.answer:
            await client.receive_some()
            await client.send_all(self.answer)
            await client.send_eof()
            self.refused += 1
            return
        async with client, await trio.open_tcp_stream("127.0.0.1", self._port) as server:
            with self._cuts:
                async with trio.open_nursery() as nursery:
                    for one, other in ((client, server), (server, client)):
                        nursery.start_soon(self._pass_on, one, other)

    @staticmethod
    async def _pass_on(one, other):
        with suppress(trio.BrokenResourceError):
            async for data in one:
                await other.send_all(data)
            await other.send_eof()


@asynccontextmanager
async def talking(**settings):
    """Have a server, a network before it, and a client that comes back."""

    @asynccontextmanager
    async def engines(_):
        model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=[REPLY])] * 10)
        yield scripted_engines(
            recognizer=LiteralRecognizer(), language_model=model, synthesizer=ScriptedSynthesizer(char_ms=40)
        )

    with trio.fail_after(60):
        async with open_server(config.load(port=0, **settings), engines) as running, trio.open_nursery() as nursery:
            network = Network(int(running.url.rpartition(":")[2]))
            serve = partial(trio.serve_tcp, network.carry, 0, host="127.0.0.1")
            (listener,) = await nursery.start(serve)
            port = listener.socket.getsockname()[1]
            async with connect(f"http://127.0.0.1:{port}", resume=True) as client:
                yield client, network, running
            await eventually(lambda: not len(running.sessions))
            nursery.cancel_scope.cancel()


async def heard_to_the_end(client: Client, events):
    while not events or not isinstance(events[-1], m.Done):
        events.append(await client.hear())


@pytest.mark.real
@pytest.mark.parametrize("codec", [None, "opus"])
async def test_a_reply_is_heard_to_its_end_once(codec):
    async with talking() as (client, network, running):
        events = [await client.hear()]
        await client.ask(m.Text(text="Tell me.", codec=codec))
        for cuts in range(1, CUTS + 1):
            while not isinstance(events[-1], m.TtsChunk):
                events.append(await client.hear())
            network.cut()
            # What has come before that is heard first.
            while running.sessions.resumed < cuts:
                events.append(await client.hear())
        await heard_to_the_end(client, events)
        assert running.sessions.resumed == CUTS
    assert events[-1].outcome is Outcome.COMPLETED
    assert "".join(event.text for event in events if isinstance(event, m.Token)) == REPLY
    said = sum(event.samples for event in events if isinstance(event, m.TtsPhraseDone))
    chunks = [event for event in events if isinstance(event, m.TtsChunk)]
    samples = sum(len(chunk.pcm) // 2 for chunk in chunks)
    if codec is None:
        check_promises(events, to_the_end=True)
        assert samples == said
    else:
        # What an encoder had kept back is missing behind each cut, and nothing is heard twice.
        assert said - CUTS * RATE // 50 <= samples <= said
        ends = [chunk.first_sample + len(chunk.pcm) // 2 for chunk in chunks]
        assert all(end <= chunk.first_sample for end, chunk in zip(ends, chunks[1:], strict=False))


@pytest.mark.real
async def test_what_is_said_while_there_is_no_network_arrives_in_its_order():
    async with talking() as (client, network, running):
        events = [await client.hear()]
        await client.ask(m.Start(mode="hold"))
        network.is_down = True
        network.cut()
        await eventually(lambda: running.sessions.detached)

        async def speak():
            await client.speak(spoken(*WORDS) + silent(200), real_time=False)
            await client.ask(m.Stop())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(heard_to_the_end, client, events)
            nursery.start_soon(speak)
            await trio.sleep(0.3)
            network.is_down = False
        assert events[-1].outcome is Outcome.COMPLETED
        assert [event.text for event in events if isinstance(event, m.Final)] == [" ".join(WORDS)]
        assert not [event for event in events if isinstance(event, m.Error)]


@pytest.mark.real
async def test_where_the_server_ends_the_session_nobody_comes_back():
    async with talking(idle_timeout_s=0.2) as (client, _, running):
        with pytest.raises(SessionClosed):
            await client.wait_for(m.Done)
        with pytest.raises(SessionClosed):
            await client.ask(m.Text(text="Hello?"))
        assert running.sessions.resumed == 0


@pytest.mark.real
async def test_a_proxy_that_has_no_server_for_a_moment_is_asked_again():
    async with talking() as (client, network, running):
        await client.hear()
        network.answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
        network.cut()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.wait_for, m.Done)
            await eventually(lambda: network.refused)
            network.answer = None
            await client.ask(m.Text(text="Tell me."))
        assert running.sessions.resumed == 1


@pytest.mark.real
async def test_where_the_server_has_it_no_more_that_is_said():
    async with talking(resume_s=0.3) as (client, network, running):
        await client.hear()
        network.is_down = True
        network.cut()
        await eventually(lambda: not len(running.sessions))
        network.is_down = False
        with pytest.raises(SessionClosed):
            await client.hear()
        with pytest.raises(SessionClosed):
            await client.ask(m.Text(text="Hello?"))


@pytest.mark.real
async def test_who_is_interrupted_says_goodbye():
    async def leave(running, port):
        async with connect(f"http://127.0.0.1:{port}", resume=True) as client:
            await client.hear()
            assert len(running.sessions) == 2
            raise KeyboardInterrupt

    async with talking() as (client, _, running):
        await client.hear()
        with pytest.raises(KeyboardInterrupt):
            await leave(running, running.url.rpartition(":")[2])
        await eventually(lambda: len(running.sessions) == 1)


def test_what_the_server_has_is_not_sent_again():
    resumption = Resumption()
    for message in ("a", "b", "c"):
        resumption.keep(message)
    assert [resumption.lacking(received) for received in (3, 1, 0)] == [[], ["b", "c"], ["a", "b", "c"]]
    resumption.take_back()
    assert resumption.lacking(0) == ["a", "b"]
    for number in range(4000):
        resumption.keep(str(number))
    assert len(resumption.lacking(0)) == 3000
    # What was no longer there is not made up for by saying something twice.
    resumption.keep("later")
    assert resumption.lacking(3000) == ["later"]
