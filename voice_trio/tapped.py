"""A session's engines and store, behind a tap.

    engines, store = tapped(engines, store, Recorder(...))

A tap that adds nothing adds no checkpoint either: a session behind it takes the same steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType
from typing import Generic, TypeVar

from voice_trio.core.history import Record
from voice_trio.engines.base import (
    Detector,
    EndOfTurn,
    Engines,
    Hypothesis,
    LanguageModel,
    Leasable,
    Pieces,
    Prompt,
    Recognizer,
    ReplyEvent,
    Speaking,
    Speech,
    Stream,
    Synthesizer,
    Transcript,
    Utterance,
    advice_of,
    first_partial_ms,
    open_utterance,
    partial_interval_ms,
)
from voice_trio.memory.base import Store
from voice_trio.tap import Call, Tap

T = TypeVar("T")
S = TypeVar("S")


def tapped(engines: Engines, store: Store, tap: Tap) -> tuple[Engines, Store]:
    """Return ``engines`` and ``store`` behind ``tap``."""
    return tapped_engines(engines, tap), TappedStore(store, tap)


def tapped_engines(engines: Engines, tap: Tap) -> Engines:
    """Return ``engines`` behind ``tap``."""
    return replace(
        engines,
        recognizer=TappedRecognizer(engines.recognizer, tap),
        language_model=TappedLanguageModel(engines.language_model, tap),
        synthesizer=TappedSynthesizer(engines.synthesizer, tap),
        new_detector=lambda: TappedDetector(engines.new_detector(), tap),
        end_of_turn=None if engines.end_of_turn is None else TappedEndOfTurn(engines.end_of_turn, tap),
    )


class _Begun(Generic[S, T]):
    """A context whose beginning and end are calls."""

    def __init__(
        self,
        tap: Tap,
        call: Call,
        begin: Callable[[], AbstractAsyncContextManager[S]],
        wrap: Callable[[S, Tap, Call], T],
    ) -> None:
        self._tap = tap
        self._call = call
        self._begin = begin
        self._wrap = wrap
        self._inner: AbstractAsyncContextManager[S] | None = None

    async def __aenter__(self) -> T:
        try:
            return self._wrap(await self._tap.call(self._call, self._enter), self._tap, self._call)
        except BaseException:
            self._tap.left(self._call)
            raise

    def _enter(self) -> Awaitable[S]:
        self._inner = self._begin()
        return self._inner.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            if error is None:
                return await self._tap.call(Call("leave", within=self._call), self._leave)
            # It is the error's way out that counts now, and nobody is asked for anything.
            return None if self._inner is None else await self._inner.__aexit__(kind, error, trace)
        finally:
            self._tap.left(self._call)

    async def _leave(self) -> bool | None:
        assert self._inner is not None
        return await self._inner.__aexit__(None, None, None)


# --- speech to text ---------------------------------------------------------------------------------------------------


class TappedDetector:
    """A detector behind a tap."""

    def __init__(self, inner: Detector, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    def speech_probability(self, frame: bytes) -> float:
        """Return how likely ``frame`` holds speech."""
        return self._tap.at_once(Call("detect"), lambda: self._inner.speech_probability(frame))

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._inner.reset()


class TappedEndOfTurn:
    """What judges pauses, behind a tap."""

    def __init__(self, inner: EndOfTurn, tap: Tap) -> None:
        self.name = inner.name
        self._inner = inner
        self._tap = tap

    async def probability(self, pcm: bytes) -> float | None:
        """Return how likely who says ``pcm`` has finished."""
        return await self._tap.call(Call("weigh", {"pcm": pcm}), lambda: self._inner.probability(pcm))


class TappedRecognizer:
    """A recognizer behind a tap."""

    def __init__(self, inner: Recognizer, tap: Tap) -> None:
        self.name = inner.name
        self.languages = inner.languages
        self.partial_interval_ms = partial_interval_ms(inner)
        self.first_partial_ms = first_partial_ms(inner)
        self._inner = inner
        self._tap = tap

    @property
    def ready(self) -> bool:
        """Whether the inner one is."""
        return self._inner.ready

    def open(self, language: str | None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance."""
        call = Call("open", {"language": language})
        return _Begun(self._tap, call, lambda: self._inner.open(language), TappedUtterance)

    def open_guided(self, likely: str) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance, guided if the inner one can be."""
        call = Call("open", {"language": None, "likely": likely})
        return _Begun(self._tap, call, lambda: open_utterance(self._inner, None, likely), TappedUtterance)


class TappedUtterance:
    """An utterance behind a tap."""

    def __init__(self, inner: Utterance, tap: Tap, within: Call) -> None:
        self._inner = inner
        self._tap = tap
        self._within = within

    @property
    def compute_s(self) -> float:
        """That of the inner one."""
        return self._inner.compute_s

    def feed(self, pcm: bytes) -> None:
        """Add audio."""
        self._tap.at_once(Call("feed", {"pcm": pcm}, self._within), lambda: self._inner.feed(pcm))

    async def hypothesize(self) -> Hypothesis:
        """Return the words of all audio fed so far, as they seem now."""
        return await self._tap.call(Call("hypothesize", {}, self._within), lambda: self._inner.hypothesize())

    async def anticipate(self, voiced_through: int) -> None:
        """Get ready for a `settle`."""
        call = Call("anticipate", {"voiced_through": voiced_through}, self._within)
        await self._tap.call(call, lambda: self._inner.anticipate(voiced_through))

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good."""
        arguments = {"through_sample": through_sample, "voiced_through": voiced_through}
        call = Call("settle", arguments, self._within)
        return await self._tap.call(call, lambda: self._inner.settle(through_sample, voiced_through))


