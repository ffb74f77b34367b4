"""How many, how long, how fast."""

from contextlib import suppress

import pytest
import trio

from tests.server.serving import closing, dial, eventually, get, read_to_end, serving, until, until_none
from voice_trio import config
from voice_trio.client import CannotConnect, SessionClosed, connect
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.core.rate import TokenBucket
from voice_trio.core.wire import CloseCode, Malformed
from voice_trio.engines.scripted import silent, voiced
from voice_trio.server.connections import Connections
from voice_trio.server.guard import GuardedLink
from voice_trio.session.link import MemoryLink

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
    assert caught.value.close_code == CloseCode.POLICY


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
            error = await until(client, m.Error)
            assert (error.code, error.recoverable) == (ErrorCode.PROTOCOL_VIOLATION, False)
            assert "too many messages" in error.message
            assert await closing(client) == 1008


# --- how long ---------------------------------------------------------------------------------------------------------


@real
async def test_an_idle_session_is_told_and_ended():
    with trio.fail_after(20):
        async with serving(idle_timeout_s=0.3) as running, connect(running.ws_url) as client:
            assert await until(client, m.Info, code=InfoCode.IDLE_TIMEOUT)
            assert await closing(client) == 1000


@real
async def test_a_session_with_a_turn_is_not_idle():
    with trio.fail_after(20):
        async with serving(idle_timeout_s=0.3) as running, connect(running.ws_url) as client:
            await client.ask(m.Start(mode="hold"))
            await trio.sleep(0.6)
            await client.ask(m.Cancel())
            await until(client, m.Done)
            await until(client, m.Info, code=InfoCode.IDLE_TIMEOUT)


@real
async def test_the_longest_session_ends_with_its_reply():
    with trio.fail_after(20):
        async with (
            serving(max_session_s=0.5, shutdown_grace_s=0.5) as running,
            connect(running.ws_url) as client,
        ):
            await client.ask(m.Text(text="hello"))
            info = await until(client, m.Info, code=InfoCode.SESSION_LIMIT)
            assert info.grace_s == 0.5
            await until(client, m.Done)
            assert await closing(client) == 1000


# --- how many ---------------------------------------------------------------------------------------------------------


@real
async def test_a_session_too_many_is_told_when_to_come_back():
    with trio.fail_after(20):
        async with serving(max_sessions=1) as running, connect(running.ws_url) as first:
            await until(first, m.SessionOpened)
            async with connect(running.ws_url) as second:
                error = await second.hear()
                assert (error.code, error.recoverable) == (ErrorCode.SERVER_BUSY, False)
                assert error.retry_after_s >= 1
                assert await closing(second) == 1013
            await first.ask(m.Text(text="still here"))
            await until(first, m.Token)


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
