"""What a client sends before it commits it: audio that nobody listens to until then."""

from __future__ import annotations

from math import inf

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.messages import LEAST_COMMIT_MS
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.session.capture import Capture
from voice_trio.session.ending import Ending


class Gathering:
    """One session's. None of it waits. It holds the longest utterance: of what is more, the oldest is dropped."""

    def __init__(self, max_utterance_ms: int) -> None:
        self._max_samples = ms_to_samples(max_utterance_ms)
        self._pcm = bytearray()
        self._timeline = Timeline()

    def add(self, pcm: bytes) -> None:
        """Take more of it, 16 kHz s16le mono."""
        self._pcm += pcm
        del self._pcm[: -self._max_samples * BYTES_PER_SAMPLE]
        self._timeline.first(Moment.SPEECH_START, trio.current_time())
        self._timeline.latest(Moment.SPEECH_END, trio.current_time())

    def clear(self) -> None:
        """Forget it."""
        self._pcm.clear()
        self._timeline = Timeline()

    def take(self, before: int) -> tuple[Capture, Timeline] | None:
        """Return it as an utterance that is over, whose last sample is just ``before`` that of the session.

        It is forgotten then; None where it is too short to be one, and stays.
        """
        samples = len(self._pcm) // BYTES_PER_SAMPLE
        if samples < ms_to_samples(LEAST_COMMIT_MS):
            return None
        capture = Capture(max_samples=self._max_samples, patience_s=inf)
        capture.append(bytes(self._pcm))
        capture.spoken_from, capture.spoken_through = before - samples, before
        # For all that is known, somebody spoke all the time.
        capture.voiced_through = capture.voiced_samples = samples
        capture.end(Ending.STOPPED)
        timeline = self._timeline
        self.clear()
        return capture, timeline
