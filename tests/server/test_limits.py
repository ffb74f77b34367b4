"""How many, how long, how fast."""

import json
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
import trio.testing

from tests.commands import COMMAND
from tests.server.serving import UPGRADE, closing, dial, eventually, get, read_to_end, serving, until_none, upgrade
from tools.raw_websocket import read_head
from voice_trio import config
from voice_trio.client import CannotConnect, ServerBusy, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.alerts import ToldAlert
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.core.rate import TokenBucket
from voice_trio.memory.in_process import InProcessStore
from voice_trio.server.connections import Connections
from voice_trio.server.guard import GuardedLink
from voice_trio.server.sessions import NO_ROOM, STOPPING, Sessions
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed, MemoryLink
from voice_trio.testing.scripted import scripted_engines, silent, voiced
from voice_trio.testing.talk import Talk

real = pytest.mark.real


# --- how fast ---------------------------------------------------------------------------------------------------------


def test_a_bucket_allows_a_burst_and_then_its_rate():
    bucket = TokenBucket(10, per_s=2)
    assert bucket.take(10, 0.0)
    assert not bucket.take(1, 0.4)
    assert bucket.take(1, 0.5)
    assert not bucket.take(11, 1000.0)
    assert bucket.take(10, 1000.0)


async def receive_all(commands, **settings):
    """Send ``commands`` (or seconds to wait) through a guarded link."""
    link = MemoryLink(capacity=100_000)
    guarded = GuardedLink(link, config.load(**settings))
    for command in commands:
        if isinstance(command, int | float):
            await trio.sleep(command)
        else:
            await link.ask(command)
            await guarded.receive()


async def test_one_full_utterance_may_come_at_once_and_no_more(autojump_clock):
    utterance = [m.Audio(voiced(1000))] * 35
    await receive_all([*utterance, 24, *utterance], max_utterance_ms=30_000)
    with pytest.raises(Malformed) as caught:
        await receive_all([*utterance, 20, *utterance], max_utterance_ms=30_000)
    assert caught.value.farewell is Farewell.FLOOD


async def test_what_sounds_may_be_said_before_each_message_and_is_no_sign_of_life(autojump_clock):
    spoken = [m.Sounding(), m.Audio(silent(20)), 0.02]
    await receive_all([*spoken, m.Played(turn=1, samples=0)] * 10 + spoken * 300)
    link = MemoryLink(capacity=100_000)
    guarded = GuardedLink(link, config.load())
    began = guarded.idle_since
    await trio.sleep(100)
    await link.ask(m.Sounding())
    await guarded.receive()
    assert guarded.idle_since == began
    with pytest.raises(Malformed):
        await receive_all([m.Sounding()] * 1_000)


async def test_an_endless_stream_at_the_speed_of_speech_is_welcome(autojump_clock):
    await receive_all([m.Audio(silent(8)), 0.008] * 20_000)


async def test_many_tiny_messages_are_a_flood(autojump_clock):
    with pytest.raises(Malformed):
        await receive_all([m.Audio(b"\0\0")] * 6000)


async def test_controls_come_at_a_bounded_rate(autojump_clock):
    await receive_all([m.Stop()] * 100)
    await receive_all([m.Stop(), 0.04] * 1000)
    with pytest.raises(Malformed):
        await receive_all([m.Stop()] * 101)


@real
async def test_a_flood_is_told_what_it_is():
    with trio.fail_after(20):
        async with serving() as running, connect(running.ws_url) as client:
            # It may be closed before the last of them.
            with suppress(SessionClosed):
                for _ in range(150):
                    await client.ask(m.Cancel())
            error = await client.wait_for(m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, False)
            assert "too many messages" in error.message
            assert await closing(client) == 1008


# --- how long ---------------------------------------------------------------------------------------------------------


@real
async def test_an_idle_session_is_told_and_ended():
    with trio.fail_after(20):
        async with serving(idle_timeout_s=0.3) as running, connect(running.ws_url) as client:
            assert await client.wait_for(m.Info, code=InfoCode.IDLE_TIMEOUT)
            assert await closing(client) == 1000


@real
async def test_a_session_with_a_turn_is_not_idle():
    with trio.fail_after(20):
        async with serving(idle_timeout_s=0.3) as running, connect(running.ws_url) as client:
            await client.ask(m.Start(mode="hold"))
            await trio.sleep(0.6)
            await client.ask(m.Cancel())
            await client.wait_for(m.Done)
            await client.wait_for(m.Info, code=InfoCode.IDLE_TIMEOUT)


