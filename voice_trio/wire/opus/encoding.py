"""PCM into packets: one stream, however it is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.wire.opus import library
from voice_trio.wire.opus.packet import PACKET_SAMPLES, PRE_SKIP, RATE, SPARE

if TYPE_CHECKING:
    from av import AudioFrame


class Encoder:
    """Encodes s16le mono of ``rate``."""

    def __init__(self, rate: int) -> None:
        """A ``rate`` that Opus does not have is resampled to one that holds all of it, or to the highest."""
        self.rate: Final = rate
        self._own = next((one for one in library.RATES if one >= rate), library.RATES[-1])
        self._resampler = None if self._own == rate else library.open_resampler(self._own)
        self._context = library.open_encoder(self._own)
        self._frame_bytes = PACKET_SAMPLES * self._own // RATE * BYTES_PER_SAMPLE
        self._waiting = bytearray()
        self._pushed = self._packets = 0

    @property
    def covered(self) -> int:
        """How many of the samples that were pushed can be heard by who has all packets so far, and to spare."""
        return min(self._pushed, max(0, (self._packets * PACKET_SAMPLES - PRE_SKIP - SPARE) * self.rate // RATE))

    @property
    def waiting(self) -> int:
        """How many samples of `rate` come before those that are pushed next in the next packet."""
        return len(self._waiting) // BYTES_PER_SAMPLE * self.rate // self._own

    def push(self, pcm: bytes) -> list[bytes]:
        """Return the packets that are ready now that ``pcm`` has come."""
        if pcm:
            self._pushed += len(pcm) // BYTES_PER_SAMPLE
            self._waiting += pcm if self._resampler is None else self._resampled(library.frame_of(pcm, self.rate))
        return self._encoded()

    def finish(self) -> list[bytes]:
        """Return the rest, of which the last is filled up with silence. Nothing is pushed after it."""
        if self._resampler is not None and self._pushed:
            self._waiting += self._resampled(None)
        packets = self._encoded()
        while self.covered < self._pushed:
            self._waiting += bytes(self._frame_bytes - len(self._waiting))
            packets += self._encoded()
        return packets

    def _resampled(self, frame: AudioFrame | None) -> bytes:
        assert self._resampler is not None
        return b"".join(pcm_of(out) for out in self._resampler.resample(frame))

    def _encoded(self) -> list[bytes]:
        whole = len(self._waiting) - len(self._waiting) % self._frame_bytes
        packets = []
        for at in range(0, whole, self._frame_bytes):
            frame = library.frame_of(bytes(self._waiting[at : at + self._frame_bytes]), self._own)
            packets += [bytes(packet) for packet in self._context.encode(frame)]
        del self._waiting[:whole]
        self._packets += len(packets)
        return packets


def pcm_of(frame: AudioFrame) -> bytes:
    """Return what ``frame`` holds, s16 mono."""
    return bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
