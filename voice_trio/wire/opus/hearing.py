"""What a client says in packets, as the session takes it: 20 ms of PCM for each message, at the place where it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed
from voice_trio.wire.opus.decoding import TALLY, Decoder
from voice_trio.wire.opus.packet import PACKET_MS

_PACKET_SAMPLES: Final = ms_to_samples(PACKET_MS)

MOST_DAMAGED: Final = 500
"""So many more damaged packets than sound ones, 10 s of them, are no accident."""


class Hearing:
    """One stream of a client."""

    def __init__(self) -> None:
        self._decoder = Decoder(SAMPLE_RATE, TALLY)
        self._came = 0
        """Packets so far."""
        self._damaged = 0
        """The damaged ones beyond the sound ones, never less than none."""

    def take(self, packet: bytes) -> m.Audio:
        """Return the sound of ``packet``; something that sounds as it did before, if that is none.

        Raises `Malformed` when that is the rule.
        """
        if len(packet) > m.MAX_MESSAGE_BYTES:
            raise Malformed(
                f"message of {len(packet)} bytes; at most {m.MAX_MESSAGE_BYTES} are allowed", Farewell.TOO_LARGE
            )
        pcm, is_sound = self._decoder.push(packet)
        self._came += 1
        self._damaged = max(0, self._damaged - 1) if is_sound else self._damaged + 1
        if self._damaged > MOST_DAMAGED:
            message = f"{MOST_DAMAGED} binary messages more than not were no packets of Opus of {PACKET_MS} ms"
            raise Malformed(message, Farewell.FLOOD)
        return m.Audio(pcm)

    def placed(self, sounding: m.Sounding) -> m.Sounding:
        """Return ``sounding``, which counts from the next packet's first sample, counting from the next `Audio`'s."""
        return replace(sounding, at=sounding.at + self._came * _PACKET_SAMPLES - self._decoder.samples)
