"""What the SDK's HTTP client receives, piece by piece, and what may go wrong on the way."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from openai import AsyncAPIResponse


def faults() -> tuple[type[Exception], ...]:
    """Return what asking and reading the answer raise; a fault of TLS in the middle comes through as it is."""
    import anyio
    import httpx2
    import openai

    from voice_trio.engines.openai_chat.http import Redirected

    return openai.OpenAIError, httpx2.RequestError, ssl.SSLError, anyio.EndOfStream, Redirected


@asynccontextmanager
async def pieces_of(response: AsyncAPIResponse[Any]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the bytes of ``response`` as they come, and end the generators that they come through.

    Half a dozen stand in one another, and closing the outermost closes none of the others. A cancelled read goes
    through them all.
    """
    pieces = response.http_response.aiter_raw()
    try:
        yield pieces
    finally:
        with trio.CancelScope() as scope:
            scope.cancel()
            await drain(pieces)


async def next_of(pieces: AsyncIterator[bytes], ends_at: float, *, may_fail: bool) -> bytes | None:
    """Return the next of ``pieces``; None at their end, at ``ends_at``, or for an error that is nobody's."""
    with trio.move_on_at(ends_at):
        try:
            return await anext(pieces, None)
        except faults():
            if not may_fail:
                raise
    return None


async def drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what is left; an error in it is nobody's, since the reply is over."""
    with suppress(*faults()):
        while await anext(pieces, None) is not None:
            pass