async def test_who_waits_for_a_timer_is_not_idle(autojump_clock):
    link = MemoryLink()
    guarded = GuardedLink(link, config.load(idle_timeout_s=10, max_session_s=1000))
    waiting = m.Timers(timers=(ToldAlert(id="a", kind="timer", label="", left_ms=60_000),))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(guarded.send, waiting)
        assert await link.hear() == waiting
    with trio.move_on_after(60) as waited:
        await guarded.wait_enough()
    assert waited.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(guarded.send, m.Timers(timers=()))
        await link.hear()
    with trio.fail_after(21):
        assert await guarded.wait_enough() is InfoCode.IDLE_TIMEOUT


@real
async def test_the_longest_session_ends_with_its_reply():
    with trio.fail_after(20):
        async with (
            serving(max_session_s=0.5, shutdown_grace_s=0.5) as running,
            connect(running.ws_url) as client,
        ):
            await client.ask(m.Text(text="hello"))
            info = await client.wait_for(m.Info, code=InfoCode.SESSION_LIMIT)
            assert info.grace_s == 0.5
            await client.wait_for(m.Done)
            assert await closing(client) == 1000


# --- how many ---------------------------------------------------------------------------------------------------------


@real
@pytest.mark.parametrize("path", ["/ws", "/v1/realtime"])
async def test_a_session_too_many_is_refused_before_the_handshake_and_told_when_to_come_back(path):
    with trio.fail_after(20):
        async with serving(max_sessions=1) as running, connect(running.ws_url) as first:
            await first.wait_for(m.SessionOpened)
            stream, head = await upgrade(running, path=path)
            assert head.startswith("HTTP/1.1 503")
            assert "\r\nretry-after: 15\r\n" in head.lower()
            assert NO_ROOM.encode() in await read_to_end(stream), "the connection is closed behind it"
            assert running.sessions.refused == 1
            await first.ask(m.Text(text="still here"))
            await first.wait_for(m.Token)


@real
async def test_a_client_is_told_of_a_refused_handshake_in_the_servers_words():
    with trio.fail_after(20):
        async with serving(max_sessions=1) as running, connect(running.ws_url) as first:
            await first.wait_for(m.SessionOpened)
            with pytest.raises(ServerBusy) as caught:
                async with connect(running.ws_url):
                    pass
            assert (str(caught.value), caught.value.retry_after_s) == (NO_ROOM, 15)


@real
@pytest.mark.parametrize(
    ("more", "body", "message", "after_s"),
    [
        ("", '{"error": {"message": "Full.", "retry_after_s": 7}}', "Full.", 7),
        ("", json.dumps({"error": {"message": "x" * 9000, "retry_after_s": 7}}), "x" * 300, 7),
        ("Retry-After: 20\r\n", "<html>Service Unavailable</html>", "no server free", 20),
        ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", "", "no server free", None),
        (f"Retry-After: {'9' * 5000}\r\n", "{}", "no server free", None),
        ("", '{"error": {"message": "Full.", "retry_after_s": Infinity}}', "no server free", None),
        ("", '{"error": []}', "no server free", None),
        ("", '{"error":' * 5000, "no server free", None),
    ],
    ids=range(8),
)
async def test_whatever_refuses_a_handshake_with_503_there_is_no_room(more, body, message, after_s):
    async def refuse(stream):
        await read_head(stream)
        length = len(body.encode())
        head = f"HTTP/1.1 503 Service Unavailable\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        await stream.send_all(head.encode() + body.encode())
        await read_to_end(stream)

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(partial(trio.serve_tcp, refuse, 0, host="127.0.0.1"))
            with pytest.raises(ServerBusy, match=message) as caught:
                async with connect(f"http://127.0.0.1:{listener.socket.getsockname()[1]}"):
                    pass
            nursery.cancel_scope.cancel()
    assert len(str(caught.value)) <= 300
    assert caught.value.retry_after_s == after_s


@real
async def test_talk_says_so_and_could_not_begin(tmp_path):
    with trio.fail_after(60):
        async with serving(max_sessions=1) as running, connect(running.ws_url) as first:
            await first.wait_for(m.SessionOpened)
            talk = [*COMMAND, "talk", "--text", "hi", "--url", running.url]
            done = await trio.run_process(talk, cwd=tmp_path, check=False, capture_stdout=True, capture_stderr=True)
            assert (done.returncode, done.stdout) == (2, b"")
            assert NO_ROOM in done.stderr.decode()


