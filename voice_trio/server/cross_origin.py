"""What a page of another origin may read: a browser asks the server before it lets such a page do so (CORS).

Around the whole application, so that all refusals say it too: a page that may not read an answer cannot
tell its person why there is none. A browser's question before a request (a preflight) is answered here, and needs no
token, which a page cannot send with it. Cookies play no part, so nothing is said of credentials.
"""

from __future__ import annotations

from typing import Any

from voice_trio.server.access import Access

_NO_CONTENT = 204

_MAX_AGE_S = 600
"""How long a browser may remember the answer to a preflight."""

_TO_PREFLIGHTS = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-max-age", str(_MAX_AGE_S).encode()),
]

_HEADERS = (b"authorization", b"content-type")
"""What a page may send with a request."""

_OF_OPENAI = (b"openai-", b"x-stainless-")
"""So begin others that OpenAI's clients send from a page: they tell of the client."""

_TO_LOCAL_NETWORK = (b"access-control-allow-private-network", b"true")
"""A page from the internet that wants to reach into a private network has its browser ask for this as well."""

_READABLE = (b"access-control-expose-headers", b"Retry-After, WWW-Authenticate, Voice-Trio-Conversation")


class CrossOrigin:
    """``app``, and what it says to pages of the origins that are welcome."""

    def __init__(self, app: Any, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the server's lifespan; a handshake needs no more than its origin checked."""
        if scope["type"] != "http" or not self._access.origins:
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        origin = asked.get(b"origin", b"")
        welcome = bool(origin) and self._access.lists_origin(origin.decode("latin-1"))
        said = [(b"vary", b"Origin")]
        if welcome:
            said += [(b"access-control-allow-origin", b"*" if self._access.lists_all else origin), _READABLE]
        if welcome and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            if asked.get(b"access-control-request-private-network") == b"true":
                said.append(_TO_LOCAL_NETWORK)
            said.append((b"access-control-allow-headers", _may_be_sent(asked)))
            await send({"type": "http.response.start", "status": _NO_CONTENT, "headers": [*said, *_TO_PREFLIGHTS]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *said]}
            await send(message)

        await self._app(scope, receive, say)


def _may_be_sent(asked: dict[bytes, bytes]) -> bytes:
    """Return the headers that a page may send, which has its browser ask with the headers ``asked``."""
    wanted = asked.get(b"access-control-request-headers", b"").lower().replace(b" ", b"").split(b",")
    return b", ".join([*_HEADERS, *(name for name in wanted if name.startswith(_OF_OPENAI))])
