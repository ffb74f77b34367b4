"""One utterance's audio on its way from the listener to the recogniser."""

from __future__ import annotations

from enum import Enum

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.core.messages import Error, ErrorCode

SLOWEST = 2.0
"""Times as long as its audio that the longest utterance may take to come."""

STRIDE_BYTES = ms_to_samples(200) * BYTES_PER_SAMPLE
"""Audio that is worth waking somebody for: to wake a task costs more than to hear a frame, and recognisers that work as
the audio comes take it in strides like this. Whoever asks what was said so far takes all there is."""


class Ending(Enum):
    """Why an utterance is over."""

    SILENCE = "silence"
    STOPPED = "stopped"
    TOO_LONG = "too long"
    NO_SPEECH = "no speech"


def too_long(max_utterance_ms: int, turn: int) -> Error:
    """Return what is said of an utterance that is `Ending.TOO_LONG`."""
    message = f"An utterance may last {max_utterance_ms / 1000:g} seconds; what was said until then is answered."
    return Error(code=ErrorCode.MAX_DURATION_EXCEEDED, message=message, recoverable=True, turn=turn)


class Capture:
    """A buffer that the listener fills without ever waiting, and a doorbell for the one task that empties it.

    It holds at most ``max_samples``, the longest utterance, so that a burst after a stall is no failure and a client
    that sends faster than the recogniser works costs a bounded amount of memory. Whoever waits for it ends it when
    nobody has spoken for ``patience_s``; and once somebody did, when it takes more than `SLOWEST` times as long as the
    longest utterance, however slowly the audio comes: a recogniser is held meanwhile.
    """

    def __init__(self, *, max_samples: int, patience_s: float) -> None:
        self.samples = 0
        """Of the utterance so far, pre-roll included."""
        self.voiced_through = 0
        """The sample just before which somebody was last heard."""
        self.ending: Ending | None = None
        self._max_samples = max_samples
        self._deadline = trio.current_time() + patience_s
        self._waiting = bytearray()
        self._doorbell = trio.Event()
        self._ended = trio.Event()
        self._paused = trio.Event()
        self._resumed = trio.Event()

    @property
    def begun(self) -> bool:
        """Whether someone has spoken."""
        return self.samples > 0

    def has_ended(self) -> bool:
        """Whether the utterance is over."""
        return self.ending is not None

    def append(self, pcm: bytes) -> None:
        """Add audio; what would make the utterance too long ends it instead."""
        first = not self.begun
        if first:
            self._deadline = trio.current_time() + SLOWEST * self._max_samples / SAMPLE_RATE
        room = (self._max_samples - self.samples) * BYTES_PER_SAMPLE
        self._waiting += pcm[:room]
        self.samples += min(len(pcm), room) // BYTES_PER_SAMPLE
        if len(pcm) > room:
            self.end(Ending.TOO_LONG)
        if first or len(self._waiting) >= STRIDE_BYTES:
            self._doorbell.set()

    def voiced(self) -> None:
        """Say that somebody was heard in what was appended last."""
        self.voiced_through = self.samples

    def pause(self) -> None:
        """Say that it may be over: nobody has spoken for a while."""
        self._resumed = trio.Event()
        self._paused.set()

    def resume(self) -> None:
        """Say that it goes on after a pause."""
        self._paused = trio.Event()
        self._resumed.set()

    def end(self, ending: Ending) -> None:
        """Say that the utterance is over. Only the first ending counts."""
        if self.ending is None:
            self.ending = ending
            self._ended.set()
            self._doorbell.set()

    async def wait_begun(self) -> bool:
        """Wait until someone speaks; False if the utterance was over before."""
        while not self.begun and self.ending is None:
            await self._wait_doorbell()
        return self.begun

    async def wait_paused(self) -> None:
        """Wait until it may be over."""
        await self._paused.wait()

    async def wait_resumed(self) -> None:
        """Wait until it goes on after a pause; for ever, if it does not."""
        await self._resumed.wait()

    async def wait_ended(self) -> Ending:
        """Wait until the utterance is over and return why."""
        while self.ending is None:
            await self._wait(self._ended)
        return self.ending

    async def receive(self) -> bytes:
        """Wait for `STRIDE_BYTES` of audio or the end, and return all there is.

        It is empty once the utterance is over and was taken whole.
        """
        while len(self._waiting) < STRIDE_BYTES and self.ending is None:
            await self._wait_doorbell()
        return self.take()

    def take(self) -> bytes:
        """Return all the audio there is; never waits."""
        pcm = bytes(self._waiting)
        self._waiting.clear()
        return pcm

    async def _wait_doorbell(self) -> None:
        self._doorbell = trio.Event()
        await self._wait(self._doorbell)

    async def _wait(self, event: trio.Event) -> None:
        with trio.move_on_at(self._deadline):
            await event.wait()
        if self.ending is None and trio.current_time() >= self._deadline:
            self.end(Ending.TOO_LONG if self.begun else Ending.NO_SPEECH)
