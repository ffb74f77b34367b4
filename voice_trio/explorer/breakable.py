"""Engines and a store around others, that work as those do until they are broken from outside, at any moment.

They also keep a note of what they were asked and what they gave, which is what a session is held against.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import trio

from voice_trio.core.history import Message, Record
from voice_trio.engines.around import AroundLanguageModel, AroundRecognizer, AroundSynthesizer, AroundUtterance
from voice_trio.engines.base import (
    Engines,
    Hypothesis,
    LanguageModel,
    Recognizer,
    ReplyEvent,
    Speech,
    Synthesizer,
    TextDelta,
    Transcript,
    Utterance,
)
from voice_trio.memory.base import Store

T = TypeVar("T")


class Breaker:
    """Stands between an engine and who uses it. What it breaks is the call under way, or if there is none the next."""

    def __init__(self) -> None:
        self.busy = 0
        """Calls under way."""
        self.open = 0
        """Utterances or replies that are open."""
        self.raised = 0
        """Calls that were broken by an error."""
        self._fault: Exception | None = None
        self._hangs = False
        self._under_way: set[trio.CancelScope] = set()

    def fail(self, error: Exception) -> None:
        """Have one call raise ``error``."""
        self._fault = error
        self._break()

    def hang(self) -> None:
        """Have one call never answer."""
        self._hangs = True
        self._break()

    def mend(self) -> None:
        """Work again."""
        self._fault, self._hangs = None, False

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` does, or break."""
        self.busy += 1
        try:
            with trio.CancelScope() as scope:
                if not self._broken:
                    self._under_way.add(scope)
                    return await work()
            await trio.lowlevel.checkpoint_if_cancelled()
            if self._hangs:
                self._hangs = False
                await trio.sleep_forever()
            error, self._fault = self._fault, None
            assert error is not None
            self.raised += 1
            raise error
        finally:
            self._under_way.discard(scope)
            self.busy -= 1

    @property
    def _broken(self) -> bool:
        return self._hangs or self._fault is not None

    def _break(self) -> None:
        for scope in self._under_way:
            scope.cancel()


@dataclass
class Breakers:
    """The stages of a turn, and the store."""

    asr: Breaker = field(default_factory=Breaker)
    llm: Breaker = field(default_factory=Breaker)
    tts: Breaker = field(default_factory=Breaker)
    store: Breaker = field(default_factory=Breaker)

    @property
    def stages(self) -> tuple[Breaker, Breaker, Breaker]:
        """Those that may not be at work any more when a turn ends."""
        return self.asr, self.llm, self.tts

    def mend(self) -> None:
        """Have everything work again."""
        for breaker in (*self.stages, self.store):
            breaker.mend()

    def at_work(self) -> int:
        """Return how many calls of the stages are under way, and how much is open."""
        return sum(breaker.busy + breaker.open for breaker in self.stages)


class BreakableRecognizer(AroundRecognizer):
    """A recogniser around another."""

    def __init__(self, inner: Recognizer, breaker: Breaker) -> None:
        super().__init__(inner)
        self.transcripts: list[str] = []
        """What it settled on, in order."""
        self._breaker = breaker

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator[BreakableUtterance]:
        """Begin an utterance."""
        self._breaker.open += 1
        try:
            async with self._inner.open(language) as utterance:
                yield BreakableUtterance(utterance, self._breaker, self.transcripts)
        finally:
            self._breaker.open -= 1


class BreakableUtterance(AroundUtterance):
    """An utterance around another."""

    def __init__(self, inner: Utterance, breaker: Breaker, transcripts: list[str]) -> None:
        super().__init__(inner)
        self._breaker = breaker
        self._transcripts = transcripts

    async def hypothesize(self) -> Hypothesis:
        """Return what the other does, or break."""
        return await self._breaker.call(self._inner.hypothesize)

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return what the other does, or break."""
        transcript = await self._breaker.call(lambda: self._inner.settle(through_sample, voiced_through))
        self._transcripts.append(transcript.text)
        return transcript


class BreakableModel(AroundLanguageModel):
    """A language model around another."""

    def __init__(self, inner: LanguageModel, breaker: Breaker) -> None:
        super().__init__(inner)
        self.replies: list[str] = []
        """What it wrote, in order."""
        self.prompts: list[Sequence[Message]] = []
        """What it was asked, in order."""
        self._breaker = breaker

    @asynccontextmanager
    async def stream(self, messages: Sequence[Message]) -> AsyncIterator[AsyncIterator[ReplyEvent]]:
        """Begin a reply."""
        self.prompts.append(tuple(messages))
        self.replies.append("")
        self._breaker.open += 1
        try:
            async with self._inner.stream(messages) as events:
                yield _Events(events, self._breaker, self.replies)
        finally:
            self._breaker.open -= 1


class _Events:
    """A reply around another. Not a generator, so that nothing is left to close."""

    def __init__(self, inner: AsyncIterator[ReplyEvent], breaker: Breaker, replies: list[str]) -> None:
        self._inner = inner
        self._breaker = breaker
        self._replies = replies

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> ReplyEvent:
        event = await self._breaker.call(self._inner.__anext__)
        if isinstance(event, TextDelta):
            self._replies[-1] += event.text
        return event


class BreakableSynthesizer(AroundSynthesizer):
    """A voice around another."""

    def __init__(self, inner: Synthesizer, breaker: Breaker) -> None:
        super().__init__(inner)
        self._breaker = breaker

    async def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speech:
        """Say ``text``, or break."""
        return await self._breaker.call(lambda: self._inner.speak(text, seconds=seconds, voice=voice, speed=speed))


@dataclass
class BreakableEngines:
    """A whole set of engines around another."""

    recognizer: BreakableRecognizer
    language_model: BreakableModel
    engines: Engines
    """As a session takes them."""


def breakable(inner: Engines, breakers: Breakers) -> BreakableEngines:
    """Return ``inner`` with ``breakers`` before it."""
    recognizer = BreakableRecognizer(inner.recognizer, breakers.asr)
    language_model = BreakableModel(inner.language_model, breakers.llm)
    synthesizer = BreakableSynthesizer(inner.synthesizer, breakers.tts)
    engines = Engines(
        recognizer=recognizer,
        language_model=language_model,
        synthesizer=synthesizer,
        new_detector=inner.new_detector,
        asr_fallback=inner.asr_fallback,
    )
    return BreakableEngines(recognizer, language_model, engines)


class BreakableStore:
    """A store around another, which notes what was written, and has its say just before."""

    def __init__(self, inner: Store, breaker: Breaker, committing: Callable[[Record], None]) -> None:
        """``committing`` is called with each record before it is written."""
        self.records: list[Record] = []
        """What it wrote, in order."""
        self.recalled = 0
        """How often it answered what it remembers."""
        self._inner = inner
        self._breaker = breaker
        self._committing = committing

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        return await self._inner.begin()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records."""
        records = await self._inner.recall(conversation)
        self.recalled += 1
        return records

    async def commit(self, record: Record) -> None:
        """Keep ``record``, or break."""
        self._committing(record)
        await self._breaker.call(lambda: self._inner.commit(record))
        self.records.append(record)

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``."""
        return await self._inner.prune(before)
