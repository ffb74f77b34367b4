"""A Ray Serve application that hosts voice_trio's recognizer and voice behind OpenAI's routes for audio.

    RAY_USAGE_STATS_ENABLED=0 serve run serve.yaml

Each is an application of its own, so each grows by its own load. A replica holds one engine, opened as voice_trio opens
it, by the same settings; voice_trio's own scheduler decides in it who decodes next, and decodes what waits together.
The engines live in Trio and Ray's replicas in asyncio: anyio's portal stands between, and carries a cancel across.
"""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from anyio.from_thread import start_blocking_portal
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from voice_trio import config
from voice_trio.core.errors import EngineError
from voice_trio.engines import load
from voice_trio.entry_points import Kind
from voice_trio.server.access import Access

T = TypeVar("T")

MOST_BYTES = 16_000_000
MOST_TEXT_BYTES = 64_000
MOST_CHARACTERS = 1000
"""A phrase is what a server of voice_trio asks for; it cuts longer texts itself."""
_RATE, _WIDTH = 16_000, 2
_SPEAK_S = 60.0


class _Engine:
    """An engine in a thread of Trio's."""

    def __init__(self, kind: Kind) -> None:
        self._open = ExitStack()
        self._portal = self._open.enter_context(start_blocking_portal("trio"))
        settings = config.load()
        if settings.auth_token is None and not settings.insecure:
            raise RuntimeError("Set STREAM_AUTH_TOKEN, or STREAM_INSECURE=1 to serve whoever reaches the port.")
        self._access = Access.of(settings)
        opening = load.open_engine(kind, settings)
        self.engine: Any = self._open.enter_context(self._portal.wrap_async_context_manager(opening)).engine

    def refusal(self, request: Request) -> Response | None:
        """Return what is answered to who has not the token, where there is one (STREAM_AUTH_TOKEN)."""
        if self._access.allows_token(request.headers.get("authorization"), ()):
            return None
        return _refused(401, "This server wants its token: Authorization: Bearer ...")

    async def ask(self, work: Callable[..., Awaitable[T]], *given: Any) -> T:
        """Return what ``work`` returns, which runs in Trio. A cancel here is one there."""
        return await asyncio.wrap_future(self._portal.start_task_soon(work, *given))

    def check_health(self) -> None:
        """Raise where the engine would not work now: Ray starts another replica then."""
        if not self.engine.ready:
            raise RuntimeError(f"{self.engine.name} is not ready")

    def __del__(self) -> None:
        """Close the engine: Ray calls this when a replica is drained."""
        self._open.close()


@serve.deployment
class Recognizer(_Engine):
    """`POST /v1/audio/transcriptions`."""

    def __init__(self) -> None:
        super().__init__(Kind.RECOGNIZER)

    async def __call__(self, request: Request) -> Response:
        """Return the words of the form's file, a WAV of 16 kHz, 16 bit, mono."""
        if (refusal := self.refusal(request)) is not None:
            return refusal
        if int(request.headers.get("content-length", MOST_BYTES + 1)) > MOST_BYTES:
            return _refused(413, f"The form may have {MOST_BYTES:,} bytes, and says how many it has.")
        async with request.form(max_files=1, max_fields=20) as form:
            file = form.get("file")
            if file is None or isinstance(file, str):
                return _refused(400, 'There is no file in the field "file".')
            pcm = _pcm(await file.read())
            language = form.get("language")
        if pcm is None:
            return _refused(400, "The file is to be a WAV of 16 kHz, 16 bit, mono.")
        try:
            words = await self.ask(self._hear, pcm, language if isinstance(language, str) and language else None)
        except EngineError as error:
            return _refused(503, error.message, {"Retry-After": "1"})
        return JSONResponse({"text": words})

    async def _hear(self, pcm: bytes, language: str | None) -> str:
        async with self.engine.open(language) as utterance:
            utterance.feed(pcm)
            final = await utterance.settle(len(pcm) // _WIDTH)
            return str(final.text)


@serve.deployment
class Voice(_Engine):
    """`POST /v1/audio/speech`."""

    def __init__(self) -> None:
        super().__init__(Kind.SYNTHESIZER)

    async def __call__(self, request: Request) -> Response:
        """Return the sound of the text, 16 bit, mono, at the voice's rate, piece by piece."""
        if (refusal := self.refusal(request)) is not None:
            return refusal
        if int(request.headers.get("content-length", MOST_TEXT_BYTES + 1)) > MOST_TEXT_BYTES:
            return _refused(413, f"The body may have {MOST_TEXT_BYTES:,} bytes, and says how many it has.")
        try:
            asked = await request.json()
            text, voice, speed = str(asked["input"]), asked.get("voice"), float(asked.get("speed", 1.0))
        except (ValueError, TypeError, KeyError, AttributeError):
            return _refused(400, 'The body is to be JSON with "input", and "voice" and "speed" if they matter.')
        if not 0 < len(text) <= MOST_CHARACTERS or not 0.5 <= speed <= 2.0:
            return _refused(400, f'"input" may have {MOST_CHARACTERS} characters, and "speed" is from 0.5 to 2.')
        if asked.get("response_format", "pcm") != "pcm":
            return _refused(400, '"response_format" is to be "pcm".')
        known = voice if voice in self.engine.voices else None
        return StreamingResponse(self._sound(text, known, speed), media_type="audio/pcm")

    async def _sound(self, text: str, voice: str | None, speed: float) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def speak() -> None:
            try:
                async with self.engine.speak(text, seconds=_SPEAK_S, voice=voice, speed=speed) as spoken:
                    while (piece := await spoken.receive()) is not None:
                        loop.call_soon_threadsafe(pieces.put_nowait, piece.pcm)
            finally:
                loop.call_soon_threadsafe(pieces.put_nowait, None)

        speaking = asyncio.ensure_future(self.ask(speak))
        try:
            while (pcm := await pieces.get()) is not None:
                yield pcm
            await speaking
        finally:
            speaking.cancel()


def _pcm(data: bytes) -> bytes | None:
    """Return the samples of a WAV that is as it should be, else None."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (_RATE, _WIDTH, 1):
                return None
            return file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return None


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message}}, status_code=status, headers=headers)


hear = Recognizer.bind()
speak = Voice.bind()
