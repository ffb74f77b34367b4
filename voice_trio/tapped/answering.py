"""What answers a person, behind a tap: the language model and the synthesizer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from voice_trio.engines.base import (
    LanguageModel,
    Leasable,
    Pieces,
    Prompt,
    ReplyEvent,
    Speaking,
    Speech,
    Stream,
    Synthesizer,
    advice_of,
    is_metered,
)
from voice_trio.tap import Call, Tap
from voice_trio.tapped.begun import Begun


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

    @property
    def metered(self) -> bool:
        """Whether somebody pays for the inner one."""
        return is_metered(self._inner)

    def leased(self) -> LanguageModel:
        """Return the one that is here now, behind the same tap."""
        return TappedLanguageModel(self._inner.leased(), self._tap) if isinstance(self._inner, Leasable) else self

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Stream]:
        """Begin a reply."""
        call = Call("stream", {"prompt": prompt})
        return Begun(self._tap, call, lambda: self._inner.stream(prompt), TappedStream)


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
            Begun(
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
