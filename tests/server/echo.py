"""A server that says back whatever it is told: the real one below its routes, for those who test WebSockets as such."""

from contextlib import asynccontextmanager

import hypercorn.trio
import trio
from quart import websocket
from quart_trio import QuartTrio

from voice_trio import config
from voice_trio.server.gate import Gate
from voice_trio.server.hypercorn.install import install
from voice_trio.server.listening import hypercorn_config, listen, open_connections


@asynccontextmanager
async def serving_echo():
    """Yield the address of /echo, and the register of its server's connections."""
    install()
    settings = config.load(port=0)
    connections = open_connections(settings)
    listening = listen(settings)
    port = listening[0].getsockname()[1]
    hypercorn_settings = hypercorn_config(settings, listening, connections, None)
    # The first ping comes at once, and the cases take for wrong what they did not ask for.
    hypercorn_settings.websocket_ping_interval = None
    app = Gate(_echo_app(), connections)
    async with trio.open_nursery() as nursery:
        serve = hypercorn.trio.serve

        async def start(task_status):
            await serve(app, hypercorn_settings, mode="asgi", task_status=task_status)

        await nursery.start(start)
        yield f"ws://127.0.0.1:{port}/echo", connections
        connections.abort_all()
        nursery.cancel_scope.cancel()


def _echo_app():
    app = QuartTrio(__name__)

    @app.websocket("/echo")
    async def echo():
        while True:
            data = await websocket.receive()
            # An empty binary message arrives as None.
            await websocket.send(b"" if data is None else data)

    return app
