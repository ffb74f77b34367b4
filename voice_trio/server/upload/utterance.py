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
from voice_trio.engines.media import MediaDecoder
from voice_trio.server.allowance import Allowance
from voice_trio.server.guard import AUDIO_MARGIN_MS
from voice_trio.server.json_http import HttpError
from voice_trio.server.sessions import STOPPING, Sessions
from voice_trio.server.upload import request as upload
from voice_trio.server.upload.answer import Answer, busy
from voice_trio.server.upload.intake import Intake
from voice_trio.session.ending import too_long
from voice_trio.session.link import LinkClosed, MemoryLink
from voice_trio.session.report import report
from voice_trio.waiting import alongside

_INTERNAL = 500

_MESSAGE_MS = 300
"""Looking for speech in so much audio takes one or two milliseconds, in which the server does nothing else."""


class Utterances:
    """Answers uploads, as ``settings`` allow."""

    def __init__(self, settings: Settings, sessions: Sessions, decoder: MediaDecoder) -> None:
        self._settings = settings
        self._sessions = sessions
        self._intake = Intake(sessions, decoder)

    @property
    def max_bytes(self) -> int:
        """Size of the largest upload, and of any other request."""
        return self._settings.max_upload_bytes

    async def answer(self, request: Request, allowance: Allowance | None = None) -> dict[str, Any]:
        """Return what is answered to ``request``, as `json_http.answered` takes it.

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
            raise busy(STOPPING)
        kind, start = upload.kind_of(request), upload.start_of(request)
        upload.check_size(request, self._settings)
        address = request.remote_addr or ""

        async def read() -> tuple[bytes, str]:
            data = await upload.read(request, self._settings)
            upload.check_there(data)
            return data, kind

        sound = await self._intake.take(address, read, longest_ms=self._settings.max_utterance_ms + AUDIO_MARGIN_MS)
        link, answer = MemoryLink(), Answer()
        try:
            async with self._sessions.seat(address, allowance) as seat:
                live = partial(self._sessions.hold, link, seat, uploaded=True)
                async with alongside(live), alongside(partial(answer.hear, link)):
                    with answer.while_open:
                        await answer.opened.wait()
                        await _say(link, start, sound.pcm)
                        await answer.done.wait()
        except Refused as refused:
            raise busy(refused.message) from refused
        too_much = too_long(self._settings.max_utterance_ms, turn=1) if sound.cut else None
        return answer.result(start.conversation, too_much)


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
