"""What a session asks of its engines.

Arguments are bytes, text and seconds left, never Trio objects, so that an engine in another process or on another
machine fits unchanged. Every wait in here is a Trio checkpoint and can be cancelled at once; work that cannot be
interrupted stays with the engine's host, and a cancelled caller only drops its claim on the answer.

An engine that fails raises `EngineError` and nothing else; any other exception is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode


class EngineError(Exception):
    """An engine could not do its part of a turn.

    ``code`` says which and in what way; ``message`` is shown to the person, so it holds no secrets, no traceback and
    nothing of what was said.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


TurnError = EngineError
"""What it was called before 0.2, for engines of others that raise it."""


class CannotLoad(Exception):
    """An engine that the settings ask for cannot be had; the message says why and what to do."""


@runtime_checkable
class HasWorkers(Protocol):
    """An engine that works in processes of its own."""

    def kill_workers(self) -> None:
        """Kill them all, as defects of theirs would. Whoever waits for one of them is told as usual."""


# --- speech to text ---------------------------------------------------------------------------------------------------


class Detector(Protocol):
    """Judges one session's audio frame by frame, and keeps that session's context."""

    def speech_probability(self, frame: bytes) -> float:
        """Return how likely ``frame`` (`audio.FRAME_BYTES` bytes) holds speech, 0.0 to 1.0. Never waits."""

    def reset(self) -> None:
        """Forget everything heard so far: the next frame does not continue the last one."""


class Hypothesis(NamedTuple):
    """What an unfinished utterance seems to say."""

    text: str
    through_sample: int
    """Samples of the utterance, from its first, that the text accounts for."""


class Transcript(NamedTuple):
    """What an utterance says."""

    text: str
    language: str | None
    """ISO 639-1 code, where the recognizer knows it."""
    language_probability: float = 0.0
    """Of that language, 0.0 to 1.0; 0.0 where the recognizer cannot tell."""


SURE_LANGUAGE_S = 2.0
SURE_LANGUAGE_PROBABILITY = 0.8
"""A language that is heard in so much speech, with that probability, is not asked for again. Less is often taken for
another language."""


class Utterance(Protocol):
    """One utterance in a recognizer. Sample positions count from the first sample fed."""

    @property
    def compute_s(self) -> float:
        """Seconds of computing spent on it so far, partials included."""

    def feed(self, pcm: bytes) -> None:
        """Add 16 kHz s16le mono audio. Never waits."""

    async def hypothesize(self) -> Hypothesis:
        """Return the words of all audio fed so far, as they seem now. Raises `EngineError` (ASR_FAIL).

        Asked for, never pushed: who wants fewer partials asks less often, and no decode is begun for nobody.
        """

    async def anticipate(self, voiced_through: int) -> None:
        """Get ready for a `settle` of an utterance whose voice was last heard just before ``voiced_through``.

        Returns when that is done, at once where there is nothing to gain. Whoever cancels it takes it back: the person
        went on speaking.
        """

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good. Raises `EngineError` (ASR_FAIL).

        From ``voiced_through`` on, where that is known, nobody speaks. Repeatable, and consumes nothing: more audio may
        be fed, and `settle` asked again, afterwards.
        """


class Recognizer(Protocol):
    """Speech to text. One instance serves every session."""

    name: str
    """As told to clients, for example ``faster-whisper small-int8``."""
    languages: Sequence[str]
    """ISO 639-1 codes it understands; empty where that is not known."""

    @property
    def ready(self) -> bool:
        """Whether an utterance begun now would be recognised; False while what it works with is being replaced."""

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance, in ``language`` (ISO 639-1) or, for None, in whatever it detects."""


PARTIAL_INTERVAL_MS = 1000
"""Between two partials, where a recognizer says nothing of its own."""


def partial_interval_ms(recognizer: Recognizer) -> int:
    """Return how often ``recognizer`` is best asked for a partial, which it may say in ``partial_interval_ms``."""
    own: int = getattr(recognizer, "partial_interval_ms", PARTIAL_INTERVAL_MS)
    return own


# --- language model ---------------------------------------------------------------------------------------------------


class TextDelta(NamedTuple):
    """The next piece of a reply, never empty."""

    text: str


class Alive(NamedTuple):
    """The model is at work, and nothing of it is to be said."""

    at: Literal["thinking", "tool_call", "waiting"]
    """``waiting``: the other side shows that it is still there, and nothing else."""


class Finish(NamedTuple):
    """The reply is over, and whole as far as the model is concerned."""

    reason: str
    """As the model says it: ``stop``, ``length``, ``content_filter``."""


ReplyEvent = TextDelta | Alive | Finish


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked."""

    messages: Sequence[Message]


class Stream(Protocol):
    """A reply on its way."""

    async def receive(self) -> ReplyEvent:
        """Return what comes next; after a `Finish`, nothing does.

        It may be cancelled at any moment, and asked again: nothing is lost.
        Raises `EngineError` (LLM_FAIL, LLM_TIMEOUT), also for a reply that breaks off before its `Finish`.
        """


def broken_off() -> EngineError:
    """Return what a `Stream` raises that ends before its `Finish`."""
    return EngineError(ErrorCode.LLM_FAIL, "The reply broke off before its end.")


class LanguageModel(Protocol):
    """Text to text, a token at a time. One instance serves every session."""

    name: str
    synthetic: bool
    """True where no language model is configured and the replies only say so."""

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Stream]:
        """Begin a reply to ``prompt``; leaving the context ends it upstream too.

        Its text is what is to be said and remembered, without thinking and without marks of the model's template.
        """


# --- text to speech ---------------------------------------------------------------------------------------------------


class Mark(NamedTuple):
    """From ``sample`` of a `Speech` on, the voice says the word at ``char`` of the spoken text."""

    sample: int
    char: int


@dataclass(frozen=True, slots=True)
class Speech:
    """Synthesised speech: s16le mono at ``sample_rate``."""

    pcm: bytes
    sample_rate: int
    marks: tuple[Mark, ...] = ()
    """Rising in both fields; empty where the voice does not know its word positions."""

    @property
    def samples(self) -> int:
        """Length in samples."""
        return len(self.pcm) // 2


class Synthesizer(Protocol):
    """Text to speech. One instance serves every session."""

    name: str
    sample_rate: int
    """Of every `Speech` it makes, in Hz."""

    @property
    def ready(self) -> bool:
        """Whether a text given now would be spoken; False while what it works with is being replaced."""

    @property
    def voices(self) -> Sequence[str]:
        """Names that `speak` takes as ``voice``."""

    async def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speech:
        """Say ``text`` (plain words, at most a few hundred characters) within ``seconds``.

        ``speed`` multiplies the usual rate, 0.5 to 2.0. Raises `EngineError` (TTS_FAIL), also when time ran out.
        """


@dataclass(frozen=True, slots=True)
class Fallback:
    """An engine that stands in for a better one, which a command would bring."""

    message: str
    """A sentence that says what it is, and what of."""
    command: str
    """Brings the better one."""
    about: str = ""
    """A sentence about the engine itself."""
    better: str = ""
    """What people call the better one."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines that a turn starts with and keeps to its end."""

    recognizer: Recognizer
    language_model: LanguageModel
    synthesizer: Synthesizer
    new_detector: Callable[[], Detector]
    asr_fallback: Fallback | None = None
    """Where the recognizer stands in for a better one."""

    @property
    def ready(self) -> bool:
        """Whether a turn begun now would be heard and answered aloud."""
        return self.recognizer.ready and self.synthesizer.ready
