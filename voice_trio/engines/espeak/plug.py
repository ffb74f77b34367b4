"""The voice that needs no system package: pyttsx3 over the espeak-ng of `espeakng_loader`."""

from __future__ import annotations

from voice_trio.config import Settings
from voice_trio.engines.espeak.child import RATE, VOICES
from voice_trio.engines.plug import Plug
from voice_trio.engines.voice import VoiceProcess, open_voice
from voice_trio.entry_points import Kind
from voice_trio.workers.main import Fields

RATE_SETTING = 136
"""pyttsx3's `rate` for speed 1.0. espeak counts words in a way of its own: on ordinary prose, pauses included, this
comes to some 170 a minute. It does not go below 80, so the slowest speed is 0.59."""


def request(text: str, voice: str | None, speed: float) -> Fields:
    """Return what the child is asked."""
    return {"text": text, "voice": voice or VOICES[0], "rate": round(RATE_SETTING * speed)}


ESPEAK = VoiceProcess(
    name="pyttsx3 espeak-ng", sample_rate=RATE, module="voice_trio.engines.espeak.child", request=request
)

PLUG = Plug(kind=Kind.SYNTHESIZER, name="espeak", settings=Settings, open=open_voice, quality=10)
