"""An utterance in a recognizer that decodes a stretch of audio at a time: its audio, and its final.

Nothing is decoded before somebody asks. The final may be begun early, in a pause that looks like the end; it is the one
that `settle` gives if the person did not go on, and a partial that heard all that was said saves it altogether. What
one decode is, and what is decoded for a partial, is the recognizer's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Hypothesis, Transcript
from voice_trio.engines.decoding.scheduler import Job, Rank, Scheduler, Ticket

DECODE_ERRORS = (RuntimeError, ValueError, MemoryError)
"""What the libraries raise; nothing of Trio runs in a decode's thread."""

TAIL = SAMPLE_RATE // 5
"""Silence that a final is given behind the last of the voice, in samples: a soft ending is no speech to a detector."""


class Said(Protocol):
    """What a decode made of its audio."""

    @property
    def text(self) -> str:
        """Its words."""

    @property
    def language(self) -> str | None:
        """ISO 639-1 code, where it is known."""

    @property
    def language_probability(self) -> float:
        """0.0 to 1.0."""

    @property
    def compute_s(self) -> float:
        """Seconds that its thread took."""


D = TypeVar("D", bound=Said)
T = TypeVar("T")


async def answer(ticket: Ticket[T], name: str) -> T:
    """Return what a decode by the recognizer ``name`` gave. Raises `EngineError` (ASR_FAIL)."""
    try:
        return await ticket.wait()
    except DECODE_ERRORS as error:
        raise EngineError(
            ErrorCode.ASR_FAIL, f"{name} could not decode what was said ({type(error).__name__})."
        ) from error


class DecodedUtterance(ABC, Generic[D]):
    """One utterance: its audio so far, and the final that was last begun. A subclass has the partials."""

    def __init__(self, name: str, scheduler: Scheduler, language: str | None) -> None:
        """``name`` is the recognizer's; in None as ``language`` it is found out."""
        self.compute_s = 0.0
        self._name = name
        self._scheduler = scheduler
        self._language = language
        self._pcm = bytearray()
        self._final: _Final[D] | None = None

    @abstractmethod
    async def hypothesize(self) -> Hypothesis:
        """Return the words of the audio there is when the decode begins. Raises `EngineError` (ASR_FAIL)."""

    @abstractmethod
    def _final_job(self, end: int, wanted: Callable[[], bool]) -> Job[D]:
        """Return what decodes the samples before ``end``, for as long as it is ``wanted``."""

    @abstractmethod
    def _drafted(self, voiced_through: int, end: int) -> D | None:
        """Return the hypothesis that is as good as a final of what is voiced before ``end``, if there is one."""

    def _learn(self, decoded: D, end: int) -> None:
        """Take what a final of the samples before ``end`` found, once."""

    @property
    def _samples(self) -> int:
        return len(self._pcm) // BYTES_PER_SAMPLE

    def _audio(self, begin: int, end: int) -> bytes:
        return bytes(memoryview(self._pcm)[begin * BYTES_PER_SAMPLE : end * BYTES_PER_SAMPLE])

    def feed(self, pcm: bytes) -> None:
        """Add 16 kHz s16le mono audio. Never waits."""
        self._pcm += pcm

    def close(self) -> None:
        """Drop what nobody will ask for any more."""
        if self._final is not None:
            self._final.drop()

    async def anticipate(self, voiced_through: int) -> None:
        """Begin the final of an utterance whose voice was last heard just before that sample.

        Cancelled, it is taken back.
        """
        if self._drafted(voiced_through, self._samples) is not None:
            await trio.lowlevel.checkpoint()
            return
        final = self._final_to(voiced_through + TAIL, Rank.EARLY)
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

        A partial or an early final that covers all that was voiced is the answer, if it was decoded as a final is.
        """
        end = min(through_sample, self._samples)
        if end <= 0:
            await trio.lowlevel.checkpoint()
            return Transcript("", self._language)
        decoded = self._drafted(end if voiced_through is None else voiced_through, end)
        if voiced_through is not None:
            end = min(end, voiced_through + TAIL)
        if decoded is not None:
            await trio.lowlevel.checkpoint()
        else:
            decoded = await self._finish(self._final_to(end, Rank.FINAL))
        return Transcript(decoded.text, decoded.language, decoded.language_probability)

    def _final_to(self, end: int, rank: Rank) -> _Final[D]:
        """Return the final that ends at ``end``: the one there is, if there is one."""
        if self._final is not None and self._final.end == end:
            self._final.ticket.hurry(rank)
            return self._final
        self.close()

        def take() -> Job[D]:
            return self._final_job(end, lambda: final.wanted)

        self._final = final = _Final(end, self._scheduler.submit(take, rank))
        return final

    async def _finish(self, final: _Final[D]) -> D:
        """Return what ``final`` gave, its cost and what it found accounted for. Raises `EngineError` (ASR_FAIL)."""
        try:
            decoded = await answer(final.ticket, self._name)
        except EngineError:
            if self._final is final:
                self._final = None
            raise
        if not final.learnt:
            final.learnt = True
            self.compute_s += decoded.compute_s
            self._learn(decoded, final.end)
        return decoded

    @property
    def _final_runs(self) -> bool:
        """Whether a final is being decoded: it hears all that a partial would."""
        return self._final is not None and self._final.ticket.running


@dataclass(slots=True)
class _Final(Generic[D]):
    """The last final that was begun, early or not."""

    end: int
    """The sample that it goes to."""
    ticket: Ticket[D]
    learnt: bool = False
    """Whether what it cost and found is accounted for."""
    wanted: bool = True
    """Read by the thread that decodes it, too."""

    def drop(self) -> None:
        """Say that nobody wants it: it does not begin, or ends with the piece that is being decoded."""
        self.wanted = False
        self.ticket.drop()
