"""Clients of /v1/realtime for tests: one that does as it is told, and OpenAI's own, in a thread with an event loop."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import openai
import trio
from trio_websocket import ConnectionClosed, wrap_client_stream

from tests.wire.realtime.contract import check


class Socket:
    """A WebSocket of /v1/realtime. Every event that comes is held against the contract."""

    def __init__(self, socket):
        self.socket = socket
        self.events = []

    async def send(self, kind, **fields):
        await self.socket.send_message(json.dumps({"type": kind, **fields}))

    async def append(self, pcm):
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def next(self):
        self.events.append(check(json.loads(await self.socket.get_message())))
        return self.events[-1]

    async def wait_for(self, kind, **fields):
        while True:
            event = await self.next()
            if event["type"] == kind and all(event.get(name) == value for name, value in fields.items()):
                return event

    async def closing(self):
        """Hear the server out; return the code and the reason with which it closes."""
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            return closed.reason.code, closed.reason.reason


@asynccontextmanager
async def dialled(running, path="/v1/realtime?model=gpt-realtime", *, key=None, subprotocols=(), headers=()):
    """Open a WebSocket by hand."""
    host, port = running.url.removeprefix("http://").split(":")
    sent = [*headers, (b"Authorization", f"Bearer {key}".encode())] if key is not None else [*headers]
    # The stream is ours, because trio-websocket leaves it open when the server closes first.
    async with await trio.open_tcp_stream(host, int(port)) as stream, trio.open_nursery() as nursery:
        socket = await wrap_client_stream(
            nursery, stream, f"{host}:{port}", path, extra_headers=sent, subprotocols=subprotocols or None
        )
        yield Socket(socket)
        nursery.cancel_scope.cancel()


async def under_asyncio(talk, *arguments):
    """Run the coroutine function ``talk`` where OpenAI's clients live."""
    return await trio.to_thread.run_sync(lambda: asyncio.run(talk(*arguments)), abandon_on_cancel=True)


def asyncio_client(running, key="any"):
    """Return OpenAI's client for asyncio, which asks nobody's proxy."""
    http = openai.DefaultAsyncHttpxClient(trust_env=False)
    return openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0, http_client=http)
