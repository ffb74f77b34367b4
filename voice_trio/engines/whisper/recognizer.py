"""Whisper through faster-whisper's loader: one model for every session, behind one scheduler.

What one decode is stands in `decode`, who decodes next in `decoding.scheduler`, an utterance's course in
`decoding.utterance`, and what is Whisper's in it in `utterance`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.tail_window import TailWindow
from voice_trio.engines.decoding.recognizer import DecodingRecognizer
from voice_trio.engines.decoding.scheduler import Batch, Job, Scheduler
from voice_trio.engines.whisper import context as whisper_context
from voice_trio.engines.whisper.context import Context, Trips
from voice_trio.engines.whisper.decode import Asked, Decoded
from voice_trio.engines.whisper.loading import Loaded
from voice_trio.engines.whisper.utterance import WhisperUtterance

log = structlog.get_logger("voice_trio")

PARTIALS_AT_ONCE = 2
"""Two of like lengths cost three quarters each of what one does, and more hardly less: the encoder's part is the same
for each."""


class WhisperRecognizer(DecodingRecognizer[Decoded]):
    """The recognizer over one loaded model."""

    def __init__(self, loaded: Loaded, scheduler: Scheduler, settings: Settings) -> None:
        super().__init__(f"faster-whisper {loaded.name}", loaded.decoder.languages, scheduler)
        self.context = Context.of(settings.asr_context)
        self.decoder = loaded.decoder
        self.partials: dict[bool, Batch[Job[Asked], Decoded]] = {
            has_context: Batch(PARTIALS_AT_ONCE, lambda jobs: self.decoder.decode_batch([job() for job in jobs]))
            for has_context in (False, True)
        }
        """Those with a context, and those without: one decode has one for all or for none."""
        self._may_grow = settings.asr_context == "auto"
        self._trips = Trips()
        self._folder = loaded.folder
        self._window_samples = settings.asr_window_s * SAMPLE_RATE

    def open(self, language: str | None) -> AbstractAsyncContextManager[WhisperUtterance]:
        """Begin an utterance. Entering raises `EngineError` (ASR_FAIL) for a language that the model does not know."""
        return self._open(language, None)

    def open_guided(self, likely: str) -> AbstractAsyncContextManager[WhisperUtterance]:
        """Begin an utterance whose language is ``likely`` where it is not sure to be any."""
        return self._open(None, likely)

    @asynccontextmanager
    async def _open(self, language: str | None, likely: str | None) -> AsyncIterator[WhisperUtterance]:
        self.check_language(language)
        utterance = WhisperUtterance(self, language, likely, TailWindow(self._window_samples))
        try:
            yield utterance
        finally:
            utterance.close()

    async def find_context(self) -> None:
        """Find out how much context this model needs, where that is asked for and not known yet."""
        if self.context.undecided:
            self.context = await whisper_context.find(self._scheduler, self.decoder, self._folder, self.context)
        else:
            await trio.lowlevel.checkpoint()

    def learn(self, decoded: Decoded) -> None:
        """Give all that follows more context, where too many of late have tripped in what there is."""
        if self._trips.count(decoded.tripped) and self._may_grow:
            self.context = self.context.grown
            log.info("asr_context grows", model=self.name, context_s=self.context.final_s)
