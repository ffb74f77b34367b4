"""A voice that speaks in Morse code."""

import math
from array import array
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import trio
from pydantic import Field

from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Mark, Speaking, Speech, whole
from voice_trio.engines.plug import EngineSettings, Kind, Plug

SAMPLE_RATE = 16_000
SIGNS = (
    "a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- "
    "w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----. "
    "..-.-.- ,--..-- ?..--.."
)
CODES = {sign[0]: sign[1:] for sign in SIGNS.split()}


class MorseSettings(EngineSettings):
    """Fields of its own are STREAM_ variables; a field named like a setting of the server's has that one's value."""

    morse_dot_ms: Annotated[int, Field(ge=1, le=500, description="length of a dot in Morse code, in ms")] = 60
    morse_pitch_hz: Annotated[int, Field(ge=100, le=4000, description="pitch of Morse code, in Hz")] = 600


class MorseVoice:
    """Letters, digits and a few signs; what has no code is a pause."""

    name = "morse"
    sample_rate = SAMPLE_RATE
    ready = True
    voices = ("morse",)

    def __init__(self, settings: MorseSettings) -> None:
        self._dot_ms = settings.morse_dot_ms
        self._pitch_hz = settings.morse_pitch_hz

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text``, in one piece. Raises `EngineError`, once it is asked for, for a voice that there is not."""
        return whole(partial(self._speak, text, voice, speed))

    async def _speak(self, text: str, voice: str | None, speed: float) -> Speech:
        await trio.lowlevel.checkpoint()
        if voice not in (None, *self.voices):
            raise EngineError(ErrorCode.TTS_FAIL, "There is no such voice.")
        dot = max(round(SAMPLE_RATE * self._dot_ms / 1000 / speed), 1)
        tones = {".": self._tone(dot), "-": self._tone(3 * dot)}
        gap = bytes(2 * dot)
        pcm, marks, between = bytearray(), [], True
        for at, char in enumerate(text.lower()):
            if between and char in CODES:
                marks.append(Mark(len(pcm) // 2, at))
            between = char.isspace()
            pcm += gap.join(tones[sign] for sign in CODES.get(char, "")) + 3 * gap
        # The next phrase begins with another word.
        return Speech(bytes(pcm + 3 * gap), SAMPLE_RATE, tuple(marks))

    def _tone(self, samples: int) -> bytes:
        step = 2 * math.pi * self._pitch_hz / SAMPLE_RATE
        return array("h", (round(12_000 * math.sin(step * n)) for n in range(samples))).tobytes()


@asynccontextmanager
async def open_morse(settings: MorseSettings):
    """Give the voice. What it needs (a nursery, a process, a connection) would be open around the `yield`."""
    yield MorseVoice(settings)


PLUG = Plug(kind=Kind.SYNTHESIZER, name="morse", settings=MorseSettings, open=open_morse)
