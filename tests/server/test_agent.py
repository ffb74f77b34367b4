"""What HAProxy's agent-check is told at a port of its own."""

import socket

import pytest
import trio

from tests.server.serving import closing, read_to_end, serving
from tools.free_port import free_port
from voice_trio.client import connect
from voice_trio.config import variable
from voice_trio.core import messages as m
from voice_trio.core.errors import first_leaf
from voice_trio.server.listening import CannotListen

pytestmark = pytest.mark.real


async def told(port, said=b""):
    """Return what is said to one who connects, to the end, and may have sent something."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        if said:
            await stream.send_all(said)
        return await read_to_end(stream)


async def test_it_says_how_many_places_are_free_and_never_nothing():
    port = free_port()
    with trio.fail_after(60):
        async with serving(agent_port=port, max_sessions=3, auth_token="a token of some length") as running:
            assert await told(port) == b"ready up 100%\n"
            assert await told(port, b"what a proxy may send first\n") == b"ready up 100%\n"
            lines = []
            async with connect(running.ws_url, token="a token of some length") as first:
                await first.wait_for(m.SessionOpened)
                lines.append(await told(port))
                async with connect(running.ws_url, token="a token of some length") as second:
                    await second.wait_for(m.SessionOpened)
                    lines.append(await told(port))
                    async with connect(running.ws_url, token="a token of some length") as third:
                        await third.wait_for(m.SessionOpened)
                        lines.append(await told(port))
            assert lines == [b"ready up 66%\n", b"ready up 33%\n", b"ready up 1%\n"]
            await running.sessions.wait_empty()
            running.sessions.leaving = True
            assert await told(port) == b"drain\n"


async def test_it_says_so_until_the_last_reply_is_over():
    port = free_port()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            stop = trio.Event()

            async def serve(task_status):
                async with serving(agent_port=port, shutdown_grace_s=10) as running:
                    task_status.started(running)
                    await stop.wait()

            running = await nursery.start(serve)
            async with connect(running.ws_url) as client:
                await client.ask(m.Text(text="hello"))
                await client.wait_for(m.TtsChunk)
                stop.set()
                await client.wait_for(m.Info)
                assert await told(port) == b"drain\n"
                await client.ask(m.Cancel())
                assert await closing(client) == 1001
        with pytest.raises(OSError, match="connect"):
            await told(port)


async def test_who_does_not_go_away_holds_up_nobody_until_there_are_too_many():
    port = free_port()
    with trio.fail_after(60):
        async with serving(agent_port=port):
            stuck = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(80)]
            lines = [await read_to_end(stream) for stream in stuck]
            assert lines == [b"ready up 100%\n"] * 64 + [b""] * 16
            for stream in stuck:
                await stream.aclose()
            assert await told(port) == b"ready up 100%\n"


@pytest.mark.parametrize("name", ["agent_port", "metrics_port"])
async def test_a_port_that_is_taken_is_one_sentence(name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExceptionGroup) as caught:
            async with serving(**{name: port}):
                pass
    error = first_leaf(caught.value)
    assert isinstance(error, CannotListen)
    assert f"port {port}: Address already in use. Choose another address with STREAM_HOST and STREAM_" in str(error)
    assert variable(name) in str(error)
