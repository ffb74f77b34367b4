"""A turn whose words come as an upload and whose reply goes back whole: `POST /api/utterance`.

It is a turn like any other, in a session of its own that lives for this one turn. Where /ws has its socket there is a
link in memory, and this module is the client at its other end.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import trio
from quart.wrappers import Request

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.errors import Refused
from voice_trio.core.messages import ErrorCode, InfoCode
from voice_trio.engines.base import EngineError
from voice_trio.engines.media import MediaDecoder, Sound
from voice_trio.server.addresses import client_of
from voice_trio.server.allowance import Allowance
from voice_trio.server.guard import AUDIO_MARGIN_MS
from voice_trio.server.json_response import HttpError, refusal
from voice_trio.server.sessions import NO_ROOM, Sessions
from voice_trio.server.upload import request as upload
from voice_trio.server.upload.answer import Answer, busy
from voice_trio.session.capture import too_long
from voice_trio.session.farewell import DRAINED
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.session.report import report
from voice_trio.waiting import alongside

_UNPROCESSABLE = 422
_INTERNAL = 500
_UNAVAILABLE = 503

_STOPPING = "The server is stopping."

_MESSAGE_MS = 300
"""Looking for speech in so much audio takes one or two milliseconds, in which the server does nothing else."""


class _Coming:
    """An upload that is on its way, as far as its place is concerned."""

    def __init__(self) -> None:
        self.scope = trio.CancelScope()
        self.idle_since: float | None = trio.current_time()
        """A client that is slow is one that does nothing."""

    def make_way(self) -> None:
        self.scope.cancel()


class Utterances:
    """Answers uploads, as ``settings`` allow."""

    def __init__(self, settings: Settings, sessions: Sessions, decoder: MediaDecoder) -> None:
        self._settings = settings
        self._sessions = sessions
        self._decoder = decoder

    @property
    def max_bytes(self) -> int:
        """Size of the largest upload, and of any other request."""
        return self._settings.max_upload_bytes

    async def answer(self, request: Request, allowance: Allowance | None = None) -> dict[str, Any]:
        """Return what is answered to ``request``, as `json_response.answered` takes it.

        Hearing the upload is paid for from ``allowance``. Raises `HttpError`, and nothing else.
        """
        try:
            return await self._answer(request, allowance)
        except HttpError:
            raise
        except Exception as error:
            raise HttpError(_INTERNAL, report(error, session="")) from error

    async def _answer(self, request: Request, allowance: Allowance | None) -> dict[str, Any]:
        if self._sessions.draining:
            raise busy(_STOPPING)
        kind, start = upload.kind_of(request), upload.start_of(request)
        upload.check_size(request, self._settings)
        address = request.remote_addr or ""
        sound = await self._receive(request, kind, address)
        link, answer = MemoryLink(), Answer()
        live = partial(self._sessions.hold, link, address, allowance, uploaded=True)
        async with alongside(live), alongside(partial(answer.hear, link)):
            with answer.while_open:
                await answer.opened.wait()
                await _say(link, start, sound.pcm)
                await answer.done.wait()
        too_much = too_long(self._settings.max_utterance_ms, turn=1) if sound.cut else None
        return answer.result(start.conversation, too_much)

    async def _receive(self, request: Request, kind: str, address: str) -> Sound:
        """Take the upload in, in one of the places that there are for that. Raises `HttpError`."""
        client, places = client_of(address), self._sessions.uploads_coming
        # For a session as well, so that nobody sends for nothing what is sure to be refused.
        if not (places.have_room(client) and self._sessions.have_room(address)):
            raise busy(NO_ROOM)
        coming = _Coming()
        with places.hold(client, coming), coming.scope:
            data = await upload.read(request, self._settings)
            coming.idle_since = None
            return await self._decode(data, kind)
        raise busy(_STOPPING if self._sessions.draining else DRAINED[InfoCode.PLACE_NEEDED].message)

    async def _decode(self, data: bytes, kind: str) -> Sound:
        """Return what ``data`` holds. Raises `HttpError`."""
        longest_ms = self._settings.max_utterance_ms + AUDIO_MARGIN_MS
        try:
            return await self._decoder.decode(data, kind, longest_ms=longest_ms)
        except Refused as error:
            if error.code is ErrorCode.SERVER_BUSY:
                raise busy(error.message) from error
            raise refusal(_UNPROCESSABLE, error.message, error.code) from error
        except EngineError as error:
            raise refusal(_UNAVAILABLE, error.message, error.code) from error


async def _say(link: MemoryLink, start: m.Start, pcm: bytes) -> None:
    """Say what a client of /ws would, who holds the button for as long as the upload lasts."""
    step = ms_to_samples(_MESSAGE_MS) * BYTES_PER_SAMPLE
    try:
        await link.ask(start)
        for at in range(0, len(pcm), step):
            await link.ask(m.Audio(pcm[at : at + step]))
        await link.ask(m.Stop())
    except LinkClosed:
        # `Answer.hear` was told why, and ends the wait.
        await trio.sleep_forever()
