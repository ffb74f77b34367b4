"""Where a Prometheus asks for what a server counts: beside /api, or at a port of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import hypercorn.trio
import trio
from quart import Response, request
from quart_trio import QuartTrio

from voice_trio.config import Settings
from voice_trio.server.listening import hypercorn_config, listen, open_connections
from voice_trio.server.metrics import Metrics

METRICS_PATH: Final = "/metrics"


def add_metrics(app: QuartTrio, metrics: Metrics) -> None:
    """Have ``app`` answer with ``metrics``."""

    @app.get(METRICS_PATH)
    async def written() -> Response:
        body, content_type = metrics.written(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)


async def serve_metrics(
    settings: Settings,
    port: int,
    metrics: Metrics,
    stopped: Callable[[], Awaitable[None]],
    task_status: trio.TaskStatus[list[str]],
) -> None:
    """Answer at ``port`` with ``metrics`` and nothing else, until ``stopped`` returns. Raises `CannotListen`.

    It asks for no token and speaks no TLS: whoever sets the port says who can reach it.
    """
    app = QuartTrio(__name__, static_folder=None)
    add_metrics(app, metrics)
    at = settings.model_copy(update={"port": port, "insecure": True})
    config = hypercorn_config(at, listen(at, "STREAM_METRICS_PORT"), open_connections(at), None)
    await hypercorn.trio.serve(app, config, shutdown_trigger=stopped, mode="asgi", task_status=task_status)
