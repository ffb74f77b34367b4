"""Engines that do as they are told, in whatever time they are told: for tests, simulations and the fault tools.

They are made of Trio alone, so all of them run in virtual time. Nothing in them understands anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import trio

from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples
from voice_trio.core.history import Message
from voice_trio.engines.base import (
    Alive,
    EndOfTurn,
    EngineError,
    Engines,
    Finish,
    Hypothesis,
    LanguageModel,
    Prompt,
    Recognizer,
    ReplyEvent,
    Stream,
    Synthesizer,
    TextDelta,
    ToolCall,
    Transcript,
    Usage,
    broken_off,
)
from voice_trio.testing.scripted_tool import ScriptedTool as ScriptedTool
from voice_trio.testing.scripted_voice import VOICED as VOICED, ScriptedSynthesizer as ScriptedSynthesizer
from voice_trio.waiting import Wait

# --- speech to text ---------------------------------------------------------------------------------------------------


def voiced(ms: int) -> bytes:
    """Return audio of ``ms`` that a `ScriptedDetector` takes for speech."""
    return VOICED * ms_to_samples(ms)


def silent(ms: int) -> bytes:
    """Return audio of ``ms`` that it takes for silence."""
    return bytes(2 * ms_to_samples(ms))


class ScriptedDetector:
    """Hears speech in a frame whose last sample is not zero."""

    def speech_probability(self, frame: bytes) -> float:
        """Return 1.0 for speech, else 0.0."""
        return float(frame[-2:] != b"\0\0")

    def reset(self) -> None:
        """There is nothing to forget."""


@dataclass
class ScriptedEndOfTurn:
    """Says one of ``judgements`` after the other of the pauses that it is asked about, and the last one for ever."""

    judgements: Sequence[float | Exception | None] = (1.0,)
    """Probabilities, or what to raise instead."""
    judge_s: float = 0.05
    asked: list[bytes] = field(default_factory=list)
    """The audio that it was to judge, in order."""
    answered: int = 0
    name: str = "scripted"

    async def probability(self, pcm: bytes) -> float | None:
        """Return what the script says."""
        judgement = self.judgements[min(len(self.asked), len(self.judgements) - 1)]
        self.asked.append(pcm)
        await trio.sleep(self.judge_s)
        self.answered += 1
        if isinstance(judgement, Exception):
            raise judgement
        return judgement


@dataclass
class ScriptedRecognizer:
    """Hears a word of ``words`` for every ``word_ms`` of audio, whatever the audio is."""

    words: Sequence[str] = ("what", "is", "the", "weather", "like", "today")
    word_ms: int = 300
    hypothesize_s: float = 0.05
    settle_s: float = 0.1
    open_s: float = 0.0
    fails: Sequence[EngineError | Exception] = ()
    """Raised by the first calls of `settle`, one each."""
    anticipate_s: float = 0.0
    settles_early: bool = False
    """Whether it tells in a pause what the final would be."""
    anticipated: list[int] = field(default_factory=list)
    """Where an utterance seemed to be over, in samples of it."""
    taken_back: int = 0
    """How often it was not."""
    asked_for: list[str | None] = field(default_factory=list)
    """The languages that utterances were opened in."""
    guided_to: list[str] = field(default_factory=list)
    """The languages that were likely, of those that were opened in none."""
    language_probability: float = 0.0
    utterance: type[ScriptedUtterance] | None = None
    """What it opens, where that is more than a `ScriptedUtterance`."""
    name: str = "scripted"
    languages: Sequence[str] = ("en",)
    ready: bool = True
    utterances: int = 0
    """Opened so far."""
    open_now: int = 0
    """Open at this moment."""
    crashes: int = 0
    """So often its workers were killed; what they were at is done again."""

    def kill_workers(self) -> None:
        """Do as if there were any."""
        self.crashes += 1

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator[ScriptedUtterance]:
        """Begin an utterance."""
        self.asked_for.append(language)
        self.open_now += 1
        try:
            await trio.sleep(self.open_s)
            self.utterances += 1
            yield (self.utterance or ScriptedUtterance)(self, language)
            # Real recognizers have something to close, and that takes a checkpoint.
            await trio.lowlevel.checkpoint()
        finally:
            self.open_now -= 1

    def open_guided(self, likely: str) -> AbstractAsyncContextManager[ScriptedUtterance]:
        """Begin an utterance in no language, and note which one is likely."""
        self.guided_to.append(likely)
        return self.open(None)


class ScriptedUtterance:
    """One utterance of a `ScriptedRecognizer`."""

    def __init__(self, recognizer: ScriptedRecognizer, language: str | None) -> None:
        self.compute_s = 0.0
        self._recognizer = recognizer
        self._language = language
        self._samples = 0

    def feed(self, pcm: bytes) -> None:
        """Add audio."""
        self._samples += len(pcm) // 2

    async def hypothesize(self) -> Hypothesis:
        """Return the words that fit into the audio so far."""
        samples = self._samples
        await self._compute(self._recognizer.hypothesize_s)
        return Hypothesis(self._words(samples), samples)

    async def anticipate(self, voiced_through: int) -> Transcript | None:
        """Note that the final might be wanted soon."""
        samples = self._samples
        self._recognizer.anticipated.append(voiced_through)
        try:
            await trio.sleep(self._recognizer.anticipate_s)
        except trio.Cancelled:
            self._recognizer.taken_back += 1
            raise
        return self._transcript(samples) if self._recognizer.settles_early else None

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words that fit into the first ``through_sample`` samples."""
        await self._compute(self._recognizer.settle_s)
        if self._recognizer.fails:
            error, *self._recognizer.fails = self._recognizer.fails
            raise error
        return self._transcript(through_sample)

    def _transcript(self, samples: int) -> Transcript:
        return Transcript(self._words(samples), self._language or "en", self._recognizer.language_probability)

    async def _compute(self, seconds: float) -> None:
        crashes = -1
        while crashes != self._recognizer.crashes:
            crashes = self._recognizer.crashes
            await trio.sleep(seconds)
        self.compute_s += seconds

    def _words(self, samples: int) -> str:
        ms = samples * 1000 // SAMPLE_RATE
        return " ".join(self._recognizer.words[: ms // self._recognizer.word_ms])


# --- language model ---------------------------------------------------------------------------------------------------


@dataclass
class ScriptedReply:
    """A reply of a `ScriptedLanguageModel`."""

    tokens: Sequence[str | float | Alive | ToolCall | Exception] = ("It ", "is ", "sunny. ", "Enjoy ", "your ", "day.")
    """Text to write, signs of life, calls of tools, seconds to wait in addition, and errors to raise, in order."""
    token_s: float = 0.02
    """Before each token."""
    finish: str | None = "stop"
    """The reason it gives at the end; None to break off without one."""
    usage: Usage | None = None


@dataclass
class ScriptedLanguageModel:
    """Gives one reply of ``replies`` after the other, and the last one for ever."""

    replies: Sequence[ScriptedReply] = (ScriptedReply(),)
    name: str = "scripted"
    synthetic: bool = False
    prompts: list[Sequence[Message]] = field(default_factory=list)
    """What it was asked, in order."""
    offered: list[Sequence[str]] = field(default_factory=list)
    """The names of the tools that it could ask for, each time."""
    open_now: int = 0
    """Streams that are open at this moment."""

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin a reply."""
        reply = self.replies[min(len(self.prompts), len(self.replies) - 1)]
        self.prompts.append(tuple(prompt.messages))
        self.offered.append([tool.name for tool in prompt.tools])
        self.open_now += 1
        try:
            yield _ScriptedStream(reply)
        finally:
            self.open_now -= 1


class _ScriptedStream:
    """Steps through a reply. A step that is cancelled has been no shorter a wait for the next one."""

    def __init__(self, reply: ScriptedReply) -> None:
        self._reply = reply
        self._left = deque(reply.tokens)
        self._wait = Wait()

    async def receive(self) -> ReplyEvent:
        await trio.lowlevel.checkpoint()
        while self._left:
            match self._left[0]:
                case str(text):
                    await self._wait(self._reply.token_s)
                    self._left.popleft()
                    return TextDelta(text)
                case Alive() | ToolCall() as event:
                    self._left.popleft()
                    return event
                case Exception() as error:
                    raise error
                case seconds:
                    await self._wait(seconds)
                    self._left.popleft()
        if self._reply.finish is None:
            raise broken_off()
        return Finish(self._reply.finish, self._reply.usage)


def scripted_engines(
    *,
    recognizer: Recognizer | None = None,
    language_model: LanguageModel | None = None,
    synthesizer: Synthesizer | None = None,
    end_of_turn: EndOfTurn | None = None,
) -> Engines:
    """Return a whole set of engines, scripted where none is given; without ``end_of_turn`` nothing weighs pauses."""
    return Engines(
        recognizer=recognizer or ScriptedRecognizer(),
        language_model=language_model or ScriptedLanguageModel(),
        synthesizer=synthesizer or ScriptedSynthesizer(),
        new_detector=ScriptedDetector,
        end_of_turn=end_of_turn,
    )
