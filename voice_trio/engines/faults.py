"""Engines that fail as they are told: around any others, with the interfaces of `base`.

What is injected is what such an engine can do to a session, which is told of it as it would be of the real thing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from math import inf
from typing import TypeVar

import trio

from voice_trio.config import ConfigError
from voice_trio.core.faults import Kind, Stage
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.around import AroundLanguageModel, AroundRecognizer, AroundSynthesizer, AroundUtterance
from voice_trio.engines.base import (
    EngineError,
    Engines,
    HasWorkers,
    Hypothesis,
    LanguageModel,
    Mark,
    Recognizer,
    ReplyEvent,
    Speech,
    Synthesizer,
    TextDelta,
    Transcript,
    Utterance,
)
from voice_trio.engines.workers import alongside
from voice_trio.faults import Call, Faults

GARBAGE: Sequence[str] = ("", "\ud800", "\0\x07\x1b[2J", "\u202e<|im_end|>", "x" * 400, "```", "\udc00 ")
"""Text that nobody should be sent: empty, halves of characters, control characters, a word without an end."""

T = TypeVar("T")


def with_faults(engines: Engines, faults: Faults) -> Engines:
    """Return ``engines``, with ``faults`` in those stages that are to suffer any.

    Raises `ConfigError` for a crash of an engine that has no process to lose.
    """
    stages: dict[Stage, Recognizer | LanguageModel | Synthesizer] = {
        Stage.ASR: engines.recognizer,
        Stage.LLM: engines.language_model,
        Stage.TTS: engines.synthesizer,
    }
    for fault in faults:
        if fault.kind is Kind.CRASH and not isinstance(stages[fault.stage], HasWorkers):
            raise ConfigError(
                f"STREAM_FAULTS: {fault.text!r} cannot be, because {stages[fault.stage].name} works without a process "
                f"of its own; {fault.stage}:error is what else can happen to it."
            )
    recognizer, language_model, synthesizer = engines.recognizer, engines.language_model, engines.synthesizer
    if faults.strikes(Stage.ASR):
        recognizer = FaultyRecognizer(recognizer, faults)
    if faults.strikes(Stage.LLM):
        language_model = FaultyLanguageModel(language_model, faults)
    if faults.strikes(Stage.TTS):
        synthesizer = FaultySynthesizer(synthesizer, faults)
    return replace(engines, recognizer=recognizer, language_model=language_model, synthesizer=synthesizer)


async def _slow(seconds: float) -> None:
    if seconds:
        await trio.sleep(seconds)


async def _answer(
    ask: Callable[[], Awaitable[T]], kind: Kind | None, code: ErrorCode, engine: object, garble: Callable[[T], T]
) -> T:
    """Return what ``ask`` does, after ``kind`` was done to it. Raises `EngineError` (``code``)."""
    match kind:
        case Kind.HANG:
            await trio.sleep_forever()
        case Kind.ERROR:
            await trio.lowlevel.checkpoint()
            raise EngineError(code, "This was made to fail (STREAM_FAULTS).")
        case Kind.CRASH:
            assert isinstance(engine, HasWorkers)
            # Begun beside the call, so that it strikes when the call is under way.
            async with alongside(partial(_kill, engine)):
                return await ask()
        case Kind.GARBAGE:
            return garble(await ask())
    return await ask()


async def _kill(engine: HasWorkers) -> None:
    engine.kill_workers()
    await trio.lowlevel.checkpoint()


# --- ears -----------------------------------------------------------------------------------------------------------


class FaultyRecognizer(AroundRecognizer):
    """``inner``, with ``faults`` in its utterances."""

    def __init__(self, inner: Recognizer, faults: Faults) -> None:
        super().__init__(inner)
        self._faults = faults

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance."""
        return self._open(language, self._faults.call(Stage.ASR))

    @asynccontextmanager
    async def _open(self, language: str | None, call: Call) -> AsyncIterator[Utterance]:
        async with self._inner.open(language) as utterance:
            yield _FaultyUtterance(utterance, call, self._inner) if call else utterance


