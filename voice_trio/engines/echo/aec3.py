"""WebRTC's echo canceller, AEC3, as the package livekit brings it along. Nothing else of that package is used.

The import takes up to a second and its library five threads of its own, which wait; no event loop of asyncio is
started. Calls are plain functions that take about 0.1 ms for 10 ms of sound.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.errors import EngineError
from voice_trio.core.messages import ErrorCode

EXTRA: Final = "echo"
STEP_SAMPLES: Final = SAMPLE_RATE // 100
STEP_BYTES: Final = STEP_SAMPLES * BYTES_PER_SAMPLE
"""10 ms: what it takes at a time."""


@cache
def missing() -> str | None:
    """Return what is missing for it, and what to do, in a sentence; None if it is installed."""
    try:
        found = find_spec("livekit.rtc") is not None
    except ImportError:
        found = False
    return None if found else f"Echo cannot be cancelled without livekit: pip install 'voice-trio[{EXTRA}]'."


class Aec3:
    """One session's canceller: what it has learnt of a room, 0.4 MB. Not to be called from two threads at a time."""

    def __init__(self) -> None:
        """Load what it needs, at the first time for up to a second. Raises `EngineError` where that is missing."""
        if (lacking := missing()) is not None:
            raise EngineError(ErrorCode.INTERNAL, lacking)
        try:
            from livekit import rtc

            self._frame: Any = rtc.AudioFrame
            self._module = rtc.AudioProcessingModule(echo_cancellation=True)
        except Exception as error:
            # The library is not for this machine, or lacks another.
            raise EngineError(ErrorCode.INTERNAL, f"The echo canceller cannot be loaded: {error}") from error

    def clean(self, heard: bytes, sounding: bytes) -> bytes:
        """Return ``heard`` without the echo of what sounds: steps of s16le mono at 16 kHz, as many of either.

        Raises `EngineError`.
        """
        cleaned = bytearray()
        try:
            for at in range(0, len(heard), STEP_BYTES):
                self._module.process_reverse_stream(self._step(sounding, at))
                step = self._step(heard, at)
                self._module.process_stream(step)
                cleaned += step.data.cast("B")
        except RuntimeError as error:
            raise EngineError(ErrorCode.INTERNAL, f"The echo canceller failed: {error}") from error
        return bytes(cleaned)

    def _step(self, pcm: bytes, at: int) -> Any:
        return self._frame(bytearray(pcm[at : at + STEP_BYTES]), SAMPLE_RATE, 1, STEP_SAMPLES)
