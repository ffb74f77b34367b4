"""An answer that goes out while it is made: a task makes it, piece by piece, beside the request that sends it.

Nothing is sent before there is a first piece, so that whatever goes wrong until then has a status of its own.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, TypeVar

import trio
from quart import Response
from quart.wrappers import Request
from quart.wrappers.response import ResponseBody

from voice_trio.core.errors import Refused
from voice_trio.engines.base import EngineError
from voice_trio.server.guests import Visit
from voice_trio.server.held import BrokenOff, held_by
from voice_trio.server.openai import errors
from voice_trio.server.openai.errors import ApiError
from voice_trio.server.upload.answer import busy
from voice_trio.session.report import report
from voice_trio.waiting import alongside

T = TypeVar("T")

Make = Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]
"""Makes an answer: what it is given takes the next piece, and waits until there is room for it."""

_PIECES_AHEAD = 4
"""Made before the client has taken those before them."""


async def within(visit: Visit, work: Callable[[], Awaitable[T]]) -> T:
    """Return what ``work`` returns. Raises `ApiError` for whatever goes wrong, and where the place is needed."""
    try:
        with visit.scope:
            return await work()
    except (EngineError, Refused) as error:
        raise errors.of(error) from error
    except ApiError:
        raise
    except Exception as error:
        raise errors.incident(report(error, session="")) from error
    raise errors.of(busy(visit.why))


def event(said: dict[str, Any]) -> bytes:
    """Return a server-sent event that says ``said``."""
    return b"data: " + json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


class _Making:
    """The task, and what it has made."""

    def __init__(self, visit: Visit, make: Make) -> None:
        self._visit = visit
        self._make = make
        self._in, self.pieces = trio.open_memory_channel[bytes](_PIECES_AHEAD)
        self._trouble: ApiError | None = None

    async def run(self) -> None:
        async def make() -> None:
            await self._make(self._in.send)

        async with self._in:
            try:
                await within(self._visit, make)
            except ApiError as error:
                self._trouble = error

    async def next(self) -> bytes | None:
        """Return the next piece, None after the last. Raises `ApiError` where there should be more."""
        try:
            return await self.pieces.receive()
        except trio.EndOfChannel:
            if self._trouble is not None:
                raise self._trouble from None
            return None


async def streamed(request: Request, visit: Visit, make: Make, mimetype: str, *, events: bool) -> Response:
    """Return the answer to ``request`` that ``make`` makes. Raises `ApiError` where nothing comes of it.

    Where something went wrong when its beginning was sent, it ends with an event that says so, or, without ``events``,
    breaks off.
    """
    making = _Making(visit, make)
    held = held_by(request)
    held.enter_context(making.pieces)
    await held.enter_async_context(alongside(making.run))
    first = await making.next()
    response = Response(_Body(making, first, events=events), mimetype=mimetype)
    # How long a client may take is the connection's matter.
    response.timeout = None
    # A proxy that collects an answer before it hands it on would keep it from being heard at once.
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Body(ResponseBody):
    """Steps through the pieces. Not a generator, so that nothing is left to close."""

    def __init__(self, making: _Making, first: bytes | None, *, events: bool) -> None:
        self._making = making
        self._first = first
        self._events = events
        self._is_over = first is None

    async def __aenter__(self) -> _Body:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            piece, self._first = self._first, None
            await trio.lowlevel.checkpoint()
            return piece
        if self._is_over:
            raise StopAsyncIteration
        try:
            more = await self._making.next()
        except ApiError as error:
            if not self._events:
                raise BrokenOff from error
            self._is_over = True
            return event(error.told())
        if more is None:
            raise StopAsyncIteration
        return more
