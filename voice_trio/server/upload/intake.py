"""Uploads on their way in: a place while one arrives, then the media child, until it is sound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.engines.base import EngineError
from voice_trio.engines.media import MediaDecoder, Sound
from voice_trio.server.addresses import client_of
from voice_trio.server.json_http import refusal
from voice_trio.server.sessions import NO_ROOM, STOPPING, Sessions
from voice_trio.server.upload.answer import busy
from voice_trio.session.farewell import DRAINED

_UNPROCESSABLE = 422
_UNAVAILABLE = 503


class _Coming:
    """An upload that is on its way, as far as its place is concerned."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.idle_since: float | None = trio.current_time()
        """A client that is slow is one that does nothing."""

    def make_way(self) -> None:
        self.scope.cancel()


class Intake:
    """Takes uploads in, in the places that ``sessions`` has for that."""

    def __init__(self, sessions: Sessions, decoder: MediaDecoder) -> None:
        self._sessions = sessions
        self._decoder = decoder

    async def take(self, address: str, read: Callable[[], Awaitable[tuple[bytes, str]]], *, longest_ms: int) -> Sound:
        """Return the first ``longest_ms`` of the upload that ``read`` returns, from ``address``.

        ``read`` returns its bytes, and which of `media.KINDS` it is. Raises `HttpError`, as ``read`` may.
        """
        client, places = client_of(address), self._sessions.uploads_coming
        # For a session as well, so that nobody sends for nothing what is sure to be refused.
        if not (places.have_room(client) and self._sessions.have_room(address)):
            raise busy(NO_ROOM)
        coming = _Coming()
        with places.hold(client, coming), coming.scope:
            data, kind = await read()
            coming.idle_since = None
            return await self._decode(data, kind, longest_ms)
        raise busy(STOPPING if self._sessions.draining else DRAINED[InfoCode.PLACE_NEEDED].message)

    async def _decode(self, data: bytes, kind: str, longest_ms: int) -> Sound:
        try:
            return await self._decoder.decode(data, kind, longest_ms=longest_ms)
        except Refused as error:
            if error.code is ErrorCode.SERVER_BUSY:
                raise busy(error.message) from error
            raise refusal(_UNPROCESSABLE, error.message, error.code) from error
        except EngineError as error:
            raise refusal(_UNAVAILABLE, error.message, error.code) from error
