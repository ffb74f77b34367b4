"""A recognizer on another machine: it is given an utterance, or what there is of it, and answers with the words.

While a person speaks it is asked for partials, seldom and a few at a time, of whatever audio there is by then; a final
waits for none of them. Where it cannot be had, the recognizer that stands by hears the utterance from its beginning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from typing import Final

import outcome
import structlog
import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Hypothesis, Recognizer, Transcript, Utterance, open_utterance
from voice_trio.engines.decoding.utterance import TAIL
from voice_trio.engines.remote.asking import Hearer
from voice_trio.engines.remote.ends import FarEndFailed, FarEnds

log = structlog.get_logger("voice_trio")

PARTIALS_AT_ONCE: Final = 2
"""Of all sessions: the far end's room is for finals."""
FIRST_SAMPLES: Final = SAMPLE_RATE // 2
"""Audio of the first partial. Of less there are seldom words."""
_OF_AUDIO: Final = 0.1
"""An attempt may take so much of the audio's length longer."""
_SHARE: Final = 0.5
"""Of a final's time, what the far ends have where another recognizer stands by."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How utterances are heard."""

    ends: FarEnds
    hearer: Hearer
    local: Recognizer | None
    """What stands by."""
    has_partials: bool
    timeout_s: float
    """Of a final."""
    partials: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(PARTIALS_AT_ONCE))


class RemoteRecognizer:
    """Asks the far ends, and what stands by."""

    languages: Sequence[str] = ()
    """Not known before they are asked."""
    partial_interval_ms = 1000

    def __init__(self, ways: Ways) -> None:
        self.ends = ways.ends
        self.name = f"remote recognizer ({ways.ends.places})"
        self._ways = ways

    @property
    def ready(self) -> bool:
        """Whether an utterance would be heard by anybody."""
        local = self._ways.local
        return not self.ends.all_rest or (local is not None and local.ready)

    def open(self, language: str | None) -> AbstractAsyncContextManager[RemoteUtterance]:
        """Begin an utterance."""
        return self._open(language, None)

    def open_guided(self, likely: str) -> AbstractAsyncContextManager[RemoteUtterance]:
        """Begin an utterance whose language the far end finds out, and what stands by is guided to."""
        return self._open(None, likely)

    @asynccontextmanager
    async def _open(self, language: str | None, likely: str | None) -> AsyncIterator[RemoteUtterance]:
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            try:
                yield RemoteUtterance(self._ways, language, likely, nursery)
            except Exception as error:
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure


@dataclass(eq=False, slots=True)
class _Final:
    """A final that is under way, or was."""

    end: int
    """The sample that it goes to."""
    voiced_through: int | None
    """The sample that the voice was last heard before, as far as that is known: all behind it is silence."""
    is_early: bool
    """The utterance may go on."""
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    answer: outcome.Value[Transcript] | outcome.Error | None = None
    """None of one that was taken back."""
    done: trio.Event = field(default_factory=trio.Event)
    awaited: int = 0
    """How many wait for it."""


