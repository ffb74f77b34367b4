"""The body of a request that brings a few words."""

from __future__ import annotations

import trio
from quart.wrappers import Request
from werkzeug.exceptions import RequestEntityTooLarge

from voice_trio.server.json_response import refusal

_TIMEOUT = 408
_TOO_LARGE = 413
_BODY_S = 5.0


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
