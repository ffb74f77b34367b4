"""`POST /v1/audio/transcriptions`: a recording in a form, its words back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from quart import Response
from quart.wrappers import Request

from voice_trio.config import Settings
from voice_trio.engines.media import MediaDecoder
from voice_trio.server.allowance import Allowance
from voice_trio.server.held import held_by
from voice_trio.server.openai.errors import BAD_REQUEST, ApiError
from voice_trio.server.openai.form import read_form
from voice_trio.server.openai.hearing import Hearing, Segment, understands
from voice_trio.server.openai.outgoing import event, streamed, within
from voice_trio.server.openai.transcript import MIMETYPES, written
from voice_trio.server.openai.transcription_request import (
    TranscriptionRequest,
    recording_in,
    transcription_request,
)
from voice_trio.server.sessions import Sessions
from voice_trio.server.upload import request as upload
from voice_trio.server.upload.intake import Intake

_TOO_LARGE = 413


class Transcriptions:
    """Recognises recordings, as ``settings`` allow. What was said is not remembered."""

    def __init__(self, settings: Settings, sessions: Sessions, decoder: MediaDecoder) -> None:
        self._settings = settings
        self._sessions = sessions
        self._intake = Intake(sessions, decoder)

    async def answer(self, request: Request, allowance: Allowance | None) -> Response:
        """Return the answer to ``request``. Hearing is paid for from ``allowance``.

        Raises `ApiError`, and `HttpError`.
        """
        address = request.remote_addr or ""
        upload.check_size(request, self._settings)
        asked: list[TranscriptionRequest] = []

        async def read() -> tuple[bytes, str]:
            body = await upload.read(request, self._settings)
            if request.mimetype != "multipart/form-data":
                raise ApiError(BAD_REQUEST, "The body is to be a form in parts (multipart/form-data).")
            form = await read_form(body, request.mimetype_params.get("boundary"))
            asked.append(transcription_request(form))
            # Before anything is decoded.
            self._check_language(asked[0])
            return recording_in(form)

        sound = await self._intake.take(address, read, longest_ms=self._settings.max_utterance_ms)
        if sound.cut:
            longest_s = self._settings.max_utterance_ms / 1000
            message = (
                f"The recording is longer than {longest_s:g} seconds, the longest that this server takes "
                "(STREAM_MAX_UTTERANCE_MS). Send it in parts."
            )
            raise ApiError(_TOO_LARGE, message, param="file", code="audio_too_long")
        return await self._recognised(request, asked[0], sound.pcm, allowance)

    def _check_language(self, asked: TranscriptionRequest) -> None:
        recognizer = self._sessions.engines.recognizer
        if asked.language is not None and not understands(recognizer, asked.language):
            message = f"{recognizer.name} does not understand the language {asked.language!r}."
            raise ApiError(BAD_REQUEST, message, param="language")

    async def _recognised(
        self, request: Request, asked: TranscriptionRequest, pcm: bytes, allowance: Allowance | None
    ) -> Response:
        held = held_by(request)
        visit = await held.enter_async_context(self._sessions.visit(request.remote_addr or "", allowance))
        engines = held.enter_context(self._sessions.engines.lease())
        hearing = Hearing(pcm, asked.language or self._settings.language or None, engines, self._settings, allowance)
        if asked.stream:

            async def make(send: Callable[[bytes], Awaitable[None]]) -> None:
                await _say(hearing, send)

            return await streamed(request, visit, make, "text/event-stream", events=True)
        await within(visit, hearing.run)
        return Response(written(hearing, asked.format), content_type=MIMETYPES[asked.format])


async def _say(hearing: Hearing, send: Callable[[bytes], Awaitable[None]]) -> None:
    """Say each segment as soon as it is recognised, and at the end all of it: the deltas, joined."""

    async def take(segment: Segment) -> None:
        space = " " if len(hearing.segments) > 1 else ""
        await send(event({"type": "transcript.text.delta", "delta": space + segment.text}))

    await hearing.run(take)
    await send(event({"type": "transcript.text.done", "text": hearing.text}))
