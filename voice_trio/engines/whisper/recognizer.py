"""Whisper through faster-whisper's loader: one model for every session, behind one scheduler.

What one decode is stands in `decode`, who decodes next in `scheduler`. Here is an utterance's course: partials
over a tail window of bounded length, a final over all of it, and a final begun early, when silence looks like the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.core.tail_window import TailWindow, TimedWord
from voice_trio.engines.base import SURE_LANGUAGE_PROBABILITY, SURE_LANGUAGE_S, EngineError, Hypothesis, Transcript
from voice_trio.engines.whisper import context as whisper_context
from voice_trio.engines.whisper.context import Context, Trips
from voice_trio.engines.whisper.decode import DECODE_ERRORS, Asked, Decoded, floats
from voice_trio.engines.whisper.loading import Loaded
from voice_trio.engines.whisper.pieces import Piece, decode_all
from voice_trio.engines.whisper.scheduler import Batch, Job, Rank, Scheduler, Ticket

log = structlog.get_logger("voice_trio")

PARTIALS_AT_ONCE = 2
"""Two of like lengths cost three quarters each of what one does, and more hardly less: the encoder's part is the same
for each."""

_TAIL = SAMPLE_RATE // 5
"""Silence that a final is given behind the last of the voice: a soft ending is no speech to a detector."""


class WhisperRecognizer:
    """The recognizer over one loaded model."""

    ready = True

    def __init__(self, loaded: Loaded, scheduler: Scheduler, settings: Settings) -> None:
        self.name = f"faster-whisper {loaded.name}"
        self.languages: Sequence[str] = loaded.decoder.languages
        self.context = Context.of(settings.asr_context)
        self.decoder = loaded.decoder
        self._may_grow = settings.asr_context == "auto"
        self._trips = Trips()
        self._folder = loaded.folder
        self._scheduler = scheduler
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
        if self.context.undecided:
            self.context = await whisper_context.find(self._scheduler, self.decoder, self._folder, self.context)
        else:
            await trio.lowlevel.checkpoint()

    def submit_final(self, begin: Callable[[], Job[Decoded]], rank: Rank) -> Ticket[Decoded]:
        """Queue a decode, which `answer` waits for."""
        return self._scheduler.submit(begin, rank)

    def submit_partial(
        self, begin: Callable[[], Job[Asked]], *, has_context: bool, ready: Callable[[], bool]
    ) -> Ticket[Decoded]:
        """Queue a decode that may be done together with those of others, which `answer` waits for."""
        return self._scheduler.submit_to(self._partials[has_context], begin, Rank.PARTIAL, ready=ready)

    def learn(self, decoded: Decoded) -> None:
        """Give all that follows more context, where too many of late have tripped in what there is."""
        if self._trips.count(decoded.tripped) and self._may_grow:
            self.context = self.context.grown
            log.info("asr_context grows", model=self.name, context_s=self.context.final_s)

    async def answer(self, ticket: Ticket[Decoded]) -> Decoded:
        """Return what a decode gave. Raises `EngineError` (ASR_FAIL)."""
        try:
            return await ticket.wait()
        except DECODE_ERRORS as error:
            raise EngineError(
                ErrorCode.ASR_FAIL, f"{self.name} could not decode what was said ({type(error).__name__})."
            ) from error


class WhisperUtterance:
    """One utterance: its audio so far, and what was last made of it."""

    def __init__(self, recognizer: WhisperRecognizer, language: str | None, window: TailWindow) -> None:
        self.compute_s = 0.0
        self._recognizer = recognizer
        self._language = language
        self._pcm = bytearray()
        self._window = window
        self._heard = Hypothesis("", 0)
        self._draft: _Draft | None = None
        self._final: _Final | None = None
        self._pieces: dict[Piece, Decoded] = {}

    @property
    def _samples(self) -> int:
        return len(self._pcm) // BYTES_PER_SAMPLE

    def feed(self, pcm: bytes) -> None:
        """Add 16 kHz s16le mono audio. Never waits."""
        self._pcm += pcm

    def close(self) -> None:
        """Drop what nobody will ask for any more."""
        if self._final is not None:
            self._final.drop()

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
                again=False,
            )

        ticket = self._recognizer.submit_partial(
            take,
            has_context=bool(self._window.before),
            # An early final that runs hears all that a partial would.
            ready=lambda: self._final is None or not self._final.ticket.running,
        )
        try:
            decoded = await self._recognizer.answer(ticket)
        finally:
            ticket.drop()
        self.compute_s += decoded.compute_s
        self._recognizer.learn(decoded)
        if not decoded.words:
            # Nothing is heard, or what is heard cannot be trusted so far as to cut by it.
            text = f"{context} {decoded.text}".strip()
        else:
            if not begin and not context:
                self._draft = _Draft(decoded, through, least_s)
            text = self._window.push(placed(decoded.words), through)
        self._heard = Hypothesis(text, through)
        return self._heard

    async def anticipate(self, voiced_through: int) -> None:
        """Begin the final of an utterance whose voice was last heard just before that sample.

        Cancelled, it is taken back.
        """
        if self._drafted(voiced_through, self._samples) is not None:
            await trio.lowlevel.checkpoint()
            return
        final = self._final_to(voiced_through + _TAIL, Rank.EARLY)
        try:
            await self._finish(final)
        except BaseException:
            # Not what `settle` waits for by now, or has begun in its place.
            if self._final is final and final.ticket.rank is Rank.EARLY:
                self.close()
                self._final = None
            raise

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good. Raises `EngineError` (ASR_FAIL).

        A partial or an early final that covers all that was voiced is the answer, if its context was the final's.
        """
        end = min(through_sample, self._samples)
        if end <= 0:
            await trio.lowlevel.checkpoint()
            return Transcript("", self._language)
        decoded = self._drafted(end if voiced_through is None else voiced_through, end)
        if voiced_through is not None:
            end = min(end, voiced_through + _TAIL)
        if decoded is not None:
            await trio.lowlevel.checkpoint()
        else:
            decoded = await self._finish(self._final_to(end, Rank.FINAL))
        return Transcript(decoded.text, decoded.language, decoded.language_probability)

    def _final_to(self, end: int, rank: Rank) -> _Final:
        """Return the final that ends at ``end``: the one there is, if there is one."""
        if self._final is not None and self._final.end == end:
            self._final.ticket.hurry(rank)
            return self._final
        self.close()

        def take() -> Job[Decoded]:
            audio, language, least_s = self._audio(0, end), self._language, self._recognizer.context.final_s
            return lambda: decode_all(
                self._recognizer.decoder, floats(audio), language, least_s, self._pieces, lambda: final.wanted
            )

        self._final = final = _Final(end, self._recognizer.submit_final(take, rank))
        return final

    async def _finish(self, final: _Final) -> Decoded:
        """Return what ``final`` gave, its cost and its language accounted for. Raises `EngineError` (ASR_FAIL)."""
        try:
            decoded = await self._recognizer.answer(final.ticket)
        except EngineError:
            if self._final is final:
                self._final = None
            raise
        if not final.learnt:
            final.learnt = True
            self.compute_s += decoded.compute_s
            self._recognizer.learn(decoded)
            # Finding the language costs a pass of the decoder, and may turn out differently each time.
            self._language = self._language or _sure_of(decoded, final.end)
        return decoded

    def _drafted(self, voiced_through: int, end: int) -> Decoded | None:
        """Return the hypothesis that is as good as a final of what is voiced before ``end``, if there is one."""
        draft, context = self._draft, self._recognizer.context
        if draft is None or not voiced_through <= draft.through <= end:
            return None
        return draft.decoded if draft.decoded.padded or context.final_s <= draft.least_s else None

    def _audio(self, begin: int, end: int) -> bytes:
        return bytes(memoryview(self._pcm)[begin * BYTES_PER_SAMPLE : end * BYTES_PER_SAMPLE])


@dataclass(frozen=True, slots=True)
class _Draft:
    """A hypothesis of the utterance from its first sample."""

    decoded: Decoded
    through: int
    least_s: float
    """The context that it was asked for with."""


@dataclass(slots=True)
class _Final:
    """The last final that was begun, early or not."""

    end: int
    """The sample that it goes to."""
    ticket: Ticket[Decoded]
    learnt: bool = False
    """Whether what it cost and found is accounted for."""
    wanted: bool = True
    """Read by the thread that decodes it, too."""

    def drop(self) -> None:
        """Say that nobody wants it: it does not begin, or ends with the piece that is being decoded."""
        self.wanted = False
        self.ticket.drop()


def _sure_of(decoded: Decoded, samples: int) -> str | None:
    """Return the language of ``decoded``, if that much audio and a probability so high make it sure."""
    sure = (
        samples >= SURE_LANGUAGE_S * SAMPLE_RATE
        and decoded.language_probability >= SURE_LANGUAGE_PROBABILITY
        and decoded.text
    )
    return decoded.language if sure else None
