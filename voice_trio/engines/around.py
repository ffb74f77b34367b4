"""Engines around others: they say of themselves what the inner ones say. What wraps one adds only what it is for."""

from __future__ import annotations

from collections.abc import Sequence

from voice_trio.engines.base import LanguageModel, Recognizer, Synthesizer, Utterance


class AroundRecognizer:
    """The attributes of a recogniser around ``inner``."""

    def __init__(self, inner: Recognizer) -> None:
        self.name = inner.name
        self.languages = inner.languages
        self._inner = inner

    @property
    def ready(self) -> bool:
        """Whether ``inner`` is."""
        return self._inner.ready


class AroundUtterance:
    """An utterance around ``inner``, but for what is asked of it."""

    def __init__(self, inner: Utterance) -> None:
        self._inner = inner

    @property
    def compute_s(self) -> float:
        """That of ``inner``."""
        return self._inner.compute_s

    def feed(self, pcm: bytes) -> None:
        """Add audio. Never waits."""
        self._inner.feed(pcm)

    async def anticipate(self, voiced_through: int) -> None:
        """Get ready as ``inner`` does."""
        await self._inner.anticipate(voiced_through)


class AroundLanguageModel:
    """The attributes of a language model around ``inner``."""

    def __init__(self, inner: LanguageModel) -> None:
        self.name = inner.name
        self.synthetic = inner.synthetic
        self._inner = inner


class AroundSynthesizer:
    """The attributes of a voice around ``inner``."""

    def __init__(self, inner: Synthesizer) -> None:
        self.name = inner.name
        self.sample_rate = inner.sample_rate
        self._inner = inner

    @property
    def ready(self) -> bool:
        """Whether ``inner`` is."""
        return self._inner.ready

    @property
    def voices(self) -> Sequence[str]:
        """Those of ``inner``."""
        return self._inner.voices
