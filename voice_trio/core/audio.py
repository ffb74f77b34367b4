"""The one audio format inside the server: 16 kHz, mono, signed 16-bit little-endian PCM."""

import struct

SAMPLE_RATE = 16_000
"""Samples per second of everything a client sends."""

BYTES_PER_SAMPLE = 2

FRAME_MS = 30
"""The stride at which speech is detected; the longest that webrtcvad takes."""

FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * BYTES_PER_SAMPLE

_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_WAV_PCM = 1
WAV_HEADER_BYTES = _WAV_HEADER.size


def ms_to_samples(ms: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Whole samples in ``ms`` milliseconds, rounded down."""
    return ms * sample_rate // 1000


def samples_to_ms(samples: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Whole milliseconds in ``samples`` samples, rounded down."""
    return samples * 1000 // sample_rate


def wav_header(pcm_bytes: int, sample_rate: int) -> bytes:
    """Return the `WAV_HEADER_BYTES` that make a WAV file of so much s16le mono PCM behind them."""
    return _WAV_HEADER.pack(
        *(b"RIFF", WAV_HEADER_BYTES - 8 + pcm_bytes, b"WAVE"),
        *(b"fmt ", 16, _WAV_PCM, 1, sample_rate, sample_rate * BYTES_PER_SAMPLE, BYTES_PER_SAMPLE, 16),
        *(b"data", pcm_bytes),
    )


def wav_of(pcm: bytes, sample_rate: int) -> bytes:
    """Return s16le mono ``pcm`` as a WAV file."""
    return wav_header(len(pcm), sample_rate) + pcm


class Framer:
    """Cuts a stream of PCM of any message size into whole frames of `FRAME_BYTES`."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, pcm: bytes) -> list[bytes]:
        """Take ``pcm`` (even length) and return the frames it completed, oldest first."""
        if len(pcm) == FRAME_BYTES and not self._rest:
            return [pcm]
        data = self._rest + pcm if self._rest else pcm
        whole = len(data) - len(data) % FRAME_BYTES
        self._rest = data[whole:]
        return [data[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]

    @property
    def rest(self) -> bytes:
        """What waits for the rest of its frame."""
        return self._rest
