"""A reader that stops, on a real socket: what is kept for it stays small, and it is let go."""

import gc
import tracemalloc
from contextlib import asynccontextmanager

import pytest
import trio

from tests.server.serving import TEXT, eventually, frame, upgrade
from voice_trio import config
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedSynthesizer, scripted_engines

pytestmark = pytest.mark.real

MOST_BYTES = 2_000_000


@asynccontextmanager
async def endless(settings):
    """Engines whose reply does not end, and is spoken in no time: as much as anybody would take."""
    reply = ScriptedReply(tokens=["A sentence that goes on. "] * 20_000, token_s=0.0)
    yield scripted_engines(
        language_model=ScriptedLanguageModel(replies=[reply]), synthesizer=ScriptedSynthesizer(char_ms=1, speak_s=0.0)
    )


async def test_a_reader_that_stops_costs_little_and_is_let_go():
    with trio.fail_after(60):
        async with open_server(config.load(port=0, send_timeout_s=2, memory="off"), endless) as running:
            stream, _ = await upgrade(running, SO_RCVBUF=4096)
            await eventually(lambda: len(running.sessions) == 1)
            gc.collect()
            tracemalloc.start()
            try:
                await stream.send_all(frame(TEXT, b'{"type":"text","text":"go on"}'))
                most = 0
                while len(running.sessions):
                    await trio.sleep(0.05)
                    most = max(most, tracemalloc.get_traced_memory()[0])
            finally:
                tracemalloc.stop()
    assert most < MOST_BYTES
