"""What a session asks of its engines.

Arguments are bytes, text and seconds left, never Trio objects, so that an engine in another process or on another
machine fits unchanged. Every wait in here is a Trio checkpoint and can be cancelled at once; work that cannot be
interrupted stays with the engine's host, and a cancelled caller only drops its claim on the answer.

An engine that fails raises `EngineError` and nothing else; any other exception is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

from voice_trio.core.errors import CannotLoad as CannotLoad, EngineError as EngineError
from voice_trio.core.strange_text import mend
from voice_trio.engines.language_model import (
    SKILLS_ALONE as SKILLS_ALONE,
    Alive as Alive,
    Finish as Finish,
    LanguageModel as LanguageModel,
    Leasable as Leasable,
    Prompt as Prompt,
    ReplyEvent as ReplyEvent,
    Stream as Stream,
    Swapping as Swapping,
    TextDelta as TextDelta,
    Tool as Tool,
    ToolCall as ToolCall,
    ToolChoice as ToolChoice,
    Usage as Usage,
    advice_of as advice_of,
    broken_off as broken_off,
    instead_of as instead_of,
    is_metered as is_metered,
)
from voice_trio.engines.speech import (
    Mark as Mark,
    Phoneme as Phoneme,
    Pieces as Pieces,
    Speaking as Speaking,
    Speech as Speech,
    whole as whole,
)

TurnError = EngineError
"""What it was called before 0.2, for engines of others that raise it."""


@runtime_checkable
class HasWorkers(Protocol):
    """An engine that works in processes of its own."""

    def kill_workers(self) -> None:
        """Kill them all, as defects of theirs would. A caller that waits for one of them is told as usual."""


# --- speech to text ---------------------------------------------------------------------------------------------------


class Detector(Protocol):
    """Judges one session's audio frame by frame, and keeps that session's context."""

    def speech_probability(self, frame: bytes) -> float:
        """Return how likely ``frame`` (`audio.FRAME_BYTES` bytes) holds speech, 0.0 to 1.0. Never waits."""

    def reset(self) -> None:
        """Forget everything heard so far: the next frame does not continue the last one."""


END_OF_TURN_S = 8
"""Of an utterance's end, as much is listened to by what judges it."""


class EndOfTurn(Protocol):
    """Judges by its sound whether a person has finished. One instance serves every session."""

    name: str

    async def probability(self, pcm: bytes) -> float | None:
        """Return how likely who says ``pcm`` has finished, 0.0 to 1.0; None where it cannot tell.

        ``pcm`` is 16 kHz s16le mono: the utterance up to the pause it is in, its last `END_OF_TURN_S` at most, and the
        silence after it. Raises `EngineError`.
        """


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

    def mended(self) -> Transcript:
        """Return it as it is sent and kept: an engine may be anybody's, and half a character can be neither."""
        return self._replace(text=mend(self.text), language=self.language and mend(self.language))


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

    async def anticipate(self, voiced_through: int) -> Transcript | None:
        """Get ready for a `settle` of an utterance whose voice was last heard just before ``voiced_through``.

        Returns when that is done, at once where there is nothing to gain. To cancel it takes it back: the person
        went on speaking.

        What it returns is what `settle` would, and a reply may be begun of it; None where that is not known, or where
        others wait for the recognizer, for whom a reply that may be for nothing would be in the way.
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


@runtime_checkable
class Guided(Protocol):
    """A recognizer that finds out the language, and is guided where it cannot."""

    def open_guided(self, likely: str) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance in whatever language it detects.

        Where it detects none that is sure (`SURE_LANGUAGE_PROBABILITY`), that is ``likely`` (ISO 639-1), if it knows
        that one.
        """


def open_utterance(
    recognizer: Recognizer, language: str | None, likely: str | None
) -> AbstractAsyncContextManager[Utterance]:
    """Begin an utterance, guided where ``recognizer`` can be, and not told its ``language``."""
    if language is None and likely is not None and isinstance(recognizer, Guided):
        return recognizer.open_guided(likely)
    return recognizer.open(language)


PARTIAL_INTERVAL_MS = 1000
"""Between two partials, where a recognizer says nothing of its own."""


def partial_interval_ms(recognizer: Recognizer) -> int:
    """Return how often ``recognizer`` is best asked for a partial, which it may say in ``partial_interval_ms``."""
    own: int = getattr(recognizer, "partial_interval_ms", PARTIAL_INTERVAL_MS)
    return own


def first_partial_ms(recognizer: Recognizer) -> int:
    """Return how long an utterance has to be for ``recognizer``'s words to be shown.

    It may say so in ``first_partial_ms``: those of less are often wrong, and tell no more than that there are words.
    """
    own: int = getattr(recognizer, "first_partial_ms", 0)
    return own


# --- text to speech ---------------------------------------------------------------------------------------------------


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

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text`` (plain words, at most a few hundred characters), as soon as that is entered or awaited.

        All waits for its pieces together may take ``seconds``; time in which nobody asks for one is not in it.
        ``speed`` multiplies the usual rate, 0.5 to 2.0. There is at least one piece, an empty one where there is
        nothing to say. Where time ran out, and for whatever else goes wrong, `EngineError` (TTS_FAIL) is raised by
        `Pieces.receive`. A voice that makes one piece returns `whole`.
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
    """The engines of a server, of which a turn leases those that it starts with."""

    recognizer: Recognizer
    language_model: LanguageModel
    synthesizer: Synthesizer
    new_detector: Callable[[], Detector]
    end_of_turn: EndOfTurn | None = None
    """Where there is none, pauses are not weighed: the window of silence is the same for all."""
    asr_fallback: Fallback | None = None
    """Where the recognizer stands in for a better one."""
    keep_open: Callable[[], AbstractContextManager[object]] = nullcontext
    """Returns a context in which they stay open, even if others take their place meanwhile."""

    @property
    def ready(self) -> bool:
        """Whether a turn begun now would be heard and answered aloud."""
        return self.recognizer.ready and self.synthesizer.ready

    @contextmanager
    def lease(self) -> Iterator[Engines]:
        """Give the engines as they are now, which stay so, and open, until the context is left."""
        model = self.language_model
        with self.keep_open():
            yield replace(self, language_model=model.leased()) if isinstance(model, Leasable) else self
