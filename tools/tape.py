"""A stereo recording of a conversation as a person's two ears would have had it: left spoken, right played."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 48_000


class Tape:
    """Takes what is said by either side at the time at which it was sent or came. Times are of any one clock, in s."""

    def __init__(self, began_at: float) -> None:
        self._began_at = began_at
        self._pieces: tuple[list[tuple[int, np.ndarray]], list[tuple[int, np.ndarray]]] = ([], [])
        self._dry_at = began_at

    def spoke(self, pcm: bytes, sample_rate: int, sent_at: float) -> None:
        """Note s16le mono ``pcm``, the last sample of which the microphone heard when it was sent."""
        self._add(0, pcm, sample_rate, sent_at - len(pcm) / 2 / sample_rate)

    def played(self, pcm: bytes, sample_rate: int, came_at: float) -> None:
        """Note ``pcm``, which a player plays when it comes, or after what it is playing."""
        begins_at = max(came_at, self._dry_at)
        self._dry_at = begins_at + len(pcm) / 2 / sample_rate
        self._add(1, pcm, sample_rate, begins_at)

    def write(self, path: Path) -> None:
        """Write a WAV."""
        length = max((at + len(piece) for channel in self._pieces for at, piece in channel), default=0)
        both = np.zeros((length, 2), "<i2")
        for number, channel in enumerate(self._pieces):
            for at, piece in channel:
                both[at : at + len(piece), number] = piece
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(both.tobytes())

    def _add(self, channel: int, pcm: bytes, sample_rate: int, begins_at: float) -> None:
        samples = np.frombuffer(pcm, "<i2")
        count = round(len(samples) * RATE / sample_rate)
        # Straight lines between samples: it is looked at for when there is sound, not listened to.
        resampled = np.interp(np.arange(count) * sample_rate / RATE, np.arange(len(samples)), samples).astype("<i2")
        self._pieces[channel].append((max(0, round((begins_at - self._began_at) * RATE)), resampled))
