"""An MCP server at an address: streamable HTTP, by the official package, with a bound on what an answer may hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2
from mcp.client.streamable_http import streamable_http_client

from voice_trio.mcp.base import MOST_BYTES
from voice_trio.mcp.config import Address

CONNECT_S: Final = 10.0
READ_S: Final = 300.0
"""How long a server may say nothing while it holds a stream open."""


class _Bounded(httpx2.AsyncByteStream):
    """A body that is not read on after `MOST_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self._parts = aiter(stream)
        self._length = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data = await anext(self._parts)
        self._length += len(data)
        if self._length > MOST_BYTES:
            raise httpx2.StreamError(f"it has more than {MOST_BYTES // 1_000_000} MB")
        return data

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Bound the body of an answer. A stream of events may be of any length: its reader bounds each of them."""
    if response.headers.get("content-encoding", "identity") != "identity":
        # A few kilobytes could unpack to gigabytes, and none was asked for.
        raise httpx2.DecodingError("the answer is compressed", request=response.request)
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream)


@asynccontextmanager
async def open_http(address: Address) -> AsyncIterator[tuple[Any, None]]:
    """Yield what a session with the server at ``address`` reads and writes, and that nothing of ours is to be killed.

    That it cannot be reached is raised in the block's place, in a group: `httpx2.HTTPError`.
    """
    async with (
        httpx2.AsyncClient(
            headers={**address.headers, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(CONNECT_S, read=READ_S),
            event_hooks={"response": [_bound]},
        ) as client,
        streamable_http_client(address.url, http_client=client, max_sse_event_size=MOST_BYTES) as streams,
    ):
        yield streams, None
