"""`POST /v1/audio/speech`: a text, and its sound back while the voice still speaks."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Final

import trio
from quart import Response
from quart.wrappers import Request

from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.phrases import PhraseAggregator
from voice_trio.core.speakable import Speakable
from voice_trio.engines.base import EngineError, Speech, Synthesizer
from voice_trio.engines.voice import FASTEST, SLOWEST
from voice_trio.server.allowance import Allowance
from voice_trio.server.held import held_by
from voice_trio.server.json_http import small_body
from voice_trio.server.openai import encoding
from voice_trio.server.openai.encoding import MIMETYPES, encoder_for
from voice_trio.server.openai.outgoing import event, streamed
from voice_trio.server.openai.speech_request import MOST_CHARS, SpeechRequest, speech_request
from voice_trio.server.openai.tempo import Tempo
from voice_trio.server.sessions import Sessions
from voice_trio.session.voice import Voice

_MOST_BYTES: Final = 32 * MOST_CHARS
"""Of a body: twelve for a character in JSON's own spelling, and as many instructions."""

_STEP_MS: Final = 500
"""So much is encoded at a time."""

_NO_TOKENS: Final = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
"""No voice here counts in tokens."""

Send = Callable[[bytes], Awaitable[None]]


class Speeches:
    """Speaks texts, as ``settings`` allow. What was said is not remembered."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._timeout_s = settings.tts_timeout_s
        self._sessions = sessions

    async def answer(self, request: Request, allowance: Allowance | None) -> Response:
        """Return the answer to ``request``, which may pay from ``allowance``. Raises `ApiError`, and `HttpError`."""
        asked = speech_request(await small_body(request, _MOST_BYTES))
        held = held_by(request)
        visit = await held.enter_async_context(self._sessions.visit(request.remote_addr or "", allowance))
        synthesizer = held.enter_context(self._sessions.engines.lease()).synthesizer
        if not encoding.is_loaded():
            await trio.to_thread.run_sync(encoding.load)

        async def make(send: Send) -> None:
            if not asked.events:
                await self._speak(asked, synthesizer, send)
                return

            async def send_event(sound: bytes) -> None:
                await send(event({"type": "speech.audio.delta", "audio": base64.b64encode(sound).decode()}))

            await self._speak(asked, synthesizer, send_event)
            await send(event({"type": "speech.audio.done", "usage": _NO_TOKENS}))

        mimetype = "text/event-stream" if asked.events else MIMETYPES[asked.format]
        return await streamed(request, visit, make, mimetype, events=asked.events)

    async def _speak(self, asked: SpeechRequest, synthesizer: Synthesizer, send: Send) -> None:
        """Have the sound of a text ``send``, encoded, phrase by phrase. Raises `EngineError` (TTS_FAIL)."""
        # What the voice cannot do itself is made of what it says.
        speed = min(max(asked.speed, SLOWEST), FASTEST)
        name = asked.voice if asked.voice in synthesizer.voices else None
        voice = Voice(synthesizer, name, speed, self._timeout_s)
        sound = _Sound(asked.format, synthesizer.sample_rate, asked.speed / speed, send)

        async def take(piece: Speech | EngineError) -> None:
            if isinstance(piece, EngineError):
                raise piece
            await sound.push(piece.pcm)

        speakable, phrases = Speakable(), PhraseAggregator()
        for phrase in [*phrases.push(asked.text), *phrases.finish()]:
            await voice.say(speakable.speak(phrase.text).text, take)
        await sound.finish()


class _Sound:
    """What a voice says, on its way out in a format."""

    def __init__(self, response_format: str, sample_rate: int, factor: float, send: Send) -> None:
        self._tempo = Tempo(sample_rate, factor)
        self._encoder = encoder_for(response_format)
        self._in_thread = self._encoder.computes or factor != 1.0
        self._step_bytes = ms_to_samples(_STEP_MS, sample_rate) * BYTES_PER_SAMPLE
        self._send = send

    async def push(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), self._step_bytes):
            piece = pcm[at : at + self._step_bytes]
            await self._out(lambda piece=piece: self._encoder.push(self._tempo.push(piece)))  # type: ignore[misc]

    async def finish(self) -> None:
        await self._out(lambda: self._encoder.push(self._tempo.push(b"", last=True)) + self._encoder.finish())

    async def _out(self, encode: Callable[[], bytes]) -> None:
        """Send what ``encode`` makes."""
        made = await trio.to_thread.run_sync(encode) if self._in_thread else encode()
        if made:
            await self._send(made)
        else:
            await trio.lowlevel.checkpoint()
