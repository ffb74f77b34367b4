"""Answers in JSON, in pieces that a slow client can take within the limit for a send."""

from __future__ import annotations

import json
from typing import Any

import trio
from quart import Response

from voice_trio.core.wire import plain
from voice_trio.server.upload import Refused

_PIECE_BYTES = 65_536


class _Pieces:
    """Steps through ``data``. Not a generator, so that nothing is left to close."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self._data:
            raise StopAsyncIteration
        piece, self._data = self._data[:_PIECE_BYTES], self._data[_PIECE_BYTES:]
        return bytes(piece)


def answered(content: dict[str, Any], status: int = 200) -> Response:
    """Return the response that says ``content``."""
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Length": str(len(data))}
    return Response(_Pieces(data), status=status, mimetype="application/json", headers=headers)


def refused(refusal: Refused) -> Response:
    """Return the response that says why there is no other."""
    response = answered({"error": plain(refusal.error)}, refusal.status)
    if refusal.error.retry_after_s is not None:
        response.headers["Retry-After"] = str(refusal.error.retry_after_s)
    return response
