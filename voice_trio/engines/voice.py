"""The voice that needs no system package: pyttsx3 over the espeak-ng of `espeakng_loader`, in warm worker processes.

A process of its own makes a phrase killable: one that hangs costs its turn a phrase and nobody else anything.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, EngineError, Mark, Phoneme, Speech
from voice_trio.engines.plug import Plug
from voice_trio.engines.voice_child import RATE, VOICES
from voice_trio.entry_points import Kind
from voice_trio.workers.main import Fields
from voice_trio.workers.pool import WorkerPool, open_pool
from voice_trio.workers.process import WorkerError, python_worker

RATE_SETTING = 136
"""pyttsx3's `rate` for speed 1.0. espeak counts words in a way of its own: on ordinary prose, pauses included, this
comes to some 170 a minute. It does not go below 80, so the slowest speed is 0.59."""
MAX_CHARS = 1_000
"""Longest text spoken in one go: about a minute, and 0.1 s of work. Phrases are a tenth of it."""
SPOKEN_SIGNS = "&%#@+"
"""Punctuation that has a name worth saying on its own."""


def has_sound(text: str) -> bool:
    """Return whether there is anything in ``text`` to say."""
    return any(unicodedata.category(char)[0] in "LNS" or char in SPOKEN_SIGNS for char in text)


def clean(text: str) -> str:
    """Return ``text``, of the same length, without what no voice can take: control characters, halves of a pair.

    White space of every kind is a space: what ends a word to us must end it to the voice.
    """
    return "".join(" " if char.isspace() or unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


class WorkerVoice(ABC):
    """A voice in worker processes that answer a text with audio and with the places of its words."""

    name: str
    sample_rate: int

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    @property
    def voices(self) -> Sequence[str]:
        """Names that `speak` takes, the usual one first."""
        return tuple(self._pool.info.get("voices", ()))

    @property
    def ready(self) -> bool:
        """Whether a phrase would be spoken at once."""
        return self._pool.ready

    def kill_workers(self) -> None:
        """Kill the voice processes."""
        self._pool.kill_workers()

    @abstractmethod
    def request(self, voice: str | None, speed: float) -> Fields:
        """Return what a worker is told besides the text; ``speed`` is 0.5 to 2.0."""

    async def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speech:
        """Say ``text`` within ``seconds``; nothing sayable makes an empty `Speech`. Raises `EngineError` (TTS_FAIL)."""
        if len(text) > MAX_CHARS:
            raise EngineError(ErrorCode.TTS_FAIL, "The phrase is too long to speak.")
        if voice is not None and voice not in self.voices:
            raise EngineError(ErrorCode.TTS_FAIL, "There is no such voice.")
        if not has_sound(text):
            await trio.lowlevel.checkpoint()
            return Speech(b"", self.sample_rate)
        request = {"text": clean(text), **self.request(voice, min(max(speed, 0.5), 2.0))}
        try:
            reply = await self._pool.call(request, seconds=seconds)
        except WorkerError as error:
            message = "The voice took too long." if error.kind == "timeout" else "The voice failed."
            raise EngineError(ErrorCode.TTS_FAIL, message) from error
        return Speech(
            reply.body,
            self.sample_rate,
            tuple(Mark(sample, char) for sample, char in reply.fields["marks"]),
            tuple(Phoneme(sample, symbol) for sample, symbol in reply.fields.get("phonemes", ())),
        )


class EspeakVoice(WorkerVoice):
    """Speech by espeak-ng."""

    name = "pyttsx3 espeak-ng"
    sample_rate = RATE

    def request(self, voice: str | None, speed: float) -> Fields:
        """Return the voice's name, and the rate as pyttsx3 counts it."""
        return {"voice": voice or VOICES[0], "rate": round(RATE_SETTING * speed)}


@asynccontextmanager
async def voice_workers(module: str, count: int) -> AsyncIterator[WorkerPool]:
    """Have ``count`` workers of the voice whose child is ``module``, one of them warm. Raises `CannotLoad`."""
    async with open_pool(python_worker("voice", module), count) as pool:
        try:
            await pool.wait_ready()
        except WorkerError as error:
            raise CannotLoad(f"The voice cannot be started: {error}.") from error
        yield pool


@asynccontextmanager
async def open_voice(settings: Settings) -> AsyncIterator[EspeakVoice]:
    """Have a warm voice for as long as the block runs. Raises `CannotLoad`."""
    async with voice_workers("voice_trio.engines.voice_child", settings.tts_workers) as pool:
        yield EspeakVoice(pool)


PLUG = Plug(kind=Kind.SYNTHESIZER, name="espeak", settings=Settings, open=open_voice, quality=10)
