"""A Quart-Trio WebSocket handler that does as little as one can, for comparison: it hears and understands nothing.

It stands on Hypercorn as it comes, with the settings that our server gives it. To `start` it plays the messages that
our server said in the same conversation, each at the time at which it came.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import hypercorn.trio
import trio
from quart import websocket
from quart_trio import QuartTrio

from voice_trio.config import Settings
from voice_trio.server.listening import hypercorn_config, listen, open_connections

Script = Sequence[tuple[float, str, str]]
"""Seconds after `start`, "text" or "base64", and the message."""


@asynccontextmanager
async def open_bare_server(settings: Settings, script: Script) -> AsyncIterator[str]:
    """Serve, and yield the address of its one WebSocket."""
    messages = [(at, base64.b64decode(data) if kind == "base64" else data) for at, kind, data in script]
    listening = listen(settings)
    port = listening[0].getsockname()[1]
    hypercorn_settings = hypercorn_config(settings, listening, open_connections(settings), None)
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[list[str]]) -> None:
            await hypercorn.trio.serve(_app(messages), hypercorn_settings, mode="asgi", task_status=task_status)

        await nursery.start(serve)
        yield f"ws://127.0.0.1:{port}/ws"
        nursery.cancel_scope.cancel()


def _app(messages: Sequence[tuple[float, str | bytes]]) -> QuartTrio:
    app = QuartTrio(__name__)

    @app.websocket("/ws")
    async def ws() -> None:
        async with trio.open_nursery() as nursery:
            while True:
                data = await websocket.receive()
                if isinstance(data, str) and '"start"' in data:
                    nursery.start_soon(play)

    async def play() -> None:
        began_at = trio.current_time()
        for at, data in messages:
            await trio.sleep_until(began_at + at)
            await websocket.send(data)

    return app
