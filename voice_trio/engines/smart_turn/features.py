"""What Smart Turn is shown of a sound: Whisper's log-mel spectrogram of eight seconds.

The spectrogram is the one that Whisper's paper describes (Radford et al. 2022, section 2.2): Hann windows of 25 ms
every 10 ms, the power in 80 triangles on Slaney's mel scale, its logarithm, no lower than 8 below the loudest. Before
it, the sound is brought to mean 0 and variance 1, silence before its beginning included, as in the model's training.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from voice_trio.core.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

SPAN_SAMPLES: Final = 8 * SAMPLE_RATE
BANDS: Final = 80

_WINDOW: Final = SAMPLE_RATE * 25 // 1000
_HOP: Final = SAMPLE_RATE // 100
_STEPS: Final = SPAN_SAMPLES // _HOP
_LEAST_POWER: Final = 1e-10
_RANGE: Final = 8.0
_LEAST_VARIANCE: Final = 1e-7


def log_mel(pcm: bytes) -> Floats:
    """Return the last eight seconds of ``pcm`` (16 kHz s16le) as the model takes them, an array of 80 by 800.

    What is shorter has silence before it.
    """
    import numpy as np

    samples = np.frombuffer(pcm, "<i2")[-SPAN_SAMPLES:]
    audio = np.zeros(SPAN_SAMPLES, np.float32)
    audio[SPAN_SAMPLES - len(samples) :] = samples / np.float32(32768)
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + _LEAST_VARIANCE)
    framed = np.lib.stride_tricks.sliding_window_view(np.pad(audio, _WINDOW // 2, "reflect"), _WINDOW)[::_HOP]
    spectrum = np.fft.rfft(framed[:_STEPS] * np.hanning(_WINDOW + 1)[:-1].astype(np.float32))
    power = np.square(np.abs(spectrum)).astype(np.float32)
    levels = np.log10(np.maximum(_triangles() @ power.T, _LEAST_POWER))
    scaled: Floats = (np.maximum(levels, levels.max() - _RANGE) + 4) / 4
    return scaled


@cache
def _triangles() -> Floats:
    """Return the weight of each frequency of a spectrum in each band: triangles of equal area, 0 to 8 kHz."""
    import numpy as np

    corners = _hertz(np.linspace(0, _mel(SAMPLE_RATE / 2), BANDS + 2))
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    frequencies = np.linspace(0, SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    triangles: npt.NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return triangles.astype(np.float32)


_LINEAR_HZ: Final = 1000.0
_LINEAR_MEL: Final = 15.0
_HZ_PER_MEL: Final = 200 / 3
_OCTAVES: Final = 6.4
_STEPS_IN_THEM: Final = 27.0
"""Slaney's scale is a straight line up to 1 kHz; from there on, 27 mel are a factor of 6.4."""


def _mel(hertz: float) -> float:
    """Return where ``hertz``, at least 1 kHz, lies on the scale."""
    import math

    return _LINEAR_MEL + _STEPS_IN_THEM * math.log(hertz / _LINEAR_HZ) / math.log(_OCTAVES)


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    import numpy as np

    return np.where(
        mel < _LINEAR_MEL, mel * _HZ_PER_MEL, _LINEAR_HZ * _OCTAVES ** ((mel - _LINEAR_MEL) / _STEPS_IN_THEM)
    )
