"""Whisper through faster-whisper's loader: one model for every session, behind one scheduler.

What one decode is stands in `decode`, who decodes next in `decoding.scheduler`, a final's course in
`decoding.utterance`. Here are the partials, over a tail window of bounded length.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.core.tail_window import TailWindow, TimedWord
from voice_trio.engines.base import SURE_LANGUAGE_PROBABILITY, SURE_LANGUAGE_S, EngineError, Hypothesis
from voice_trio.engines.decoding.pieces import floats
from voice_trio.engines.decoding.scheduler import Batch, Job, Rank, Scheduler, Ticket
from voice_trio.engines.decoding.utterance import DECODE_ERRORS, DecodedUtterance, answer
from voice_trio.engines.whisper import context as whisper_context
from voice_trio.engines.whisper.context import Context
from voice_trio.engines.whisper.decode import Asked, Decoded
from voice_trio.engines.whisper.loading import Loaded
from voice_trio.engines.whisper.pieces import Piece, decode_all

log = structlog.get_logger("voice_trio")

PARTIALS_AT_ONCE = 2
"""Two of like lengths cost three quarters each of what one does, and more hardly less: the encoder's part is the same
for each."""


class WhisperRecognizer:
    """The recognizer over one loaded model."""

    ready = True

    def __init__(self, loaded: Loaded, scheduler: Scheduler, settings: Settings) -> None:
        self.name = f"faster-whisper {loaded.name}"
        self.languages: Sequence[str] = loaded.decoder.languages
        self.context = Context.of(settings.asr_context)
        self.decoder = loaded.decoder
        self._folder = loaded.folder
        self.scheduler = scheduler
        self._window_samples = settings.asr_window_s * SAMPLE_RATE
        # One decode has a context for all or for none.
        self._partials: dict[bool, Batch[Job[Asked], Decoded]] = {
            has_context: Batch(PARTIALS_AT_ONCE, lambda jobs: self.decoder.decode_batch([job() for job in jobs]))
            for has_context in (False, True)
        }

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator[WhisperUtterance]:
        """Begin an utterance. Raises `EngineError` (ASR_FAIL) for a language that the model does not know."""
        if language is not None and language not in self.languages:
            raise EngineError(ErrorCode.ASR_FAIL, f"{self.name} does not understand the language {language!r}.")
        utterance = WhisperUtterance(self, language, TailWindow(self._window_samples))
        try:
            yield utterance
        finally:
            utterance.close()

    async def find_context(self) -> None:
        """Find out how much context this model needs, where that is asked for and not known yet."""
        if not self.context.undecided:
            await trio.lowlevel.checkpoint()
            return
        known = await trio.to_thread.run_sync(whisper_context.recall, self._folder)
        if known is None:
            try:
                known = await whisper_context.calibrate(self.scheduler, self.decoder)
            except DECODE_ERRORS as error:
                # The guess is right for any model; only slow.
                log.warning("asr_context unknown", model=self.name, error=str(error))
                return
            kept = await trio.to_thread.run_sync(whisper_context.remember, self._folder, known)
            log.info("asr_context", model=self.name, context_s=known.final_s, remembered=kept)
        self.context = known

    def submit_partial(
        self, begin: Callable[[], Job[Asked]], *, has_context: bool, ready: Callable[[], bool]
    ) -> Ticket[Decoded]:
        """Queue a decode that may be done together with those of others."""
        return self.scheduler.submit_to(self._partials[has_context], begin, Rank.PARTIAL, ready=ready)


class WhisperUtterance(DecodedUtterance[Decoded]):
    """One utterance: what `DecodedUtterance` has, and what was last made of its end."""

    def __init__(self, recognizer: WhisperRecognizer, language: str | None, window: TailWindow) -> None:
        super().__init__(recognizer.name, recognizer.scheduler, language)
        self._recognizer = recognizer
        self._window = window
        self._heard = Hypothesis("", 0)
        self._draft: _Draft | None = None
        self._pieces: dict[Piece, Decoded] = {}

    async def hypothesize(self) -> Hypothesis:
        """Return the words of the audio there is when the decode begins. Raises `EngineError` (ASR_FAIL)."""
        if self._samples == self._heard.through_sample:
            # A client that sends nothing more costs nothing more.
            await trio.lowlevel.checkpoint()
            return self._heard
        begin = through = 0
        context, least_s = "", 0.0

        def placed(words: Sequence[TimedWord]) -> list[TimedWord]:
            return [TimedWord(word.text, begin + word.begin, begin + word.end) for word in words]

        def take() -> Job[Asked]:
            nonlocal begin, through, context, least_s
            through = self._samples
            self._window.make_room(through)
            begin, context = self._window.begin, self._window.before
            audio, language = self._audio(begin, through), self._language
            if begin and language is None and self._draft is not None:
                language = _sure_of(self._draft.decoded, self._draft.through)
            least_s = self._recognizer.context.partial_s
            return lambda: Asked(
                floats(audio),
                language,
                least_s,
                context,
                lambda words: self._window.wants_places(placed(words), through),
            )

        ticket = self._recognizer.submit_partial(
            take,
            has_context=bool(self._window.before),
            ready=lambda: not self._final_runs,
        )
        try:
            decoded = await answer(ticket, self._name)
        finally:
            ticket.drop()
        self.compute_s += decoded.compute_s
        if not decoded.words:
            # Nothing is heard, or what is heard cannot be trusted so far as to cut by it.
            text = f"{context} {decoded.text}".strip()
        else:
            if not begin and not context:
                self._draft = _Draft(decoded, through, least_s)
            text = self._window.push(placed(decoded.words), through)
        self._heard = Hypothesis(text, through)
        return self._heard

    def _final_job(self, end: int, wanted: Callable[[], bool]) -> Job[Decoded]:
        audio, language, least_s = self._audio(0, end), self._language, self._recognizer.context.final_s
        return lambda: decode_all(self._recognizer.decoder, floats(audio), language, least_s, self._pieces, wanted)

    def _learn(self, decoded: Decoded, end: int) -> None:
        # Finding the language costs a pass of the decoder, and may turn out differently each time.
        self._language = self._language or _sure_of(decoded, end)

    def _drafted(self, voiced_through: int, end: int) -> Decoded | None:
        """Return the hypothesis that is as good as a final of what is voiced before ``end``, if there is one."""
        draft, context = self._draft, self._recognizer.context
        if draft is None or not voiced_through <= draft.through <= end:
            return None
        return draft.decoded if draft.decoded.padded or context.final_s <= draft.least_s else None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A hypothesis of the utterance from its first sample."""

    decoded: Decoded
    through: int
    least_s: float
    """The context that it was asked for with."""


def _sure_of(decoded: Decoded, samples: int) -> str | None:
    """Return the language of ``decoded``, if that much audio and a probability so high make it sure."""
    sure = (
        samples >= SURE_LANGUAGE_S * SAMPLE_RATE
        and decoded.language_probability >= SURE_LANGUAGE_PROBABILITY
        and decoded.text
    )
    return decoded.language if sure else None
