"""An utterance's course in a recognizer that decodes when it is asked.

Partials on the way, a final over all of it, and a final begun early, when silence looks like the end. What a partial
decodes, and what its words are, is the recognizer's own: a subclass of `DecodedUtterance` says it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.engines.base import EngineError, Hypothesis, Transcript
from voice_trio.engines.decoding.pieces import Piece
from voice_trio.engines.decoding.recognizer import DecodingRecognizer
from voice_trio.engines.decoding.scheduler import Batch, Job, Rank, Ticket

TAIL = SAMPLE_RATE // 5
"""Silence that a final is given behind the last of the voice: a soft ending is no speech to a detector. One that is
begun in a pause has what there is by then."""


class Answer(Protocol):
    """What a decode gives, whatever else there is in it."""

    @property
    def compute_s(self) -> float:
        """Seconds that its thread took."""


D = TypeVar("D", bound=Answer)


@dataclass(frozen=True, slots=True)
class Draft(Generic[D]):
    """A hypothesis of the utterance from its first sample."""

    decoded: D
    through: int


@dataclass(frozen=True, slots=True)
class Partial(Generic[D]):
    """A partial that is about to be decoded."""

    work: Any
    """What its batch is given."""
    words: Callable[[D], str]
    """Returns all words of the utterance, given what the decode came to. Called in Trio's thread, once."""


class DecodedUtterance(ABC, Generic[D]):
    """One utterance: its audio so far, and what was last made of it."""

    draft_tail = 0
    """Samples behind the last of the voice that a partial has to have heard to be as good as the final."""

    def __init__(self, recognizer: DecodingRecognizer[D], language: str | None) -> None:
        self.compute_s = 0.0
        self.language = language
        self.pieces: dict[Piece, D] = {}
        """Pieces of finals, decoded once."""
        self.draft: Draft[D] | None = None
        self._recognizer = recognizer
        self._pcm = bytearray()
        self._heard = Hypothesis("", 0)
        self._final: _Final[D] | None = None
        self._anticipated: tuple[int, D] | None = None
        """What the latest `anticipate` came to, and where it took the voice to end."""

    # --- what a recognizer says of its own ---

    @abstractmethod
    def partial_batch(self) -> Batch[Any, D]:
        """Return with which others the next partial may be decoded."""

    @abstractmethod
    def begin_partial(self, through: int, wanted: Callable[[], bool]) -> Partial[D]:
        """Begin a partial of the audio before ``through``; its decode may look whether it is still ``wanted``."""

    @abstractmethod
    def final_job(self, end: int, wanted: Callable[[], bool]) -> Job[D]:
        """Return what decodes the audio before ``end``, for as long as it is ``wanted``."""

    @abstractmethod
    def transcript(self, decoded: D) -> Transcript:
        """Return a final's words."""

    def good_enough(self, draft: Draft[D]) -> bool:
        """Return whether ``draft``, which has heard everything, is what a final would be."""
        return True

    def learn(self, decoded: D, end: int) -> None:
        """Take what a final of the audio before ``end`` found out."""

    def audio(self, begin: int, end: int) -> bytes:
        """Return s16le samples."""
        return bytes(memoryview(self._pcm)[begin * BYTES_PER_SAMPLE : end * BYTES_PER_SAMPLE])

    # --- what a session asks ---

    @property
    def samples(self) -> int:
        """How many were fed."""
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
        if self.samples == self._heard.through_sample:
            # A client that sends nothing more costs nothing more.
            await trio.lowlevel.checkpoint()
            return self._heard
        begun: list[tuple[Partial[D], int]] = []
        wanted = True

        def take() -> Any:
            through = self.samples
            partial = self.begin_partial(through, lambda: wanted)
            begun.append((partial, through))
            return partial.work

        ticket = self._recognizer.submit_partial(
            self.partial_batch(),
            take,
            # An early final that runs hears all that a partial would.
            ready=lambda: self._final is None or not self._final.ticket.running,
        )
        try:
            decoded = await self._recognizer.answer(ticket)
        finally:
            wanted = False
            ticket.drop()
        ((partial, through),) = begun
        self.compute_s += decoded.compute_s
        self._heard = Hypothesis(partial.words(decoded), through)
        return self._heard

    async def anticipate(self, voiced_through: int) -> Transcript | None:
        """Begin the final of an utterance whose voice was last heard just before that sample, and return its words.

        Cancelled, it is taken back. None is returned where somebody else's final waits meanwhile.
        """
        decoded = self._drafted(voiced_through + self.draft_tail, self.samples)
        if decoded is not None:
            await trio.lowlevel.checkpoint()
        else:
            decoded = await self._begin_early(voiced_through)
        self._anticipated = voiced_through, decoded
        return None if self._recognizer.is_awaited else self.transcript(decoded)

    async def _begin_early(self, voiced_through: int) -> D:
        """Return what the final of an utterance comes to that may be over. Cancelled, it is taken back."""
        final = self._final_to(voiced_through + TAIL, Rank.EARLY)
        try:
            return await self._finish(final)
        except BaseException:
            # Not what `settle` waits for by now, or has begun in its place.
            if self._final is final and final.ticket.rank is Rank.EARLY:
                self.close()
                self._final = None
            raise

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good. Raises `EngineError` (ASR_FAIL).

        A partial or an early final that covers all that was voiced is the answer, if it is as good as the final: what
        `anticipate` came to, or else the latest.
        """
        end = min(through_sample, self.samples)
        if end <= 0:
            await trio.lowlevel.checkpoint()
            return Transcript("", self.language)
        heard_through = end if voiced_through is None else min(voiced_through + self.draft_tail, end)
        if self._anticipated is not None and self._anticipated[0] == voiced_through:
            decoded: D | None = self._anticipated[1]
        else:
            decoded = self._drafted(heard_through, end)
        if voiced_through is not None:
            end = min(end, voiced_through + TAIL)
        if decoded is not None:
            await trio.lowlevel.checkpoint()
        else:
            decoded = await self._finish(self._final_to(end, Rank.FINAL))
        return self.transcript(decoded)

    def _final_to(self, end: int, rank: Rank) -> _Final[D]:
        """Return the final that ends at ``end``: the one there is, if there is one."""
        if self._final is not None and self._final.end == end:
            self._final.ticket.hurry(rank)
            return self._final
        self.close()

        def take() -> Job[D]:
            return self.final_job(end, lambda: final.wanted)

        self._final = final = _Final(end, self._recognizer.submit_final(take, rank))
        return final

    async def _finish(self, final: _Final[D]) -> D:
        """Return what ``final`` gave, its cost and its findings accounted for. Raises `EngineError` (ASR_FAIL)."""
        try:
            decoded = await self._recognizer.answer(final.ticket)
        except EngineError:
            if self._final is final:
                self._final = None
            raise
        if not final.learnt:
            final.learnt = True
            self.compute_s += decoded.compute_s
            self.learn(decoded, final.end)
        return decoded

    def _drafted(self, heard_through: int, end: int) -> D | None:
        """Return the hypothesis that has heard so much and nothing behind ``end``, if it is as good as a final."""
        draft = self.draft
        if draft is None or not heard_through <= draft.through <= end:
            return None
        return draft.decoded if self.good_enough(draft) else None


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
        """Say that nobody wants it: it does not begin, or ends as soon as its decode looks."""
        self.wanted = False
        self.ticket.drop()
