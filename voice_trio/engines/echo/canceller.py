"""The microphone's sound without what the assistant is just saying: the one thing that a listener calls.

The reference is what was sent, read where the client's reports say that it sounded. AEC3 finds the rest of the way by
itself: loudspeaker, room and microphone, up to half a second. Where the reports turn out to be wrong by as much as a
jump, the reference is shifted, so that AEC3 finds the echo where it has learnt to expect it. While nothing sounds, and
its last echo is gone, frames pass as they are and cost nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.core.sounding import DOUBT_S, Report, SoundingClock
from voice_trio.engines.echo.aec3 import Aec3
from voice_trio.engines.echo.alignment import Alignment
from voice_trio.engines.echo.sent import SentAudio, Signal

TAIL_SAMPLES: Final = ms_to_samples(1_000)
"""How long a room, and a device's buffers, still give back what sounded."""

_DOUBT_SAMPLES: Final = round(DOUBT_S * SAMPLE_RATE)


class EchoCanceller:
    """One session's. Nothing in it waits, and it holds some seconds of audio at most. Positions never go back."""

    def __init__(self) -> None:
        """Raises `EngineError` where livekit is missing. The first one takes up to a second: see `Aec3`."""
        self._aec = Aec3()
        self._clock = SoundingClock()
        self._sent = SentAudio()
        self._alignment = Alignment()
        self._shift_s = 0.0
        """By how much later the echo's cause sounds than the reports say."""
        self._position = 0
        self._sounded_through = -TAIL_SAMPLES
        self._doubt_until = 0

    @property
    def is_doubtful(self) -> bool:
        """Whether within the last 300 ms the player jumped, or seems to have, or AEC3 was still finding the echo.

        What `clean` returned last may then hold some of its sound.
        """
        return self._position < self._doubt_until or self._clock.is_doubtful(self._position)

    def played_audio(self, turn: int, first_sample: int, pcm: bytes, rate: int) -> None:
        """Take s16le mono ``pcm`` that was sent as ``turn``'s, from its ``first_sample`` on, at ``rate`` Hz.

        What begins before the end of what was taken is in the place of that.
        """
        self._sent.add(turn, first_sample, pcm, rate)

    def sounding(self, turn: int | None, sample: int, position: int) -> None:
        """Take the client's word that from the microphone's sample ``position`` on ``turn`` sounds from ``sample`` on.

        With no turn, nothing sounds. So it does with one that nothing was sent of.
        """
        rate = None if turn is None else self._sent.rate(turn)
        self._clock.report(Report(position) if rate is None else Report(position, turn, sample / rate))

    def clean(self, frame: bytes, position: int) -> bytes:
        """Return ``frame``, s16le at 16 kHz, any number of 10 ms from sample ``position`` on, without the echo.

        Raises `EngineError`.
        """
        samples = len(frame) // BYTES_PER_SAMPLE
        spans = self._clock.spans(position, samples)
        self._position = position + samples
        if any(span.turn is not None for span in spans):
            self._sounded_through = self._position
        elif position >= self._sounded_through + TAIL_SAMPLES:
            return frame
        shifted = [span._replace(second=span.second - self._shift_s) for span in spans]
        reference = np.concatenate([self._sent.read(span) for span in shifted])
        self._align(np.frombuffer(frame, "<i2").astype(np.float32), reference)
        return self._aec.clean(frame, _pcm(reference))

    def _align(self, heard: Signal, reference: Signal) -> None:
        """Look whether the echo is where it was, and shift the frames to come if it is not."""
        moved = self._alignment.push(heard, reference)
        if moved is not None or self._alignment.is_new:
            self._doubt_until = self._position + _DOUBT_SAMPLES
        if moved:
            self._shift_s += moved / SAMPLE_RATE
            self._alignment.moved(moved)


def _pcm(sound: Signal) -> bytes:
    return np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()
