"""Sessions that outlive their sockets, over real ones that are cut."""

import json
import struct
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
import structlog
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, wrap_client_stream
from wsproto.utilities import LocalProtocolError

from tests.server.serving import eventually
from tests.server.test_metrics import asked, read
from voice_trio import config
from voice_trio.core import messages as m
from voice_trio.core.errors import first_leaf
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.server.access import subprotocols_with
from voice_trio.server.resumption import Asked
from voice_trio.server.run import open_server
from voice_trio.testing.promises import check_promises
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
)
from voice_trio.wire import native
from voice_trio.wire.opus.speech import is_packets

REPLY = "A reply that takes a moment. And one more sentence."


@asynccontextmanager
async def short(settings):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=[REPLY])] * 10)
    yield scripted_engines(language_model=model, synthesizer=ScriptedSynthesizer(char_ms=40))


@asynccontextmanager
async def serving(**settings):
    async with open_server(config.load(port=0, **settings), short) as running:
        yield running


class Peer:
    """One client, over one connection after another. ``raw`` are the texts that came, ``events`` what they say."""

    def __init__(self, running, *, offers=("voice-trio",)):
        self._running = running
        self._offers = offers
        self.raw, self.events, self.sounds = [], [], []
        self.seq = 0
        self.token = None
        self.greeting = None
        self.code = None
        """What the last connection was closed with."""

    @asynccontextmanager
    async def connection(self, resume=None):
        """Connect anew, to the same session if there is one; ``resume`` is what is offered instead."""
        offer = resume or ("resume" if self.token is None else f"resume.{self.seq}.{self.token}")
        host, port = self._running.url.split("://")[1].rsplit(":", 1)
        stream = await trio.open_tcp_stream(host, int(port))
        # The stream is ours, because trio-websocket leaves it open when the server closes first.
        try:
            async with stream, trio.open_nursery() as nursery:
                offered = [*self._offers, *([offer] if offer != "none" else [])]
                self._socket = await wrap_client_stream(nursery, stream, host, "/ws", subprotocols=offered)
                self._stream = stream
                yield self
                nursery.cancel_scope.cancel()
        except* LocalProtocolError:
            # trio-websocket answers a ping while it closes, and wsproto refuses that.
            pass

    async def hear(self):
        message = await self._socket.get_message()
        event = native.decode_event(message)
        if isinstance(message, str):
            self.raw.append(json.loads(message))
        else:
            self.sounds.append(message)
        if isinstance(event, m.SessionOpened):
            self.greeting = event
            if event.resumed:
                return event
            self.token, self.seq = event.resume, 0
        self.seq += 1
        if isinstance(message, str) and self.token is not None:
            assert self.raw[-1]["seq"] == self.seq
        self.events.append(event)
        return event

    async def wait_for(self, kind):
        while not isinstance(event := await self.hear(), kind):
            pass
        return event

    async def refusal(self):
        """Return what is said in place of a greeting."""
        return native.decode_event(await self._socket.get_message())

    async def ask(self, command):
        await self._socket.send_message(native.encode_command(command))

    async def cut(self):
        """Reset the connection."""
        self._stream.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
        await trio.aclose_forcefully(self._stream)

    async def leave(self):
        await self._socket.aclose()


async def closed_with(peer):
    try:
        while True:
            await peer.hear()
    except ConnectionClosed as closed:
        return closed.reason.code


