"""What a packet of Opus may be on /ws, looked at before any decoder sees it.

What comes from a client is anybody's bytes. Only one form of packet goes on: one frame of 20 ms behind one byte that
says how it is coded, without lengths or padding that could lie (RFC 6716, sections 3.1 and 3.2).
"""

from __future__ import annotations

from typing import Final

RATE: Final = 48_000
"""Opus' own clock: lengths and delays count in it, whatever rate the sound has."""

PACKET_MS: Final = 20
PACKET_SAMPLES: Final = RATE * PACKET_MS // 1000

PRE_SKIP: Final = 312
"""Samples by which sound comes out later than it went in: what a stream begins with before its first sample."""

SPARE: Final = 168
"""Samples, 3.5 ms, that a resampler behind the decoder may keep back and still have all that it was promised."""

MAX_FRAME_BYTES: Final = 1275
"""The longest that a frame can be (section 3.4, R2)."""

MAX_PACKET_BYTES: Final = 1500
"""The longest with padding: of a constant bit rate, encoders fill packets up."""

_OF_20_MS: Final = frozenset({1, 5, 9, 13, 15, 19, 23, 27, 31})
"""Ways of coding whose frames last so long (section 3.1, table 2)."""

_FRAMES: Final = 3
"""The bits of the first byte that say how many there are."""
_ONE: Final = 0
_COUNTED: Final = 3
_COUNT: Final = 0x3F
_PADDED: Final = 0x40
_MORE: Final = 255
"""A length of padding that says: 254, and another one follows."""


def only_frame(packet: bytes) -> bytes | None:
    """Return ``packet`` as one frame without padding; None if it is not one frame of 20 ms.

    One byte alone is a packet without a frame: sound that goes on as it was, as a sender has it while nobody speaks.
    """
    if not 1 <= len(packet) <= MAX_PACKET_BYTES or packet[0] >> 3 not in _OF_20_MS:
        return None
    frames = packet[0] & _FRAMES
    frame = packet[1:] if frames == _ONE else _unpadded(packet) if frames == _COUNTED else None
    return None if frame is None or len(frame) > MAX_FRAME_BYTES else without_frame(packet) + frame


def without_frame(packet: bytes) -> bytes:
    """Return the packet that says: as ``packet`` was coded, and lost."""
    return bytes([packet[0] & ~_FRAMES])


def _unpadded(packet: bytes) -> bytes | None:
    """Return the frame of ``packet``, which says how many it has (section 3.2.5); None if that is not one."""
    counts, at, padding = packet[1:2], 2, 0
    if not counts or counts[0] & _COUNT != 1:
        return None
    if counts[0] & _PADDED:
        while True:
            if at >= len(packet):
                return None
            length = packet[at]
            at += 1
            padding += min(length, _MORE - 1)
            if length != _MORE:
                break
    end = len(packet) - padding
    return packet[at:end] if at <= end else None
