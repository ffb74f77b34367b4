"""`POST /api/engines/KIND/fetch`: an answer that tells line by line how far an engine's weights have come.

Whoever closes the request ends the fetch: it lives in the answer's own scope.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

import trio
from quart import Response
from quart.wrappers.response import ResponseBody

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.fetching import Far, Fetch, fetching
from voice_trio.entry_points import Kind
from voice_trio.server.engine_list import without_paths
from voice_trio.server.json_http import HttpError
from voice_trio.wire.native import plain

_CONFLICT = 409
_RETRY_AFTER_S = 5

_SAY_EVERY_S = 10.0
"""What lies between here and the page may hang up on an answer that says nothing for longer."""


class Fetches:
    """Those that are under way: at most one of an engine."""

    def __init__(self, settings: Settings, fetched: Callable[[], None]) -> None:
        """``fetched`` is called when one is over, whatever came of it."""
        self.settings = settings
        self.fetched = fetched
        self._under_way: set[tuple[Kind, str]] = set()

    def has(self, kind: Kind, engine: str) -> bool:
        """Return whether the weights of ``engine`` are being fetched."""
        return (kind, engine) in self._under_way

    def check(self, kind: Kind, engine: str) -> None:
        """Raise `HttpError` where they are."""
        if self.has(kind, engine):
            raise HttpError(_CONFLICT, _under_way())

    def take(self, kind: Kind, engine: str) -> None:
        """Begin one, which `let_go` ends. Raises `HttpError` where there is one already."""
        self.check(kind, engine)
        self._under_way.add((kind, engine))

    def let_go(self, kind: Kind, engine: str) -> None:
        """End one."""
        self._under_way.remove((kind, engine))
        self.fetched()

    def answer(self, kind: Kind, engine: str, model: str, failed: ErrorCode) -> Response:
        """Return the answer that fetches ``model`` of ``engine``. Raises `HttpError` where another one does.

        Each of its lines is a JSON object: ``done`` and ``total`` in bytes, at the end ``fetched`` or an ``error`` of
        code ``failed``.
        """
        self.check(kind, engine)
        response = Response(_Lines(self, kind, engine, model, failed), mimetype="application/x-ndjson")
        response.timeout = None
        # A proxy that collects an answer before it hands it on would show no progress.
        response.headers["X-Accel-Buffering"] = "no"
        return response


class _Lines(ResponseBody):
    """Steps through the lines of one fetch. Not a generator, so that it ends when its context does."""

    def __init__(self, fetches: Fetches, kind: Kind, engine: str, model: str, failed: ErrorCode) -> None:
        self._fetches = fetches
        self._of = kind, engine
        self._model = model
        self._failed = failed
        self._context = AsyncExitStack()
        self._fetch: Fetch | None = None
        self._told = Far(0, 0)
        self._said_all = False

    async def __aenter__(self) -> _Lines:
        try:
            self._fetches.take(*self._of)
        except HttpError:
            # Another one began after the answer did.
            return self
        self._context.callback(self._fetches.let_go, *self._of)
        _, engine = self._of
        self._fetch = await self._context.enter_async_context(fetching(engine, self._model, self._fetches.settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._context.__aexit__(kind, error, trace)

    def __aiter__(self) -> _Lines:
        return self

    async def __anext__(self) -> bytes:
        if self._said_all:
            raise StopAsyncIteration
        if self._fetch is None:
            return self._last({"error": plain(_under_way())})
        with trio.move_on_after(_SAY_EVERY_S):
            await self._fetch.wait_news(self._told)
        if not self._fetch.over:
            self._told = self._fetch.far
            return _line(self._told._asdict())
        # Only now others, and this page, see that it is here.
        await self._context.aclose()
        if self._fetch.trouble is None:
            return self._last({"fetched": self._model})
        error = m.Error(code=self._failed, message=without_paths(self._fetch.trouble), recoverable=True)
        return self._last({"error": plain(error)})

    def _last(self, said: dict[str, Any]) -> bytes:
        self._said_all = True
        return _line(said)


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def _under_way() -> m.Error:
    return m.Error(
        code=ErrorCode.SERVER_BUSY,
        message="It is being fetched already.",
        recoverable=True,
        retry_after_s=_RETRY_AFTER_S,
    )
