"""What hears a person, behind a tap."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from voice_trio.engines.base import (
    Detector,
    EndOfTurn,
    Hypothesis,
    Recognizer,
    Transcript,
    Utterance,
    first_partial_ms,
    open_utterance,
    partial_interval_ms,
)
from voice_trio.tap import Call, Tap
from voice_trio.tapped.begun import Begun


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
        return Begun(self._tap, call, lambda: self._inner.open(language), TappedUtterance)

    def open_guided(self, likely: str) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance, guided if the inner one can be."""
        call = Call("open", {"language": None, "likely": likely})
        return Begun(self._tap, call, lambda: open_utterance(self._inner, None, likely), TappedUtterance)


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

    async def anticipate(self, voiced_through: int) -> Transcript | None:
        """Get ready for a `settle`, and return what it would, where that is known."""
        call = Call("anticipate", {"voiced_through": voiced_through}, self._within)
        return await self._tap.call(call, lambda: self._inner.anticipate(voiced_through))

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the words of the first ``through_sample`` samples, for good."""
        arguments = {"through_sample": through_sample, "voiced_through": voiced_through}
        call = Call("settle", arguments, self._within)
        return await self._tap.call(call, lambda: self._inner.settle(through_sample, voiced_through))
