"""The words of a recording, stretch by stretch of its speech: what comes of each can be said at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

import trio

from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, FRAME_BYTES, SAMPLE_RATE, ms_to_samples
from voice_trio.core.messages import ErrorCode
from voice_trio.core.strange_text import mend
from voice_trio.core.stretches import Stretch, Stretches
from voice_trio.engines.base import Detector, EngineError, Engines, Recognizer
from voice_trio.server.allowance import Allowance
from voice_trio.session.asr import SpokenLanguage

_SLICE_SAMPLES = ms_to_samples(300)
"""Looking for speech in so much audio takes one or two milliseconds, in which the server does nothing else."""


class Segment(NamedTuple):
    """What was said between two long pauses."""

    start_s: float
    end_s: float
    text: str


class Hearing:
    """One recording, as it is recognised."""

    def __init__(
        self, pcm: bytes, language: str | None, engines: Engines, settings: Settings, allowance: Allowance | None
    ) -> None:
        """``pcm`` is 16 kHz s16le mono, in ``language`` (ISO 639-1) or, for None, what the recognizer hears."""
        self.seconds = len(pcm) // BYTES_PER_SAMPLE / SAMPLE_RATE
        """Length of the recording."""
        self._pcm = pcm
        self._asked = language
        self._engines = engines
        self._timeout_s = settings.asr_timeout_s
        self._allowance = allowance
        self._spoken = SpokenLanguage()
        self.language = language
        """Of the first words, once there are any."""
        self.segments: list[Segment] = []
        """Those that hold words, so far."""

    @property
    def text(self) -> str:
        """All words so far."""
        return " ".join(segment.text for segment in self.segments)

    async def run(self, take: Callable[[Segment], Awaitable[None]] | None = None) -> None:
        """Recognise all of it; ``take`` is given each segment. Raises `EngineError` (ASR_FAIL, ASR_TIMEOUT)."""
        stretches = Stretches()
        detector = self._engines.new_detector()
        step = _SLICE_SAMPLES * BYTES_PER_SAMPLE
        for at in range(0, len(self._pcm), step):
            piece = self._pcm[at : at + step]
            if self._allowance is not None:
                await self._allowance.pay_for_audio(len(piece) // BYTES_PER_SAMPLE)
            for stretch in _found(piece, detector, stretches):
                await self._recognise(stretch, take)
            await trio.lowlevel.checkpoint()
        last = stretches.finish(len(self._pcm) // BYTES_PER_SAMPLE)
        if last is not None:
            await self._recognise(last, take)

    async def _recognise(self, stretch: Stretch, take: Callable[[Segment], Awaitable[None]] | None) -> None:
        recognizer, language = self._engines.recognizer, self._asked or self._spoken.known
        pcm = self._pcm[stretch.begin * BYTES_PER_SAMPLE : stretch.end * BYTES_PER_SAMPLE]
        samples = len(pcm) // BYTES_PER_SAMPLE
        # As for what is spoken, and the time besides in which nobody could begin to recognise it while it was spoken.
        limit_s = self._timeout_s + samples / SAMPLE_RATE
        try:
            with trio.fail_after(limit_s):
                async with recognizer.open(language) as utterance:
                    utterance.feed(pcm)
                    heard = await utterance.settle(samples, stretch.voiced_through - stretch.begin)
        except trio.TooSlowError:
            message = f"The speech was not recognised within {limit_s:.0f} seconds."
            raise EngineError(ErrorCode.ASR_TIMEOUT, message) from None
        self._spoken.hear(heard, stretch.voiced_through - stretch.onset)
        if not (text := mend(heard.text).strip()):
            return
        if self.language is None and heard.language is not None:
            self.language = mend(heard.language)
        segment = Segment(stretch.onset / SAMPLE_RATE, stretch.voiced_through / SAMPLE_RATE, text)
        self.segments.append(segment)
        if take is not None:
            await take(segment)


def _found(piece: bytes, detector: Detector, stretches: Stretches) -> Iterator[Stretch]:
    """Yield the stretches that are over by ``piece``, of whole frames but for the recording's last one."""
    for at in range(0, len(piece), FRAME_BYTES):
        frame = piece[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        if (stretch := stretches.push(detector.speech_probability(frame))) is not None:
            yield stretch


def understands(recognizer: Recognizer, language: str) -> bool:
    """Return whether ``recognizer`` knows ``language``, as far as it says which it knows."""
    return not recognizer.languages or language in recognizer.languages