async def test_a_reply_is_heard_to_its_end_once_over_connections_that_are_reset():
    async with serving() as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.ask(m.Text(text="Tell me."))
            await peer.wait_for(m.TtsChunk)
            await peer.cut()
        for _ in range(3):
            await eventually(lambda: running.sessions.detached)
            async with peer.connection():
                assert (await peer.hear()).resumed is True
                await peer.wait_for(m.TtsChunk)
                await peer.cut()
        async with peer.connection():
            done = await peer.wait_for(m.Done)
            assert (done.outcome, done.remembered, done.heard) == (Outcome.COMPLETED, True, len(REPLY))
            await peer.leave()
        check_promises(peer.events, to_the_end=True)
        samples = sum(len(event.pcm) // 2 for event in peer.events if isinstance(event, m.TtsChunk))
        said = [event.samples for event in peer.events if isinstance(event, m.TtsPhraseDone)]
        assert samples == sum(said)
        assert "".join(event.text for event in peer.events if isinstance(event, m.Token)) == REPLY
        assert running.sessions.resumed == 4
        await eventually(lambda: not len(running.sessions))


async def test_a_client_that_says_goodbye_is_not_waited_for():
    async with serving() as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.wait_for(m.SessionOpened)
            await peer.leave()
        with trio.fail_after(5):
            await eventually(lambda: not len(running.sessions))


async def test_a_client_that_does_not_come_back_is_forgotten_and_told_so():
    async with serving(resume_s=0.3) as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.wait_for(m.SessionOpened)
            await peer.cut()
        with trio.fail_after(5):
            await eventually(lambda: not len(running.sessions))
        first = peer.greeting
        async with peer.connection():
            await peer.wait_for(m.SessionOpened)
            assert peer.greeting.resumed is False
            assert peer.greeting.session != first.session
            # What is remembered of the conversation is there.
            await peer.ask(m.Text(text="Go on.", conversation=first.conversation))
            assert (await peer.wait_for(m.Done)).outcome is Outcome.COMPLETED
            await peer.leave()


async def test_what_is_no_longer_there_is_told_and_the_conversation_goes_on():
    async with serving() as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.wait_for(m.SessionOpened)
            await peer.ask(m.Text(text="Tell me."))
            await peer.wait_for(m.TtsChunk)
            await peer.cut()
        first = peer.greeting
        async with peer.connection(resume=f"resume.99999.{peer.token}"):
            await peer.wait_for(m.SessionOpened)
            assert peer.greeting.resumed is False
            await peer.ask(m.Text(text="Go on.", conversation=first.conversation))
            assert (await peer.wait_for(m.Done)).outcome is Outcome.COMPLETED
            await peer.leave()
        await eventually(lambda: not len(running.sessions))


async def test_a_second_connection_takes_over():
    async with serving() as running:
        first = Peer(running)
        async with first.connection():
            await first.wait_for(m.SessionOpened)
            second = Peer(running)
            second.token, second.seq = first.token, first.seq
            async with second.connection():
                assert (await second.hear()).resumed is True
                assert await closed_with(first) == 4001
                await second.ask(m.Text(text="Tell me."))
                assert (await second.wait_for(m.Done)).outcome is Outcome.COMPLETED
                await second.leave()


async def test_a_session_without_a_connection_has_its_place_and_is_counted():
    async with serving(max_sessions=1) as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.wait_for(m.SessionOpened)
            await peer.cut()
        await eventually(lambda: running.sessions.detached)
        metrics = read(await asked(running.url))
        assert (metrics["voice_trio_sessions",], metrics["voice_trio_sessions_detached",]) == (1, 1)
        with pytest.raises(ExceptionGroup) as refused:
            async with Peer(running).connection():
                pass
        why = first_leaf(refused.value)
        assert isinstance(why, ConnectionRejected)
        assert why.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        async with peer.connection():
            assert (await peer.hear()).resumed is True
            metrics = read(await asked(running.url))
            assert metrics["voice_trio_sessions_detached",] == 0
            assert metrics["voice_trio_sessions_resumed_total",] == 1
            await peer.leave()


async def test_sound_is_coded_as_it_was_on_the_connection_before():
    async with serving() as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.ask(m.Text(text="Tell me.", codec="opus"))
            while not peer.sounds:
                await peer.hear()
            await peer.cut()
        before = len(peer.sounds)
        async with peer.connection():
            assert (await peer.hear()).resumed is True
            await peer.wait_for(m.Done)
            assert len(peer.sounds) > before
            assert all(map(is_packets, peer.sounds))
            await peer.leave()


async def test_a_session_that_cannot_be_made_ends_no_other():
    made = 0

    def fragile():
        nonlocal made
        made += 1
        if made == 2:
            raise RuntimeError("the detector is out of memory")
        return found[0]()

    @asynccontextmanager
    async def engines(settings):
        async with short(settings) as usual:
            found.append(usual.new_detector)
            yield replace(usual, new_detector=fragile)

    found: list[Callable[[], Any]] = []
    with structlog.testing.capture_logs() as logs:
        async with open_server(config.load(port=0), engines) as running:
            first, second = Peer(running), Peer(running)
            async with first.connection():
                await first.wait_for(m.SessionOpened)
                async with second.connection():
                    assert await closed_with(second) == 1011
                await first.ask(m.Text(text="Tell me."))
                assert (await first.wait_for(m.Done)).outcome is Outcome.COMPLETED
                await first.leave()
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["session crashed"]


async def test_who_comes_back_pays_for_what_is_said_again():
    async with serving() as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.ask(m.Text(text="Tell me."))
            await peer.wait_for(m.Done)
            sounds = len(peer.sounds)
            (line,) = [one.line for one in running.sessions._live]
            assert line.sounds_after(0) == sounds > 3
            assert line.sounds_after(peer.seq) == 0
            await peer.leave()


async def test_a_server_that_stops_does_not_wait_for_who_is_away():
    async with serving(shutdown_grace_s=30) as running:
        peer = Peer(running)
        async with peer.connection():
            await peer.ask(m.Text(text="Tell me."))
            await peer.wait_for(m.TtsChunk)
            await peer.cut()
        await eventually(lambda: running.sessions.detached)
        stopped_at = trio.current_time()
    assert trio.current_time() - stopped_at < 5


async def test_who_is_there_hears_a_reply_out_when_the_server_stops():
    peer = Peer(None)
    async with trio.open_nursery() as nursery:

        async def hear_out():
            async with peer.connection():
                await peer.ask(m.Text(text="Tell me."))
                await peer.wait_for(m.TtsChunk)
                begun.set()
                peer.code = await closed_with(peer)

        begun = trio.Event()
        async with serving() as running:
            peer._running = running
            nursery.start_soon(hear_out)
            await begun.wait()
    assert [event.outcome for event in peer.events if isinstance(event, m.Done)] == [Outcome.COMPLETED]
    assert peer.code == 1001


async def test_without_time_to_come_back_all_is_as_for_clients_that_do_not_ask():
    async with serving(resume_s=0) as running:
        greetings = []
        for offer in ("none", "resume", "resume.3.abc"):
            peer = Peer(running)
            async with peer.connection(resume=offer):
                await peer.wait_for(m.SessionOpened)
                await peer.cut()
            await eventually(lambda: not len(running.sessions))
            greetings.append({*peer.raw[0]})
    assert greetings[0] == greetings[1] == greetings[2]


async def test_who_does_not_ask_sees_nothing_of_it_and_is_not_waited_for():
    async with serving() as running:
        peer = Peer(running)
        async with peer.connection(resume="none"):
            await peer.ask(m.Text(text="Tell me."))
            await peer.wait_for(m.TtsChunk)
            await peer.cut()
        assert {"resume", "resume_s", "resumed", "received", "seq"} & {
            name for text in peer.raw for name in text
        } == set()
        with trio.fail_after(5):
            await eventually(lambda: not len(running.sessions))


async def test_the_name_of_a_session_is_no_token_of_the_server():
    async with serving(auth_token="sesame") as running:
        peer = Peer(running, offers=subprotocols_with("sesame"))
        async with peer.connection():
            await peer.wait_for(m.SessionOpened)
            await peer.cut()
        stranger = Peer(running)
        stranger.token, stranger.seq = peer.token, peer.seq
        async with stranger.connection():
            assert (await stranger.refusal()).code is ErrorCode.UNAUTHORIZED
        async with peer.connection():
            assert (await peer.hear()).resumed is True
            await peer.leave()


async def test_the_name_of_a_session_is_not_logged():
    with structlog.testing.capture_logs() as logs:
        async with serving(log_level="DEBUG") as running:
            peer = Peer(running)
            async with peer.connection():
                await peer.ask(m.Text(text="Tell me."))
                await peer.wait_for(m.TtsChunk)
                await peer.cut()
            await eventually(lambda: running.sessions.detached)
            async with peer.connection():
                await peer.wait_for(m.Done)
                await peer.leave()
    assert logs
    assert peer.token not in repr(logs)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ([], None),
        (["voice-trio"], None),
        (["voice-trio", "resume"], Asked()),
        (["resume.17.ab_-9"], Asked("ab_-9", 17)),
        (["resume.17"], None),
        (["resume.x.abc"], None),
        (["resume.1.a b"], None),
        (["resume.1." + "a" * 101], None),
    ],
)
def test_what_is_asked_is_read_from_what_is_offered(offered, expected):
    assert Asked.of(offered) == expected
