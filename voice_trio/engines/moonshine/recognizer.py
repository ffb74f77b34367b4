"""Moonshine as a recognizer: one model for every session, behind the scheduler.

Partials decode the end of the utterance alone: what lies before a quiet place is decoded once, and left. A final
decodes longer pieces, since the model hears better what it hears whole; a partial of a short utterance is as good.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, EngineError, Hypothesis, Recognizer
from voice_trio.engines.decoding.pieces import floats
from voice_trio.engines.decoding.scheduler import Job, Rank, Scheduler, open_scheduler
from voice_trio.engines.decoding.utterance import DECODE_ERRORS, DecodedUtterance, answer
from voice_trio.engines.moonshine.decode import Decoded, MoonshineDecoder, Part
from voice_trio.engines.moonshine.weights import NoWeights, find
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind

LANGUAGE = "en"

_FIRST = SAMPLE_RATE * 12 // 10
"""Less is often taken for something else: no partial is made of it."""
_SHORTEST_TAIL = SAMPLE_RATE * 9 // 10
"""The same, of what stands behind a piece that was left: the sentence before it helps a little."""
_PARTIAL_S = 6.0
"""The longest audio that a partial decodes, whose cost is 0.3 s of computing a second at that length."""
_FINAL_S = 20.0
"""The longest that a final decodes in one piece."""
_INTERVAL_MS = 300


class MoonshineRecognizer:
    """The recognizer over the loaded model."""

    name = "moonshine tiny-en"
    languages: Sequence[str] = (LANGUAGE,)
    ready = True

    def __init__(self, decoder: MoonshineDecoder, scheduler: Scheduler) -> None:
        self.decoder = decoder
        self.scheduler = scheduler

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator[MoonshineUtterance]:
        """Begin an utterance. Raises `EngineError` (ASR_FAIL) for any language but English."""
        if language not in (None, LANGUAGE):
            raise EngineError(ErrorCode.ASR_FAIL, f"{self.name} understands English only.")
        utterance = MoonshineUtterance(self)
        try:
            yield utterance
        finally:
            utterance.close()


class MoonshineUtterance(DecodedUtterance[Decoded]):
    """One utterance: what `DecodedUtterance` has, and what was last made of its end."""

    def __init__(self, recognizer: MoonshineRecognizer) -> None:
        super().__init__(recognizer.name, recognizer.scheduler, LANGUAGE)
        self._decoder = recognizer.decoder
        self._heard = Hypothesis("", 0)
        self._left: tuple[Part, ...] = ()
        """What partials need not decode again."""
        self._draft: Decoded | None = None
        """The last hypothesis, of all the utterance in one piece."""
        self._pieces: dict[tuple[int, int], Part] = {}

    async def hypothesize(self) -> Hypothesis:
        """Return the words of the audio there is when the decode begins. Raises `EngineError` (ASR_FAIL)."""
        begin = self._left[-1].end if self._left else 0
        enough = begin + (_SHORTEST_TAIL if begin else _FIRST)
        if self._samples == self._heard.through_sample or self._samples < enough:
            await trio.lowlevel.checkpoint()
            return self._heard
        through = 0

        def take() -> Job[Decoded]:
            nonlocal through
            through = self._samples
            audio = self._audio(0, through)
            return lambda: self._decoder.decode(floats(audio), begin=begin, most_s=_PARTIAL_S, known={})

        ticket = self._scheduler.submit(take, Rank.PARTIAL)
        try:
            decoded = await answer(ticket, self._name)
        finally:
            ticket.drop()
        self.compute_s += decoded.compute_s
        *finished, last = decoded.parts
        said = [*self._left, *decoded.parts]
        if last.end - last.begin < _SHORTEST_TAIL and len(said) > 1:
            said.pop()
        self._draft = decoded if len(said) == 1 and not self._left else None
        self._left += tuple(finished)
        self._heard = Hypothesis(" ".join(part.text for part in said if part.text), through)
        return self._heard

    def _final_job(self, end: int, wanted: Callable[[], bool]) -> Job[Decoded]:
        audio = self._audio(0, end)
        return lambda: self._decoder.decode(floats(audio), most_s=_FINAL_S, known=self._pieces, wanted=wanted)

    def _drafted(self, voiced_through: int, end: int) -> Decoded | None:
        draft = self._draft
        return draft if draft is not None and voiced_through <= draft.parts[-1].end <= end else None


@asynccontextmanager
async def open_moonshine(settings: Settings) -> AsyncIterator[Recognizer]:
    """Have the recognizer for as long as the block runs. Raises `CannotLoad`."""
    try:
        decoder = await trio.to_thread.run_sync(lambda: MoonshineDecoder(find()))
    except NoWeights as error:
        raise CannotLoad(f"Moonshine cannot be used: {error}.") from error
    except DECODE_ERRORS as error:
        raise CannotLoad(f"Moonshine's weights cannot be loaded: {error}") from error
    async with open_scheduler(settings.asr_workers, close_s=settings.asr_timeout_s) as scheduler:
        yield MoonshineRecognizer(decoder, scheduler)


def _missing(settings: Settings) -> str | None:
    if settings.language not in ("", LANGUAGE):
        return f"it understands English only, and STREAM_LANGUAGE is {settings.language!r}"
    try:
        find()
    except NoWeights as error:
        return str(error)
    return None


PLUG = Plug(
    kind=Kind.RECOGNIZER,
    name="moonshine",
    title="Moonshine",
    about="Moonshine hears English well and quickly.",
    settings=Settings,
    open=open_moonshine,
    missing=_missing,
    quality=60,
    partial_interval_ms=_INTERVAL_MS,
)
