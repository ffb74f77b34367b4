"""From a signal to the end: who sends new clients here has time to notice."""

import signal

import pytest
import trio

from tests.commands import read_all, serve, talk_to
from tests.server.serving import get

pytestmark = pytest.mark.real

SETTINGS = {"STREAM_TTS_ENGINE": "espeak", "STREAM_LLM": "none", "STREAM_MEMORY": "off"}


async def logged(process, words):
    """Read the log until it has ``words``; return what was read."""
    log = ""
    while words not in log:
        data = await process.stderr.receive_some()
        assert data, log
        log += data.decode()
    return log


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP])
async def test_in_the_delay_it_is_not_ready_and_serves_as_ever_and_a_second_signal_ends_it(tmp_path, first):
    with trio.fail_after(120):
        async with serve(tmp_path, STREAM_SHUTDOWN_DELAY_S="600", **SETTINGS) as (process, _, url):
            assert (await get(url, "/readyz"))[0].startswith("HTTP/1.1 200")
            process.send_signal(first)
            await logged(process, "not ready any more")
            status, body = await get(url, "/readyz")
            assert status.startswith("HTTP/1.1 503")
            assert "about to stop" in body
            assert (await get(url, "/livez"))[0].startswith("HTTP/1.1 200")
            assert (await get(url, "/api/room"))[0].startswith("HTTP/1.1 200")
            await talk_to(url, tmp_path)
            # A terminal that closes and its shell each send one of these.
            process.send_signal(signal.SIGHUP)
            await talk_to(url, tmp_path)
            process.send_signal(signal.SIGTERM)
            log = await read_all(process.stderr)
            assert await process.wait() == 0
    assert "draining" not in log


async def test_after_the_delay_it_drains_and_ends(tmp_path):
    with trio.fail_after(60):
        async with serve(tmp_path, STREAM_SHUTDOWN_DELAY_S="0.3", **SETTINGS) as (process, _, _):
            process.send_signal(signal.SIGTERM)
            lines = (await read_all(process.stderr)).splitlines()
            assert await process.wait() == 0
    assert [word for line in lines for word in ("not ready", "draining") if word in line] == ["not ready", "draining"]