class RemoteUtterance:
    """One utterance: its audio, and what was last made of it."""

    def __init__(self, ways: Ways, language: str | None, likely: str | None, nursery: trio.Nursery) -> None:
        self._ways = ways
        self._language = language
        self._likely = likely
        self._nursery = nursery
        self._pcm = bytearray()
        self._answering_s = 0.0
        self._heard = Hypothesis("", 0)
        self._final: _Final | None = None
        self._local: Utterance | None = None
        self._local_fed = 0
        self._opening = trio.Lock()

    @property
    def compute_s(self) -> float:
        """Seconds that far ends took to answer, and those that this machine computed."""
        return self._answering_s + (self._local.compute_s if self._local is not None else 0.0)

    @property
    def samples(self) -> int:
        """How many were fed."""
        return len(self._pcm) // BYTES_PER_SAMPLE

    def feed(self, pcm: bytes) -> None:
        """Add 16 kHz s16le mono audio. Never waits."""
        self._pcm += pcm

    async def hypothesize(self) -> Hypothesis:
        """Return the words of the audio there is when it is sent, or the last ones where none can be had.

        It raises nothing of a far end, which may well answer when the words count.
        """
        await trio.lowlevel.checkpoint()
        if not self._ways.has_partials or self.samples < FIRST_SAMPLES or self.samples == self._heard.through_sample:
            return self._heard
        async with self._ways.partials:
            through = self.samples
            try:
                heard = await self._ask(through, seconds=inf, once=True)
                self._heard = Hypothesis(heard.text, through)
            except FarEndFailed:
                if self._ways.ends.all_rest:
                    with suppress(EngineError):
                        if (local := await self._opened()) is not None:
                            self._heard = await local.hypothesize()
        return self._heard

    async def anticipate(self, voiced_through: int) -> Transcript | None:
        """Have the final heard of an utterance that may be over, and return its words. Cancelled, it is taken back."""
        return await self._finished(min(voiced_through + TAIL, self.samples), voiced_through, is_early=True)

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good. Raises `EngineError` (ASR_FAIL)."""
        end = min(through_sample, self.samples)
        if voiced_through is not None:
            end = min(end, voiced_through + TAIL)
        if end <= 0:
            await trio.lowlevel.checkpoint()
            return Transcript("", self._language)
        heard = await self._finished(end, voiced_through, is_early=False)
        assert heard is not None, "none but early ones are taken back"
        return heard

    async def _finished(self, end: int, voiced_through: int | None, *, is_early: bool) -> Transcript | None:
        """Return the final of the audio before ``end``: the one there is, or a new one. None if it was taken back.

        One that was begun in the pause, with less silence behind the voice, is as good.
        """
        final = self._final
        known = voiced_through is not None
        if (
            final is not None
            and (final.end == end or (known and final.voiced_through == voiced_through))
            and not isinstance(final.answer, outcome.Error)
        ):
            final.is_early = final.is_early and is_early
        else:
            if final is not None and final.is_early:
                final.scope.cancel()
            self._final = final = _Final(end, voiced_through, is_early)
            self._nursery.start_soon(self._hear, final)
        final.awaited += 1
        try:
            await final.done.wait()
        finally:
            final.awaited -= 1
            if not (final.awaited or final.done.is_set()):
                final.scope.cancel()
                self._final = None if self._final is final else self._final
        if isinstance(final.answer, outcome.Error):
            raise final.answer.error
        return None if final.answer is None else final.answer.value

    async def _hear(self, final: _Final) -> None:
        with final.scope:
            try:
                final.answer = outcome.Value(await self._words(final.end))
            except EngineError as error:
                final.answer = outcome.Error(error)
        final.done.set()

    async def _words(self, end: int) -> Transcript:
        """Return the words of the audio before ``end``, of whoever can be had. Raises `EngineError` (ASR_FAIL)."""
        seconds = self._ways.timeout_s * (_SHARE if self._ways.local is not None else 1.0)
        try:
            return await self._ask(end, seconds=seconds)
        except FarEndFailed as error:
            failure = error
        local = await self._opened()
        if local is None:
            raise EngineError(ErrorCode.ASR_FAIL, f"The remote recognizer failed. {failure.message}") from failure
        log.info("recognised here", reason=failure.message)
        return await local.settle(end)

    async def _ask(self, end: int, *, seconds: float, once: bool = False) -> Transcript:
        """Return what a far end hears in the audio before ``end``. Raises `FarEndFailed`."""
        pcm = bytes(memoryview(self._pcm)[: end * BYTES_PER_SAMPLE])
        attempt_s = self._ways.ends.attempt_s + _OF_AUDIO * end / SAMPLE_RATE
        begun = trio.current_time()
        try:
            return await self._ways.ends.ask(
                lambda far_end: self._ways.hearer.hear(far_end, pcm, self._language),
                seconds=seconds,
                attempt_s=attempt_s,
                once=once,
            )
        finally:
            self._answering_s += trio.current_time() - begun

    async def _opened(self) -> Utterance | None:
        """Return the utterance in what stands by, which has been fed all of it; None where nothing does."""
        if self._ways.local is None:
            return None
        async with self._opening:
            if self._local is None:
                self._local = await self._nursery.start(self._keep_open, self._ways.local)
        fed, self._local_fed = self._local_fed, len(self._pcm)
        self._local.feed(bytes(memoryview(self._pcm)[fed:]))
        return self._local

    async def _keep_open(self, local: Recognizer, *, task_status: trio.TaskStatus[Utterance]) -> None:
        """Have the utterance open in what stands by, in a task of its own: whoever needs it first may be cancelled."""
        async with open_utterance(local, self._language, self._likely) as utterance:
            task_status.started(utterance)
            await trio.sleep_forever()
