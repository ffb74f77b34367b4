"""Packets into PCM: 20 ms for each, whatever is in it, so that the clock of samples stays exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.wire.opus import library
from voice_trio.wire.opus.encoding import pcm_of
from voice_trio.wire.opus.packet import PACKET_SAMPLES, PRE_SKIP, RATE, only_frame, without_frame

_SILK_20_MS: Final = bytes([9 << 3])
"""A packet without a frame, where there was none before it."""


@dataclass(slots=True)
class Tally:
    """What came of packets."""

    packets: int = 0
    damaged: int = 0
    """Of them, those that could not be decoded; one that is empty was lost before it came to us, and counts here."""


TALLY: Final = Tally()
"""Of all the streams that clients have sent to this process."""


class Decoder:
    """One stream of packets, as s16le mono of ``rate``."""

    def __init__(self, rate: int, tally: Tally | None = None) -> None:
        """``tally`` is added to."""
        self.rate: Final = rate
        self._tally = tally or Tally()
        self._context = library.open_decoder()
        self._resampler = library.open_resampler(rate)
        self._lost = _SILK_20_MS
        self._skip = PRE_SKIP * rate // RATE
        self.samples = 0
        """Of the sound so far: what `push` has returned."""

    def push(self, packet: bytes) -> tuple[bytes, bool]:
        """Return what can be heard now that ``packet`` has come, and whether it could be decoded.

        Each adds 20 ms of sound. For one that says nothing, the decoder makes up as much, which fades.
        """
        self._tally.packets += 1
        frame = only_frame(packet)
        pcm = None if frame is None else self._decoded(frame)
        is_sound = pcm is not None
        if frame is not None and is_sound:
            self._lost = without_frame(frame)
        else:
            self._tally.damaged += 1
            pcm = self._decoded(self._lost)
        pcm = pcm or bytes(PACKET_SAMPLES * BYTES_PER_SAMPLE)
        made = b"".join(pcm_of(out) for out in self._resampler.resample(library.frame_of(pcm, RATE)))
        skipped = min(self._skip, len(made) // BYTES_PER_SAMPLE)
        self._skip -= skipped
        made = made[skipped * BYTES_PER_SAMPLE :]
        self.samples += len(made) // BYTES_PER_SAMPLE
        return made, is_sound

    def _decoded(self, frame: bytes) -> bytes | None:
        """Return what `only_frame` let through as s16le mono of `RATE`; None if it is no sound."""
        import av

        try:
            decoded = b"".join(pcm_of(one) for one in self._context.decode(av.Packet(frame)))
        except av.FFmpegError:
            return None
        return decoded if len(decoded) == PACKET_SAMPLES * BYTES_PER_SAMPLE else None
