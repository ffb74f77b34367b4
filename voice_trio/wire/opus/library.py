"""libopus, by way of PyAV: what makes its encoders and decoders, and what it takes to have it.

It works in this process, on packets that `packet.only_frame` has let through: the reference decoder of RFC 6716, which
OSS-Fuzz is fed to day and night (google/oss-fuzz, projects/opus), and nothing of FFmpeg's own but the call. A process
apart, as uploads have, would cost more for each 20 ms than the decoding, 0.03 ms.
"""

from __future__ import annotations

import importlib
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from voice_trio.wire.opus.packet import PACKET_MS

if TYPE_CHECKING:
    from av import AudioCodecContext, AudioFrame, AudioResampler

RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
"""What an encoder takes."""

BIT_RATE: Final = 28_000

_CODEC: Final = "libopus"
_NEEDED: Final = ("av", "numpy")


def is_loaded() -> bool:
    """Return whether all of it is imported."""
    return all(name in sys.modules for name in _NEEDED)


def load() -> None:
    """Import it, which takes some 50 ms: call it in a thread."""
    for name in _NEEDED:
        importlib.import_module(name)
    # What fails is counted here, and FFmpeg would print it. The first of each kind takes longer than the others.
    sys.modules["av"].logging.set_level(None)
    open_encoder(RATES[0])
    open_decoder()
    open_resampler(RATES[0])


def open_encoder(rate: int) -> AudioCodecContext:
    """Return an encoder of speech, s16 mono, of one of `RATES`."""
    import av

    context: AudioCodecContext = av.CodecContext.create(_CODEC, "w")
    context.format, context.layout, context.sample_rate = "s16", "mono", rate
    context.bit_rate, context.time_base = BIT_RATE, Fraction(1, rate)
    context.options = {"application": "voip", "frame_duration": str(PACKET_MS), "vbr": "on"}
    context.open()
    return context


def open_decoder() -> AudioCodecContext:
    """Return a decoder, which gives s16 mono of `packet.RATE`."""
    import av

    context: AudioCodecContext = av.CodecContext.create(_CODEC, "r")
    context.layout = "mono"
    context.open()
    return context


def open_resampler(rate: int) -> AudioResampler:
    """Return what makes s16 mono of ``rate`` from any other; it keeps back about 1 ms, and shifts nothing."""
    import av

    return av.AudioResampler(format="s16", layout="mono", rate=rate)


def frame_of(pcm: bytes, rate: int) -> AudioFrame:
    """Return s16le mono ``pcm`` as FFmpeg takes it."""
    import av
    import numpy as np

    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2")[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = rate
    return frame
