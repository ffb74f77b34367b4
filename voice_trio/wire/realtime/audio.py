"""Sound as a Realtime client sends and takes it: base64 of 24 kHz PCM or of G.711, in pieces of any length."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final, Literal

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.g711 import RATE as TELEPHONE_RATE, Law, a_law, u_law
from voice_trio.wire.realtime.errors import Wrong

if TYPE_CHECKING:
    import soxr

Format = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
"""s16le mono PCM of `PCM_RATE`, and G.711's two laws of 8 kHz, a byte a sample."""

PCM_RATE: Final = 24_000

MAX_APPEND_BYTES: Final = 15 * 1024 * 1024
"""The most audio that one message may hold."""

KEPT_S: Final = 30
"""So much of one message is heard, its latest: no utterance that is not refused as too long lasts longer by default."""


def rate_of(form: Format) -> int:
    """Return the samples a second of ``form``."""
    return PCM_RATE if form == "audio/pcm" else TELEPHONE_RATE


def bytes_per_sample(form: Format) -> int:
    """Return how long a sample of ``form`` is."""
    return BYTES_PER_SAMPLE if form == "audio/pcm" else 1


def unpacked(text: str, param: str, *, beyond: int = 0) -> bytes:
    """Return the bytes of base64 ``text``, but for its first ``beyond`` letters. Raises `Wrong`, naming ``param``."""
    if len(text) > 4 * -(-MAX_APPEND_BYTES // 3):
        most = MAX_APPEND_BYTES // 1024 // 1024
        raise Wrong(f"{param!r} is too long: at most {most} MiB of audio are taken at once.", param=param)
    try:
        return binascii.a2b_base64(text[beyond:] if beyond else text, strict_mode=True)
    except ValueError:  # of which binascii's own is one, and what is not ASCII
        raise Wrong(f"{param!r} is no base64.", param=param) from None


def latest(text: str, form: Format, param: str) -> tuple[bytes, float]:
    """Return the last `KEPT_S` of base64 ``text``, sound of ``form``, and how many ms came before. Raises `Wrong`."""
    bytes_a_second = rate_of(form) * bytes_per_sample(form)
    # Six bytes are eight letters, and whole samples.
    beyond = max(0, len(text) - 4 * -(-KEPT_S * bytes_a_second // 3)) // 8
    return unpacked(text, param, beyond=8 * beyond), 6000 * beyond / bytes_a_second


def packed(data: bytes) -> str:
    """Return ``data`` in base64."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


class Incoming:
    """What a client appends, as 16 kHz s16le mono PCM: one stream, however it is cut."""

    def __init__(self, form: Format) -> None:
        self.form: Final = form
        self._law = _law_of(form)
        self._half = b""
        self._resampler = _Resampler(rate_of(form), SAMPLE_RATE)

    def push(self, data: bytes) -> bytes:
        """Return what is ready now that ``data`` has come; a sample may be split over two pieces."""
        if self._law is not None:
            return self._resampler.push(self._law.decode(data))
        if self._half:
            data = self._half + data
        whole = len(data) - len(data) % BYTES_PER_SAMPLE
        self._half = data[whole:]
        return self._resampler.push(data[:whole])

    def end(self) -> bytes:
        """Return what is left of all that came; what comes next is a stream of its own."""
        self._half = b""
        return self._resampler.end()


class Outgoing:
    """A reply's sound as the client takes it: one stream of whole samples."""

    def __init__(self, sample_rate: int, form: Format) -> None:
        """It is given s16le mono PCM of ``sample_rate``."""
        self.sample_rate: Final = sample_rate
        self._law = _law_of(form)
        self._resampler = _Resampler(sample_rate, rate_of(form))

    def push(self, pcm: bytes) -> bytes:
        """Return what is ready now that ``pcm`` has come."""
        return self._spelled(self._resampler.push(pcm))

    def end(self) -> bytes:
        """Return what is left."""
        return self._spelled(self._resampler.end())

    def _spelled(self, pcm: bytes) -> bytes:
        return pcm if self._law is None else self._law.encode(pcm)


class _Resampler:
    """libsoxr's, which keeps back what it needs to see what comes next: so there is no seam between two pieces.

    That is up to 40 ms, and 120 ms at the rate of telephones. In floating point, since it would dither whole numbers:
    silence is to stay silence.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._rates = from_rate, to_rate
        self._stream = self._begin()

    def _begin(self) -> soxr.ResampleStream | None:
        if self._rates[0] == self._rates[1]:
            return None
        import soxr

        return soxr.ResampleStream(*self._rates, 1, dtype="float32")

    def push(self, pcm: bytes, *, last: bool = False) -> bytes:
        if self._stream is None:
            return pcm
        import numpy as np

        made = self._stream.resample_chunk(np.frombuffer(pcm, "<i2").astype(np.float32), last=last)
        rounded: np.ndarray = np.clip(np.rint(made), -0x8000, 0x7FFF).astype("<i2")
        return rounded.tobytes()

    def end(self) -> bytes:
        left = self.push(b"", last=True)
        self._stream = self._begin()
        return left


def _law_of(form: Format) -> Law | None:
    match form:
        case "audio/pcmu":
            return u_law()
        case "audio/pcma":
            return a_law()
    return None
