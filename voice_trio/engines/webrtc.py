"""webrtcvad as a detector: almost free (about 3 us a frame), and easily taken in by a keyboard or by music."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import webrtcvad

from voice_trio.config import Settings
from voice_trio.core.audio import FRAME_MS, SAMPLE_RATE
from voice_trio.engines.base import Detector
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind

DEFAULT_MODE: Final = 2
"""0 calls much speech, 3 little. Alone, 2 is quiet between the words of a clear voice without cutting into them."""

SETTLING_MS: Final = 180
"""A fresh webrtcvad takes any steady hiss for speech this long. Less than the pre-roll, so a first word stays whole."""


class WebRtcDetector:
    """One session's webrtcvad; its probabilities are 0.0 and 1.0, and 0.0 while it gets to know the room."""

    def __init__(self, mode: int = DEFAULT_MODE) -> None:
        self._mode = mode
        self.reset()

    def speech_probability(self, frame: bytes) -> float:
        """Return 1.0 if ``frame`` (`audio.FRAME_BYTES` bytes) holds speech, else 0.0."""
        speech = self._vad.is_speech(frame, SAMPLE_RATE)
        if self._settling > 0:
            self._settling -= 1
            return 0.0
        return float(speech)

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._vad = webrtcvad.Vad(self._mode)
        self._settling = SETTLING_MS // FRAME_MS


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Callable[[], Detector]]:
    yield WebRtcDetector


PLUG = Plug(kind=Kind.DETECTOR, name="webrtc", settings=Settings, open=_open, quality=10)
