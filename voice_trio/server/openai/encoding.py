"""Speech in the formats of /v1/audio/speech, encoded as it comes: FFmpeg by way of PyAV, fed with sound of our own."""

from __future__ import annotations

import importlib
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from voice_trio.core.audio import WAV_HEADER_BYTES, wav_header
from voice_trio.server.openai.tempo import RATE

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

_UNKNOWN_LENGTH: Final = 0xFFFFFFFF - WAV_HEADER_BYTES
"""Of a WAV that is sent before it is made to its end: the largest that it can have, as players know it."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How FFmpeg makes a format."""

    mimetype: str
    muxer: str
    codec: str
    options: tuple[tuple[str, str], ...] = ()
    """Of the muxer."""
    bit_rate: int | None = None


_CODINGS: Final = {
    # What would be written into the beginning when the end is known is left out.
    "mp3": Coding("audio/mpeg", "mp3", "libmp3lame", (("write_xing", "0"), ("id3v2_version", "0")), 64_000),
    # A page as soon as it holds 200 ms, not a second.
    "opus": Coding("audio/ogg", "ogg", "libopus", (("page_duration", "200000"),), 48_000),
    "aac": Coding("audio/aac", "adts", "aac", (), 64_000),
    "flac": Coding("audio/flac", "flac", "flac"),
}

MIMETYPES: Final = {
    **{name: coding.mimetype for name, coding in _CODINGS.items()},
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""Format -> its media type."""


class Encoder(ABC):
    """Encodes one stream of s16le mono at `RATE`."""

    computes: ClassVar[bool]
    """Whether it takes up to a fiftieth of the sound's own time: so much belongs in a thread."""

    @abstractmethod
    def push(self, pcm: bytes) -> bytes:
        """Return what is ready, now that ``pcm`` has come."""

    @abstractmethod
    def finish(self) -> bytes:
        """Return the rest."""


def encoder_for(name: str) -> Encoder:
    """Return what makes the format ``name``, one of `MIMETYPES`."""
    coding = _CODINGS.get(name)
    return _Plain(name == "wav") if coding is None else _Coded(coding)


class _Plain(Encoder):
    """PCM as it is, behind the header of a WAV or behind none."""

    computes = False

    def __init__(self, has_header: bool) -> None:
        self._before = wav_header(_UNKNOWN_LENGTH, RATE) if has_header else b""

    def push(self, pcm: bytes) -> bytes:
        before, self._before = self._before, b""
        return before + pcm

    def finish(self) -> bytes:
        return self.push(b"")


class _Written:
    """What a muxer writes to; it has no way back."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.data)
        self.data.clear()
        return taken


class _Coded(Encoder):
    """One of `_CODINGS`."""

    computes = True

    def __init__(self, coding: Coding) -> None:
        import av

        self._written = _Written()
        self._output = av.open(self._written, "w", format=coding.muxer, options=dict(coding.options))
        stream: AudioStream = self._output.add_stream(coding.codec, rate=RATE)  # type: ignore[assignment]
        stream.layout = "mono"
        if coding.bit_rate is not None:
            stream.bit_rate = coding.bit_rate
        self._stream = stream
        self._pushed = 0

    def push(self, pcm: bytes) -> bytes:
        import av
        import numpy as np

        if pcm:
            samples = np.frombuffer(pcm, "<i2")
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, self._pushed
            self._pushed += len(samples)
            self._output.mux(self._stream.encode(frame))
        return self._written.take()

    def finish(self) -> bytes:
        if self._pushed:
            self._output.mux(self._stream.encode(None))
        self._output.close()
        return self._written.take()


_NEEDED: Final = ("av", "av.filter", "numpy", "soxr")


def is_loaded() -> bool:
    """Return whether what the encoders need is imported."""
    return all(name in sys.modules for name in _NEEDED)


def load() -> None:
    """Import it, which takes a tenth of a second: call it in a thread."""
    for name in _NEEDED:
        importlib.import_module(name)
    import av

    av.logging.set_level(None)
