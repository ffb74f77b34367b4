"""`POST /v1/realtime/client_secrets`: keys for clients that are not to know the token, each for a while."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from quart import Response
from quart.wrappers import Request

from voice_trio.server.allowance import Allowance
from voice_trio.server.json_http import answered, small_body
from voice_trio.server.openai.errors import BAD_REQUEST, TOO_MANY, ApiError
from voice_trio.wire.realtime.configuration import Configuration, Offered
from voice_trio.wire.realtime.errors import Wrong
from voice_trio.wire.realtime.reading import read_object

PREFIX: Final = "ek_"
"""So begin such keys: OpenAI's clients for pages take no others."""

USUAL_S, LEAST_S, MOST_S = 600, 10, 7200
"""How long they are good."""

_MOST_KEYS: Final = 1_000
_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Key:
    session: str
    """How a session is to begin, in JSON: taken apart it would need a hundred times the memory."""
    expires_at: float
    """Seconds since 1970."""


class ClientSecrets:
    """The keys that are good now, which are kept nowhere else and end with the server."""

    def __init__(self, offered: Callable[[], Offered], max_session_s: float) -> None:
        """``offered`` says what the sessions would have that they open, each for at most ``max_session_s``."""
        self._offered = offered
        self._max_session_s = max_session_s
        self._keys: dict[str, _Key] = {}

    def wanted(self, key: str) -> Configuration | None:
        """Return how a session is to begin that is opened with ``key``; None where that is no key, or one no more."""
        found = self._keys.get(key)
        if found is None or found.expires_at <= time.time():
            return None
        return Configuration().merged(json.loads(found.session))

    async def answer(self, asked: Request, allowance: Allowance | None) -> Response:
        """Return a new key. Raises `ApiError` and `HttpError`."""
        body = await small_body(asked, _MOST_BYTES)
        try:
            said = read_object(body.decode(errors="replace") or "{}", "The body")
            session = {} if said.get("session") is None else said["session"]
            wanted = Configuration().merged(session)
        except Wrong as wrong:
            raise ApiError(BAD_REQUEST, wrong.message, param=wrong.param, code=wrong.code) from None
        seconds = _seconds(said.get("expires_after"))
        now = time.time()
        self._keys = {key: one for key, one in self._keys.items() if one.expires_at > now}
        if len(self._keys) >= _MOST_KEYS:
            message = f"There are {_MOST_KEYS:,} such keys, and no more until one of them has expired."
            raise ApiError(TOO_MANY, message, code="rate_limit_exceeded", retry_after_s=LEAST_S)
        value = PREFIX + secrets.token_urlsafe(24)
        self._keys[value] = _Key(json.dumps(session), now + seconds)
        name = f"sess_{secrets.token_urlsafe(12)}"
        told = wanted.told(self._offered(), session=name, expires_at=int(now + self._max_session_s))
        return answered({"value": value, "expires_at": int(now + seconds), "session": told})


def _seconds(said: Any) -> int:
    if said is None:
        return USUAL_S
    seconds = said.get("seconds", USUAL_S) if isinstance(said, dict) else None
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not LEAST_S <= seconds <= MOST_S:
        message = f"expires_after.seconds is to be a whole number from {LEAST_S} to {MOST_S}."
        raise ApiError(BAD_REQUEST, message, param="expires_after.seconds")
    return seconds
