"""The one ASGI wrapper: what is decided about a request before Quart sees it."""

from __future__ import annotations

from typing import Any

from quart_trio import QuartTrio

from voice_trio.server.connections import Connections
from voice_trio.server.sessions import RETRY_AFTER_S

_BAD_REQUEST = 400
_TOO_MANY = 503


class Gate:
    """``app``, with each client under its own address, also behind a proxy, and only so many of them."""

    def __init__(self, app: QuartTrio, connections: Connections) -> None:
        self._app = app
        self._connections = connections

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if not scope["path"].startswith("/"):
            # Quart looks at the first character of it, and there may be none.
            await _refuse(scope, send, _BAD_REQUEST)
            return
        proxy = scope["client"][0] if scope["client"] else ""
        forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        address = self._connections.client_behind(proxy, forwarded)
        with self._connections.admit_address(address, exempt=address == proxy) as admitted:
            if admitted:
                scope["client"] = (address, 0)
                await self._app(scope, receive, send)
            else:
                await _refuse(scope, send, _TOO_MANY)


async def _refuse(scope: Any, send: Any, status: int) -> None:
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    if status == _TOO_MANY:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"", "more_body": False})