# --- language model ---------------------------------------------------------------------------------------------------


class TappedLanguageModel:
    """A language model behind a tap."""

    def __init__(self, inner: LanguageModel, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    @property
    def name(self) -> str:
        """That of the inner one, in whose place another may have come."""
        return self._inner.name

    @property
    def synthetic(self) -> bool:
        """Whether the inner one is."""
        return self._inner.synthetic

    @property
    def advice(self) -> str | None:
        """That of the inner one."""
        return advice_of(self._inner)

    def leased(self) -> LanguageModel:
        """Return the one that is here now, behind the same tap."""
        return TappedLanguageModel(self._inner.leased(), self._tap) if isinstance(self._inner, Leasable) else self

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Stream]:
        """Begin a reply."""
        call = Call("stream", {"prompt": prompt})
        return _Begun(self._tap, call, lambda: self._inner.stream(prompt), TappedStream)


class TappedStream:
    """A reply behind a tap."""

    def __init__(self, inner: Stream, tap: Tap, within: Call) -> None:
        self._inner = inner
        self._tap = tap
        self._within = within

    async def receive(self) -> ReplyEvent:
        """Return what comes next."""
        return await self._tap.call(Call("receive", {}, self._within), lambda: self._inner.receive())


# --- text to speech ---------------------------------------------------------------------------------------------------


class TappedSynthesizer:
    """A synthesizer behind a tap."""

    def __init__(self, inner: Synthesizer, tap: Tap) -> None:
        self.name = inner.name
        self.sample_rate = inner.sample_rate
        self._inner = inner
        self._tap = tap

    @property
    def ready(self) -> bool:
        """Whether the inner one is."""
        return self._inner.ready

    @property
    def voices(self) -> Sequence[str]:
        """Those of the inner one."""
        return self._inner.voices

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text``."""
        call = Call("speak", {"text": text, "voice": voice, "speed": speed})
        return Speaking(
            _Begun(
                self._tap,
                call,
                lambda: self._inner.speak(text, seconds=seconds, voice=voice, speed=speed),
                TappedPieces,
            )
        )


class TappedPieces:
    """A phrase behind a tap."""

    def __init__(self, inner: Pieces, tap: Tap, within: Call) -> None:
        self._inner = inner
        self._tap = tap
        self._within = within

    async def receive(self) -> Speech | None:
        """Return the next piece."""
        return await self._tap.call(Call("piece", {}, self._within), lambda: self._inner.receive())


# --- memory -----------------------------------------------------------------------------------------------------------


class TappedStore:
    """A store behind a tap."""

    def __init__(self, inner: Store, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        return await self._tap.call(Call("begin"), lambda: self._inner.begin())

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's latest records."""
        call = Call("recall", {"conversation": conversation})
        return await self._tap.call(call, lambda: self._inner.recall(conversation))

    async def commit(self, record: Record) -> None:
        """Keep ``record``."""
        await self._tap.call(Call("commit", {"record": record}), lambda: self._inner.commit(record))

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``."""
        return await self._tap.call(Call("prune", {"before": before}), lambda: self._inner.prune(before))