@real
async def test_a_page_may_ask_why_its_handshake_failed():
    """A browser shows it neither the status nor the body of that."""
    with trio.fail_after(20):
        async with serving(max_sessions=1) as running:
            assert (await get(running.url, "/api/room"))[0].startswith("HTTP/1.1 200")
            async with connect(running.ws_url) as first:
                await first.wait_for(m.SessionOpened)
                status, body = await get(running.url, "/api/room")
                assert status.startswith("HTTP/1.1 503")
                error = json.loads(body)["error"]
                assert (error["code"], error["message"], error["retry_after_s"]) == ("SERVER_BUSY", NO_ROOM, 15)
                assert running.sessions.refused == 0, "to ask is to be refused nothing"


@real
async def test_of_many_handshakes_at_once_as_many_are_let_in_as_there_are_places():
    statuses = []

    async def come(running):
        _, head = await upgrade(running)
        statuses.append(head.split()[1])

    with trio.fail_after(30):
        async with serving(max_sessions=5) as running:
            async with trio.open_nursery() as nursery:
                for _ in range(30):
                    nursery.start_soon(come, running)
            assert sorted(statuses) == ["101"] * 5 + ["503"] * 25
            assert len(running.sessions) == 5


@real
async def test_a_handshake_that_fails_leaves_its_place():
    with trio.fail_after(30):
        async with serving(max_sessions=1) as running:
            for _ in range(10):
                stream = await dial(running)
                await stream.send_all((UPGRADE + "\r\n").encode())
                await stream.aclose()
                await until_none(running)
                assert len(running.sessions) == 0
            async with connect(running.ws_url) as client:
                await client.wait_for(m.SessionOpened)


async def test_who_loses_the_seat_during_the_handshake_is_told_in_the_socket(autojump_clock):
    async with a_house(max_sessions=2, sessions_per_address=1) as (sessions, nursery):
        await sit_down(sessions, nursery, "192.0.2.1", m.Start(mode="hold"))
        async with sessions.seat("192.0.2.1") as seat:
            _, greeting = await sit_down(sessions, nursery, "192.0.2.2")
            assert isinstance(greeting, m.SessionOpened)
            assert len(sessions) == 2
            link = MemoryLink(capacity=10)
            await sessions.hold(link, seat)
        refused = await link.hear()
        assert isinstance(refused, m.Error)
        assert (refused.code, refused.message, refused.retry_after_s) == (ErrorCode.SERVER_BUSY, NO_ROOM, 15)
        assert link.closed == (Farewell.NO_ROOM, "busy")


async def test_who_is_let_in_as_the_server_stops_is_told_so(autojump_clock):
    async with a_house() as (sessions, _), sessions.seat("192.0.2.1") as seat:
        await sessions.drain()
        link = MemoryLink(capacity=10)
        await sessions.hold(link, seat)
        error = await link.hear()
        assert isinstance(error, m.Error)
        assert error.message == STOPPING
        with pytest.raises(Refused, match=STOPPING):
            async with sessions.seat("192.0.2.2"):
                pass


async def sit_down(sessions, nursery, address, *commands):
    """Begin a session from ``address``, and return its link once it was greeted and was told ``commands``.

    With it comes the greeting, or the refusal.
    """
    link = MemoryLink(capacity=1000)

    async def begin(task_status):
        try:
            async with sessions.seat(address) as seat:
                task_status.started()
                await sessions.hold(link, seat)
        except Refused as refused:
            task_status.started(refused)

    if (refused := await nursery.start(begin)) is not None:
        return link, refused
    first = await link.hear()
    for command in commands:
        await link.ask(command)
    await trio.testing.wait_all_tasks_blocked()
    return link, first


@asynccontextmanager
async def a_house(**settings):
    """Yield sessions without sockets, in a nursery that is cancelled at the end."""
    engines = scripted_engines()
    async with trio.open_nursery() as nursery:
        yield Sessions(config.load(log_latency=False, **settings), lambda: engines, InProcessStore()), nursery
        nursery.cancel_scope.cancel()