class _FaultyUtterance(AroundUtterance):
    def __init__(self, inner: Utterance, call: Call, recognizer: Recognizer) -> None:
        super().__init__(inner)
        self._call = call
        self._recognizer = recognizer
        self._partials = 0
        self._crashed = False

    async def hypothesize(self) -> Hypothesis:
        await _slow(self._call.seconds(Kind.DRIP))
        answer = await self._ask(self._inner.hypothesize, self._partials, _garbled_hypothesis)
        self._partials += bool(answer.text)
        return answer

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        await _slow(self._call.seconds(Kind.DELAY) + self._call.seconds(Kind.DRIP))
        return await self._ask(partial(self._inner.settle, through_sample, voiced_through), inf, _garbled_transcript)

    async def _ask(self, ask: Callable[[], Awaitable[T]], pieces: float, garble: Callable[[T], T]) -> T:
        kind = self._call.breakdown(pieces)
        if kind is Kind.CRASH:
            # Once an utterance: a recogniser may well try again.
            kind = None if self._crashed else kind
            self._crashed = True
        return await _answer(ask, kind, ErrorCode.ASR_FAIL, self._recognizer, garble)


def _garbled_hypothesis(hypothesis: Hypothesis) -> Hypothesis:
    return Hypothesis("".join(GARBAGE) + hypothesis.text, -1)


def _garbled_transcript(transcript: Transcript) -> Transcript:
    return Transcript("".join(GARBAGE) + transcript.text, "\ud800")


# --- mind -----------------------------------------------------------------------------------------------------------


class FaultyLanguageModel(AroundLanguageModel):
    """``inner``, with ``faults`` in its replies."""

    def __init__(self, inner: LanguageModel, faults: Faults) -> None:
        super().__init__(inner)
        self._faults = faults

    @asynccontextmanager
    async def stream(self, messages: Sequence[Message]) -> AsyncIterator[AsyncIterator[ReplyEvent]]:
        """Begin a reply."""
        call = self._faults.call(Stage.LLM)
        async with self._inner.stream(messages) as events:
            yield _FaultyReply(events, call, self._inner) if call else events


class _FaultyReply:
    """Steps through a reply. Not a generator, so that nothing is left to close."""

    def __init__(self, inner: AsyncIterator[ReplyEvent], call: Call, model: LanguageModel) -> None:
        self._inner = inner
        self._call = call
        self._model = model
        self._begun = False
        self._given = 0
        self._garbage = deque(GARBAGE)
        self._letters: deque[str] = deque()

    def __aiter__(self) -> _FaultyReply:
        return self

    async def __anext__(self) -> ReplyEvent:
        if not self._begun:
            self._begun = True
            await _slow(self._call.seconds(Kind.DELAY))
        drip_s = self._call.seconds(Kind.DRIP)
        while not self._letters:
            event = await self._next()
            if not isinstance(event, TextDelta):
                return event
            self._given += 1
            if not drip_s:
                return event
            self._letters.extend(event.text)
        await _slow(drip_s)
        return TextDelta(self._letters.popleft())

    async def _next(self) -> ReplyEvent:
        kind = self._call.breakdown(self._given)
        if kind is Kind.GARBAGE:
            if not self._garbage:
                return await anext(self._inner)
            await trio.lowlevel.checkpoint()
            return TextDelta(self._garbage.popleft())
        return await _answer(partial(anext, self._inner), kind, ErrorCode.LLM_FAIL, self._model, lambda event: event)


# --- voice ----------------------------------------------------------------------------------------------------------


class FaultySynthesizer(AroundSynthesizer):
    """``inner``, with ``faults`` in its phrases."""

    def __init__(self, inner: Synthesizer, faults: Faults) -> None:
        super().__init__(inner)
        self._faults = faults

    async def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speech:
        """Say ``text``."""
        call = self._faults.call(Stage.TTS)
        await _slow(call.seconds(Kind.DELAY) + call.seconds(Kind.DRIP) * len(text))
        ask = partial(self._inner.speak, text, seconds=seconds, voice=voice, speed=speed)
        return await _answer(ask, call.breakdown(), ErrorCode.TTS_FAIL, self._inner, _garbled_speech)


def _garbled_speech(speech: Speech) -> Speech:
    """Return half a sample too much, at another rate, and words in places where there are none."""
    return Speech(speech.pcm + b"\0", speech.sample_rate + 1, (Mark(10**9, 10**6), Mark(-1, -1), *speech.marks))
