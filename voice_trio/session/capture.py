"""One utterance's audio on its way from the listener to the recognizer."""

from __future__ import annotations

from math import inf

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, FRAME_SAMPLES, SAMPLE_RATE, ms_to_samples, samples_to_ms
from voice_trio.engines.base import END_OF_TURN_S, Transcript
from voice_trio.session.ending import SLOWEST, Ending
from voice_trio.session.weighing import Weighing

_DIES_AWAY_MS = 90
"""What comes so soon after a voice may be the rest of its last word."""

HELD_UP_S = 0.2
"""Woken so much later than it wanted, a process was held up itself: what came meanwhile has not been read yet."""

_LATEST_BYTES = END_OF_TURN_S * SAMPLE_RATE * BYTES_PER_SAMPLE

STRIDE_BYTES = ms_to_samples(200) * BYTES_PER_SAMPLE
"""Audio that is worth waking a task for: to wake one costs more than to hear a frame, and recognizers that work as
the audio comes take it in strides like this. A task that asks what was said so far takes all there is."""


class Capture:
    """A buffer that the listener fills without ever waiting, and a doorbell for the one task that empties it.

    It holds at most ``max_samples``, the longest utterance, so that a burst after a stall is no failure and a client
    that sends faster than the recognizer works costs a bounded amount of memory. The task that waits for it ends it
    when nobody has spoken for ``patience_s``; and once somebody did, when the audio stops coming (see `expect`), or
    takes more than `SLOWEST` times as long as the longest utterance, however slowly it comes.

    What was taken is kept, since the utterance may turn out not to be over: see `go_on_from`.
    """

    def __init__(self, *, max_samples: int, patience_s: float) -> None:
        self.samples = 0
        """Of the utterance so far, pre-roll included."""
        self.voiced_through = 0
        """The sample just before which somebody was last heard."""
        self.voiced_samples = 0
        """In how many of them somebody was heard."""
        self.spoken_from = 0
        """The session's sample with which somebody began to speak."""
        self.spoken_through = 0
        """The session's sample just before which they were last heard."""
        self.ending: Ending | None = None
        self.by_clock = False
        """Whether it was ended by the clock: what comes later may have been said before."""
        self.longest_s = max_samples / SAMPLE_RATE
        """Length of the longest utterance."""
        self.weighing: Weighing | None = None
        """What weighs its pauses, if anything does."""
        self.lead = b""
        """What lies before its first sample and was taken for another's silence; see `lead_in`."""
        self.settled: Transcript | None = None
        """What it was taken to say before its turn began, all of it."""
        self._max_samples = max_samples
        self._deadline = trio.current_time() + patience_s
        self._still_at = inf
        self._if_still = Ending.STILL
        self._pcm = bytearray()
        self._taken = 0
        """Bytes of it that were taken."""
        self._limits: set[trio.CancelScope] = set()
        """Those who wait, no longer than `_still_at`."""
        self._doorbell = trio.Event()
        self._ended = trio.Event()
        self._paused = trio.Event()
        self._resumed = trio.Event()
        self._awaited = inf
        """So many voiced samples `_enough_voice` waits for."""
        self._enough_voice = trio.Event()

    @property
    def begun(self) -> bool:
        """Whether someone has spoken."""
        return self.samples > 0

    @property
    def pauses(self) -> bool:
        """Whether nobody has spoken for a while: it may be over."""
        return self._paused.is_set()

    @property
    def silent_samples(self) -> int:
        """How much of it came since somebody was last heard."""
        return self.samples - self.voiced_through

    def has_ended(self) -> bool:
        """Whether the utterance is over."""
        return self.ending is not None

    def append(self, pcm: bytes) -> int:
        """Add audio; what would make the utterance too long ends it instead. Return how many samples that is."""
        first = not self.begun
        if first:
            self._deadline = trio.current_time() + SLOWEST * self.longest_s
        room = max(0, (self._max_samples - self.samples) * BYTES_PER_SAMPLE)
        self._pcm += pcm[:room]
        self.samples += min(len(pcm), room) // BYTES_PER_SAMPLE
        beyond = max(0, len(pcm) - room) // BYTES_PER_SAMPLE
        if beyond:
            self.end(Ending.TOO_LONG)
        if first or self._left >= STRIDE_BYTES:
            self._doorbell.set()
        return beyond

    def voiced(self) -> None:
        """Say that somebody was heard in the frame that was appended last."""
        self.voiced_through = self.samples
        self.voiced_samples += FRAME_SAMPLES
        if self.voiced_samples >= self._awaited:
            self._enough_voice.set()

    def fits_behind(self, before: Capture) -> bool:
        """Whether it is not too long together with ``before``."""
        return before.samples + self.samples <= self._max_samples

    def go_on_from(self, before: Capture) -> None:
        """Begin with the audio of ``before``, of the same utterance, which was ended too soon.

        Where it does not fit behind that, it ends as too long.
        """
        if before.weighing is not None and not before.by_clock:
            # What was taken for the end was a pause of this person.
            before.weighing.resume(samples_to_ms(self.spoken_from - before.spoken_through))
        self.settled = None
        self.lead = before.lead
        self._pcm[:0] = before._pcm
        self._taken = 0
        self.spoken_from = before.spoken_from
        self.samples += before.samples
        self.voiced_through += before.samples
        self.voiced_samples += before.voiced_samples
        if self.samples > self._max_samples:
            del self._pcm[self._max_samples * BYTES_PER_SAMPLE :]
            self.samples = self._max_samples
            self.voiced_through = min(self.voiced_through, self.samples)
            # Whatever ended it: this is what the person has to know.
            self.ending = None
            self.end(Ending.TOO_LONG)
        self._doorbell.set()

    def lead_in(self) -> None:
        """Begin with the `lead`: where this goes on with nothing, the soft beginning of its first word may be there."""
        # Where a pause is weighed, what comes to be known of it is known by its place.
        samples = 0 if self.pauses else min(len(self.lead) // BYTES_PER_SAMPLE, self._max_samples - self.samples)
        self._pcm[:0] = self.lead[len(self.lead) - samples * BYTES_PER_SAMPLE :]
        self.samples += samples
        self.voiced_through += samples
        self.lead = b""

    def rewind(self) -> None:
        """Have all of it taken once more."""
        self._taken = 0
        self._doorbell.set()

    def left_ms(self) -> int:
        """Return how much of it is yet to be taken."""
        return samples_to_ms(self._left // BYTES_PER_SAMPLE)

    @property
    def _left(self) -> int:
        return len(self._pcm) - self._taken

    def expect(self, by: float, otherwise: Ending) -> None:
        """Say that more audio is to come by that time, in seconds of Trio's clock, or the utterance ends so."""
        earlier = by < self._still_at
        self._still_at, self._if_still = by, otherwise
        for limit in self._limits if earlier else ():
            limit.deadline = min(limit.deadline, by)

    def pause(self) -> None:
        """Say that it may be over: nobody has spoken for a while."""
        self._resumed = trio.Event()
        self._paused.set()
        self._enough_voice.set()
        if self.weighing is not None:
            self.weighing.pause(self.voiced_through)

    def resume(self, lasted_ms: int) -> None:
        """Say that it goes on after ``lasted_ms`` of silence, a pause."""
        self._paused = trio.Event()
        if self.weighing is not None:
            self.weighing.resume(lasted_ms)
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

    async def wait_silent(self, ms: int) -> bool:
        """Wait until a pause has lasted so long, by the clock; return whether it has, and nobody spoke before."""
        with trio.move_on_after(max(0, ms - samples_to_ms(self.silent_samples)) / 1000) as limit:
            await self.wait_resumed()
        return limit.cancelled_caught

    async def wait_resumed(self) -> None:
        """Wait until it goes on after a pause; for ever, if it does not."""
        await self._resumed.wait()

    async def wait_voiced(self, samples: int | None) -> None:
        """Wait until somebody was heard in so many samples, or pauses. One task at a time may."""
        self._awaited = inf if samples is None else samples
        self._enough_voice = trio.Event()
        if self.voiced_samples >= self._awaited:
            self._enough_voice.set()
        await self._enough_voice.wait()

    async def wait_ended(self) -> Ending:
        """Wait until the utterance is over and return why."""
        while self.ending is None:
            await self._wait(self._ended)
        return self.ending

    async def receive(self) -> bytes:
        """Wait for `STRIDE_BYTES` of audio or the end, and return all there is.

        It is empty once the utterance is over and was taken whole.
        """
        while self._left < STRIDE_BYTES and self.ending is None:
            await self._wait_doorbell()
        # Or one who was woken, and cancelled since, would take it from who comes next.
        await trio.lowlevel.checkpoint_if_cancelled()
        return self.take()

    def take(self) -> bytes:
        """Return all the audio there is; never waits."""
        pcm = bytes(memoryview(self._pcm)[self._taken :])
        self._taken = len(self._pcm)
        return pcm

    def silence(self, ms: int) -> bytes:
        """Return the last that came since a voice had died away, so much of it at most, taken or not."""
        died_away = self.voiced_through + ms_to_samples(_DIES_AWAY_MS)
        return bytes(self._pcm[max(died_away, self.samples - ms_to_samples(ms)) * BYTES_PER_SAMPLE :])

    def latest(self, silence_ms: int) -> bytes:
        """Return its last `END_OF_TURN_S`, or all of it, taken or not, with no more than that behind the voice."""
        through = (self.voiced_through + ms_to_samples(silence_ms)) * BYTES_PER_SAMPLE
        return bytes(self._pcm[:through][-_LATEST_BYTES:])

    async def _wait_doorbell(self) -> None:
        self._doorbell = trio.Event()
        await self._wait(self._doorbell)

    async def _wait(self, event: trio.Event) -> None:
        deadline = min(self._deadline, self._still_at)
        with trio.move_on_at(deadline) as limit:
            self._limits.add(limit)
            try:
                await event.wait()
            finally:
                self._limits.remove(limit)
        if limit.cancelled_caught and trio.current_time() - limit.deadline >= HELD_UP_S:
            await trio.sleep(HELD_UP_S)
        now = trio.current_time()
        if self.ending is None and now >= min(self._deadline, self._still_at):
            self.by_clock = True
            too_slow = Ending.TOO_SLOW if self.begun else Ending.NO_SPEECH
            self.end(too_slow if now >= self._deadline else self._if_still)