async def test_one_address_may_have_every_place_and_makes_way_for_another(autojump_clock):
    async with a_house(max_sessions=6, sessions_per_address=2) as (sessions, nursery):
        links = []
        for _ in range(6):
            links.append((await sit_down(sessions, nursery, "192.0.2.1"))[0])
            await trio.sleep(1)
        _, refused = await sit_down(sessions, nursery, "::ffff:192.0.2.1")
        assert (refused.code, refused.retry_after_s) == (ErrorCode.SERVER_BUSY, 15)
        _, greeting = await sit_down(sessions, nursery, "192.0.2.2")
        assert isinstance(greeting, m.SessionOpened)
        # Who has been idle longest is told why, and to come back later.
        talk = Talk(links[0])
        nursery.start_soon(talk.collect)
        info = await talk.wait_for(m.Info, code=InfoCode.PLACE_NEEDED)
        assert "needed for somebody else" in info.message
        await trio.sleep(1)
        assert [link.closed for link in links] == [(Farewell.PLACE_NEEDED, "place_needed")] + 5 * [None]
        assert len(sessions) == 6


async def test_who_talks_is_cut_off_last_and_only_for_who_has_less_than_a_share(autojump_clock):
    async with a_house(max_sessions=6, sessions_per_address=1) as (sessions, nursery):
        start = m.Start(mode="hold")
        talking = [(await sit_down(sessions, nursery, "192.0.2.1", start))[0] for _ in range(5)]
        idle, _ = await sit_down(sessions, nursery, "192.0.2.1")
        # One that is new to the server gets the idle place, the next of the same network none, and another network one.
        for address, gets in (("2001:db8::1", True), ("2001:db8::2", False), ("2001:db8:0:1::1", True)):
            _, first = await sit_down(sessions, nursery, address, start)
            assert isinstance(first, m.SessionOpened) is gets
        await trio.sleep(1)
        assert idle.closed
        assert [bool(link.closed) for link in talking] == [False] * 4 + [True]
        talk = Talk(talking[-1])
        nursery.start_soon(talk.collect)
        assert (await talk.wait_for(m.Done)).outcome is m.Outcome.CANCELLED


@real
async def test_the_address_that_counts_is_the_one_that_a_trusted_proxy_names():
    with trio.fail_after(20):
        async with serving(max_sessions=2, trusted_proxies="127.0.0.0/8") as running:
            clients = ("198.51.100.1", "198.51.100.1", "198.51.100.1", "198.51.100.2:4711")
            heads = [(await upgrade(running, f"X-Forwarded-For: {client}\r\n"))[1] for client in clients]
            assert [head.split()[1] for head in heads] == ["101", "101", "503", "101"]


@real
async def test_idle_connections_are_capped_cut_and_leave_nothing():
    with trio.fail_after(30):
        async with serving(max_connections_per_address=20) as running:
            streams = [await dial(running) for _ in range(60)]
            await eventually(lambda: not (running.connections.incidents["refused"] < 40))
            assert len(running.connections) == 20
            for stream in streams[20:]:
                assert (await read_to_end(stream)).startswith(b"HTTP/1.1 503")
            for stream in streams:
                await stream.aclose()
            await until_none(running)
            assert (await get(running.url, "/livez"))[0].startswith("HTTP/1.1 200")


@real
async def test_behind_a_proxy_each_client_counts_for_itself():
    with trio.fail_after(20):
        async with serving(max_connections_per_address=1, trusted_proxies="127.0.0.0/8") as running:
            stream = await dial(running)
            # It has no address of its own yet, and holds nobody's place.
            assert (await ask_for(running, "198.51.100.1")).startswith(b"HTTP/1.1 200")
            assert (await ask_for(running, "198.51.100.2")).startswith(b"HTTP/1.1 200")
            await stream.aclose()
        async with serving(max_connections_per_address=1) as running:
            await dial(running)
            with pytest.raises(CannotConnect):
                async with connect(running.ws_url):
                    pass


async def ask_for(running, client):
    stream = await dial(running)
    head = f"GET /livez HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"
    await stream.send_all(head.encode())
    return await read_to_end(stream)


def test_only_what_trusted_proxies_say_counts():
    connections = Connections(10, 1, "127.0.0.1, 10.0.0.0/8")
    assert connections.client_behind("203.0.113.9", ["198.51.100.1"]) == "203.0.113.9"
    assert connections.client_behind("127.0.0.1", ["198.51.100.1"]) == "198.51.100.1"
    assert connections.client_behind("127.0.0.1", ["1.2.3.4, 198.51.100.1", "10.1.2.3"]) == "198.51.100.1"
    assert connections.client_behind("127.0.0.1", []) == "127.0.0.1"
    with connections.admit_address("198.51.100.1") as one, connections.admit_address("198.51.100.1") as other:
        assert (one, other) == (True, False)
    with connections.admit_address("198.51.100.1") as again:
        assert again
