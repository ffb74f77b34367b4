"""A sound device that stands in for the hardware: a room with a loudspeaker, a microphone, and a person who speaks."""

import numpy as np
import soxr
import trio

from tests.echo_room import room
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.sounding.device import BLOCK, RATE

BLOCK_S = BLOCK / RATE


class Room:
    """Plays into the microphone what the loudspeaker says, so many dB louder, and what `say` has a person say.

    It keeps the time of its clock: where it is late, the blocks come the faster.
    """

    def __init__(self, *, echo_db=None):
        self._response = None if echo_db is None else room(40.0, 1, 0.15) * 10 ** (echo_db / 20)
        if self._response is not None:
            self._response = soxr.resample(self._response, SAMPLE_RATE, RATE) / (RATE / SAMPLE_RATE)
        self._chance = np.random.default_rng(5)
        self._person = np.zeros(0)
        self._tail = np.zeros(0)
        self.sounded = []
        """Blocks of the loudspeaker's."""

    def say(self, pcm):
        """Have the person say 16 kHz s16le mono ``pcm`` from now on."""
        self._person = soxr.resample(np.frombuffer(pcm, "<i2").astype(float), SAMPLE_RATE, RATE)

    @property
    def speaking(self):
        return len(self._person) > 0

    @property
    def loud(self):
        """The loudest sample of the last blocks of the loudspeaker's."""
        return max((abs(block).max() for block in self.sounded[-10:]), default=0)

    async def run(self, exchange):
        began = trio.current_time()
        blocks = 0
        while True:
            blocks += 1
            await trio.sleep_until(began + blocks * BLOCK_S)
            heard = self._chance.normal(0, 3, BLOCK)
            heard[: len(self._person)] += self._person[:BLOCK]
            self._person = self._person[BLOCK:]
            echo, self._tail = self._tail[:BLOCK], self._tail[BLOCK:]
            heard[: len(echo)] += echo
            sounds = np.frombuffer(exchange(np.clip(heard, -32768, 32767).astype("<i2").tobytes()), "<i2")
            self.sounded.append(sounds)
            if self._response is not None:
                size = BLOCK + len(self._response) - 1
                coming = np.fft.irfft(np.fft.rfft(sounds, size) * np.fft.rfft(self._response, size), size)
                coming[: len(self._tail)] += self._tail
                self._tail = coming
