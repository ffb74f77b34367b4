"""What a request holds until its answer is out: a place, engines, a task that makes the answer while it is sent.

Quart sends an answer after its handler has returned, so a handler's own ``async with`` is over by then. What is
entered into the stack of a request is left in the request's own task, when the answer is out or the client is gone.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import trio
from quart.wrappers import Request
from quart_trio.asgi import TrioASGIHTTPConnection

_HELD = "held"
"""Under this name a request's ``state`` holds its stack."""


class BrokenOff(Exception):
    """An answer cannot be given to its end: its connection is closed, so that the client knows."""


def held_by(request: Request) -> AsyncExitStack:
    """Return what is left when the answer to ``request`` is out, or will never be."""
    stack: AsyncExitStack = _state(request)[_HELD]
    return stack


def _state(request: Request) -> dict[str, Any]:
    """Return what is kept beside a request."""
    scope: Any = request.scope
    state: dict[str, Any] = scope.setdefault("state", {})
    return state


class HoldingConnection(TrioASGIHTTPConnection):
    """One request, with its stack."""

    async def handle_request(  # type: ignore[override]
        self, nursery: trio.Nursery, request: Request, send: Any
    ) -> None:
        """Answer ``request``, and leave what it held."""
        try:
            async with AsyncExitStack() as held:
                _state(request)[_HELD] = held
                await super().handle_request(nursery, request, send)
        except BrokenOff:
            # Hypercorn closes the connection of an answer that was not ended.
            nursery.cancel_scope.cancel()
