"""JSON over HTTP: requests that bring a few words, and answers.

An answer is made and sent in pieces: none takes long to make, and a slow client can take it within the limit. A request
that gets none is refused with an `HttpError`.
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import trio
from quart import Request, Response
from werkzeug.exceptions import RequestEntityTooLarge

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode
from voice_trio.wire.native import plain

_PIECE_BYTES = 49_152
"""Divisible by three, so that the pieces of what is written as base64 can be put together."""


_BAD_REQUEST = 400
_TIMEOUT = 408
_TOO_LARGE = 413
_UNAVAILABLE = 503
_BODY_S = 5.0


class HttpError(Exception):
    """The request gets no answer but ``error``, with ``status``."""

    def __init__(self, status: int, error: m.Error) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error


def refusal(status: int, message: str, code: ErrorCode = ErrorCode.PROTOCOL_VIOLATION) -> HttpError:
    """Return a refusal after which another request may do better."""
    return HttpError(status, m.Error(code=code, message=message, recoverable=True))


def no_room(why: Refused) -> HttpError:
    """Return the refusal of a server that may do the same later, and has ``why`` from `Sessions`."""
    error = m.Error(code=why.code, message=why.message, recoverable=False, retry_after_s=why.retry_after_s)
    return HttpError(_UNAVAILABLE, error)


async def small_body(asked: Request, most_bytes: int) -> bytes:
    """Return the body of ``asked``. Raises `HttpError` for one of more than ``most_bytes``, or that does not come."""
    too_large = refusal(_TOO_LARGE, f"The body may have {most_bytes:,} bytes.")
    if (asked.content_length or 0) > most_bytes:
        raise too_large
    try:
        with trio.fail_after(_BODY_S):
            data: bytes = await asked.body
    except RequestEntityTooLarge:
        raise too_large from None
    except trio.TooSlowError:
        raise refusal(_TIMEOUT, f"The body did not arrive within {_BODY_S:g} seconds.") from None
    if len(data) > most_bytes:
        raise too_large
    return data


async def small_object(asked: Request, most_bytes: int) -> dict[str, Any]:
    """Return the JSON object that the body of ``asked`` is. Raises `HttpError`, as `small_body` does."""
    try:
        read: Any = json.loads(await small_body(asked, most_bytes))
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise refusal(_BAD_REQUEST, "The body is to be a JSON object.")
    return read


class _Pieces:
    """Steps through a text whose middle is ``data`` in base64. Not a generator, so that nothing is left to close."""

    def __init__(self, before: bytes | bytearray, data: bytearray, after: bytes) -> None:
        self._before, self._data, self._after = memoryview(before), memoryview(data), memoryview(after)

    def __len__(self) -> int:
        return len(self._before) + (len(self._data) + 2) // 3 * 4 + len(self._after)

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if self._before:
            piece, self._before = self._before[:_PIECE_BYTES], self._before[_PIECE_BYTES:]
            return bytes(piece)
        if self._data:
            piece, self._data = self._data[:_PIECE_BYTES], self._data[_PIECE_BYTES:]
            return base64.b64encode(piece)
        if self._after:
            piece, self._after = self._after[:_PIECE_BYTES], self._after[_PIECE_BYTES:]
            return bytes(piece)
        raise StopAsyncIteration


def answered(content: dict[str, Any], status: int = 200) -> Response:
    """Return the response that says ``content``, in which at most one value is a bytearray: that is said in base64."""
    found: list[bytearray] = []
    place = secrets.token_hex()

    def put_off(value: object) -> str:
        assert isinstance(value, bytearray)
        found.append(value)
        return place

    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=put_off).encode()
    before, _, after = text.partition(place.encode())
    (data,) = found or [bytearray()]
    pieces = _Pieces(before, data, after)
    return Response(pieces, status=status, mimetype="application/json", headers={"Content-Length": str(len(pieces))})


def as_it_is(data: bytearray, mimetype: str) -> Response:
    """Return the response that is ``data``."""
    pieces = _Pieces(data, bytearray(), b"")
    return Response(pieces, mimetype=mimetype, headers={"Content-Length": str(len(pieces))})


def refused(why: HttpError) -> Response:
    """Return the response that says ``why`` there is no other."""
    response = answered({"error": plain(why.error)}, why.status)
    if why.error.retry_after_s is not None:
        response.headers["Retry-After"] = str(why.error.retry_after_s)
    return response
