"""What a server with Whisper in it holds in memory: loaded, with a session, with more, and after many utterances."""

from __future__ import annotations

import trio

from tools.asr_bench import models
from tools.asr_bench.speakers import clips
from tools.own_server import OwnServer, own_server
from voice_trio.client import Client, connect
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE

_MESSAGE = SAMPLE_RATE * 60 // 1000 * BYTES_PER_SAMPLE
_MORE = 20


async def _utter(client: Client, pcm: bytes) -> None:
    """Say something faster than anybody could; the reply is cancelled."""
    await client.ask(m.Start(mode="hold"))
    for at in range(0, len(pcm), _MESSAGE):
        await client.ask(m.Audio(pcm[at : at + _MESSAGE]))
    await client.ask(m.Stop())
    while True:
        event = await client.hear()
        match event:
            case m.Final():
                await client.ask(m.Cancel())
            case m.Done():
                return


async def _resident_mb(server: OwnServer) -> float:
    return (await server.vitals()).rss_bytes / 1e6


async def measure(utterances: int) -> None:
    """Measure and print."""
    shape = models.shape("small")
    question = clips()[2]
    async with (
        own_server(
            "speaking",
            model_whisper=str(shape),
            asr_engine="faster-whisper",
            asr_context="short",
            asr_workers=1,
            memory="off",
        ) as server,
        connect(server.ws_url) as first,
    ):
        loaded = await _resident_mb(server)
        for _ in range(5):
            await _utter(first, question)
        one = await _resident_mb(server)
        vitals = await server.vitals()
        print(
            f"5. resident, small int8, short, one worker: {loaded:.0f} MB loaded, {one:.0f} MB with a live session "
            f"(limit 500), beside {vitals.processes} worker processes"
        )
        async with trio.open_nursery() as nursery:
            more = [await _open(server, nursery) for _ in range(_MORE)]
            for client in more:
                await _utter(client, question)
            with_more = await _resident_mb(server)
            print(f"   each of {_MORE} sessions more: {(with_more - one) / _MORE:.1f} MB (limit 2)")
            half = 0.0
            for at in range(utterances):
                # In turn, as a session that sends audio faster than anybody speaks is ended.
                await _utter(more[at % _MORE], question[: 2 * SAMPLE_RATE])
                if at == utterances // 2:
                    half = await _resident_mb(server)
            end = await _resident_mb(server)
            print(f"   {utterances} utterances: {half:.0f} MB after half of them, {end:.0f} MB after all")
            nursery.cancel_scope.cancel()


async def _open(server: OwnServer, nursery: trio.Nursery) -> Client:
    opened: list[Client] = []
    ready = trio.Event()

    async def hold() -> None:
        async with connect(server.ws_url) as client:
            opened.append(client)
            ready.set()
            await trio.sleep_forever()

    nursery.start_soon(hold)
    await ready.wait()
    return opened[0]
