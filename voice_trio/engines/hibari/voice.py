"""The neural voice for English, with espeak beside it for a person who asks for one of espeak's voices by name.

So a session whose replies are in another language has a voice for it, and a person who likes espeak keeps it. What they
say comes at the neural voice's rate: a synthesizer has one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.engines.base import Speaking, Speech, whole
from voice_trio.engines.espeak.plug import ESPEAK
from voice_trio.engines.plug import Plug
from voice_trio.engines.speech import at_rate
from voice_trio.engines.voice import VoiceProcess, WorkerVoice, open_voices
from voice_trio.entry_points import Kind
from voice_trio.installation import package_folder
from voice_trio.workers.main import Fields

RATE = 24_000
LANGUAGE = "en"
"""The one that it speaks."""
VOICE = "heart"
"""The one that lies in its wheel."""


def request(text: str, voice: str | None, speed: float) -> Fields:
    """Return what the child is asked."""
    return {"text": text, "voice": voice or VOICE, "speed": speed}


HIBARI = VoiceProcess(name="hibari", sample_rate=RATE, module="voice_trio.engines.hibari.child", request=request)


class TwoVoices:
    """hibari, and espeak for its own voices."""

    sample_rate = RATE

    def __init__(self, neural: WorkerVoice, other: WorkerVoice) -> None:
        self._neural = neural
        self._other = other

    @property
    def name(self) -> str:
        """The neural voice's."""
        return self._neural.name

    @property
    def voices(self) -> Sequence[str]:
        """Names that `speak` takes: the neural voice's, then espeak's."""
        return (*self._neural.voices, *self._other.voices)

    @property
    def ready(self) -> bool:
        """Whether a phrase would be spoken at once."""
        return self._neural.ready

    def kill_workers(self) -> None:
        """Kill the processes of both."""
        self._neural.kill_workers()
        self._other.kill_workers()

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text`` within ``seconds``. It raises `EngineError` (TTS_FAIL)."""
        if voice not in self._other.voices:
            return self._neural.speak(text, seconds=seconds, voice=voice, speed=speed)

        async def make() -> Speech:
            speech = await self._other.speak(text, seconds=seconds, voice=voice, speed=speed)
            return await trio.to_thread.run_sync(at_rate, speech, RATE)

        return whole(make)


def missing(settings: Settings) -> str | None:
    """Return why the neural voice cannot be used, as the end of a sentence; None where it can."""
    if settings.language not in ("", LANGUAGE):
        return f"it speaks English, and STREAM_LANGUAGE is {settings.language!r}"
    if package_folder("hibari") is None:
        return "it is not installed: pip install hibari-tts"
    return None


@asynccontextmanager
async def open_hibari(settings: Settings) -> AsyncIterator[TwoVoices]:
    """Have a warm voice for as long as the block runs. Raises `CannotLoad`.

    Of the ``tts_workers`` one is espeak's: a process of hibari takes 110 MB, and one is enough for some ten speakers.
    """
    async with open_voices((HIBARI, max(1, settings.tts_workers - 1)), (ESPEAK, 1)) as (neural, other):
        yield TwoVoices(neural, other)


PLUG = Plug(kind=Kind.SYNTHESIZER, name="hibari", settings=Settings, open=open_hibari, missing=missing, quality=50)
