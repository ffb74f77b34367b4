"""The one audio format inside the house: 16 kHz, mono, signed 16-bit little-endian PCM."""

import io
import wave

SAMPLE_RATE = 16_000
"""Samples per second of everything a client sends."""

BYTES_PER_SAMPLE = 2

FRAME_MS = 30
"""The stride at which speech is detected; the longest that webrtcvad takes."""

FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1000
FRAME_BYTES = FRAME_SAMPLES * BYTES_PER_SAMPLE


def ms_to_samples(ms: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Whole samples in ``ms`` milliseconds, rounded down."""
    return ms * sample_rate // 1000


def samples_to_ms(samples: int, sample_rate: int = SAMPLE_RATE) -> int:
    """Whole milliseconds in ``samples`` samples, rounded down."""
    return samples * 1000 // sample_rate


def wav_of(pcm: bytes, sample_rate: int) -> bytes:
    """Return s16le mono ``pcm`` as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(sample_rate)
        writer.writeframes(pcm)
    return file.getvalue()


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

    def clear(self) -> None:
        """Forget an incomplete frame."""
        self._rest = b""
