"""Sound as a microphone hands it over: in messages, each when the last of it was heard."""

from __future__ import annotations

from typing import Self

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples

MESSAGE_MS = 60
"""Length of a message where none is given: half the cost of one a frame."""


class Microphone:
    """Hears ``pcm``, from the moment it is made on, and hands it over message by message.

    async for message in Microphone(pcm):
        await client.ask(m.Audio(message))

    Messages come by the clock: one that was taken late makes the next ones no later.
    """

    def __init__(self, pcm: bytes, *, message_ms: int = MESSAGE_MS, speed: float = 1.0) -> None:
        """``pcm`` is 16 kHz s16le mono; ``speed`` is that of speech times so much, and `math.inf` waits for nothing."""
        self._pcm = pcm
        self._step = ms_to_samples(message_ms) * BYTES_PER_SAMPLE
        self._bytes_per_s = SAMPLE_RATE * BYTES_PER_SAMPLE * speed
        self._at = 0
        self._began_at = trio.current_time()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._at >= len(self._pcm):
            raise StopAsyncIteration
        message = self._pcm[self._at : self._at + self._step]
        await trio.sleep_until(self._began_at + (self._at + len(message)) / self._bytes_per_s)
        self._at += len(message)
        return message
