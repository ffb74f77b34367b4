"""A hundred sounds in which nobody speaks: what a room, a machine or a person without a word gives a microphone.

All are made here, with fixed seeds: silence, hiss, pink noise, mains hum, fans, keyboards, music, coughs, breaths and
clicks, each at several loudnesses. Signals are as in `tests/noise.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tests import noise
from tests.noise import Signal
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples

SECONDS = 3.5
_SAMPLES = round(SECONDS * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Sound:
    """One of them."""

    kind: str
    number: int
    """Of its kind, from 0."""
    pcm: bytes
    """s16le mono at 16 kHz."""


def white(samples: int, seed: int) -> Signal:
    """Hiss, as a microphone's amplifier makes."""
    return np.random.default_rng(seed).standard_normal(samples)


def hum(samples: int, seed: int) -> Signal:
    """The mains: 50 or 60 Hz and what is above them."""
    drawn = np.random.default_rng(seed)
    at = np.arange(samples) / SAMPLE_RATE
    tones = (
        drawn.uniform(0.2, 1) / k * np.sin(2 * np.pi * (50, 60)[seed % 2] * k * at + drawn.uniform(0, 6))
        for k in range(1, 12)
    )
    return sum(tones, 0.02 * drawn.standard_normal(samples))


def fan(samples: int, seed: int) -> Signal:
    """A fan: rushing air that swells with each turn, and the tone of its blades."""
    drawn = np.random.default_rng(seed)
    at = np.arange(samples) / SAMPLE_RATE
    turns = drawn.uniform(8, 25)
    swell = 1 + 0.3 * np.sin(2 * np.pi * turns * at)
    blades = sum((0.1 / k * np.sin(2 * np.pi * 5 * turns * k * at) for k in range(1, 6)), np.zeros(samples))
    return noise.pink(samples, seed) * swell + blades


def coughs(samples: int, seed: int) -> Signal:
    """One to three coughs: a burst as the throat opens, air through it, and a short weak voice as it closes."""
    drawn = np.random.default_rng(seed)
    out = np.zeros(samples + SAMPLE_RATE)
    at = ms_to_samples(round(drawn.uniform(300, 900)))
    for _ in range(int(drawn.integers(1, 4))):
        burst = noise.band(drawn.standard_normal(ms_to_samples(60)), 300, 6000) * _fade(ms_to_samples(60), 3, 20)
        air = noise.band(drawn.standard_normal(ms_to_samples(250)), 400, drawn.uniform(1800, 3500))
        voice = ms_to_samples(120)
        pulses = np.zeros(voice)
        pulses[:: round(SAMPLE_RATE / drawn.uniform(110, 240))] = 1.0
        noise.add(out, at, 2.0 * burst)
        noise.add(out, at + ms_to_samples(30), air * _fade(len(air), 20, 80))
        noise.add(out, at + ms_to_samples(220), 2.0 * noise.band(pulses, 300, 1200) * _fade(voice, 20, 40))
        at += ms_to_samples(round(drawn.uniform(380, 700)))
    return out[:samples]


def breaths(samples: int, seed: int) -> Signal:
    """Breathing close to the microphone: air that swells and ebbs."""
    drawn = np.random.default_rng(seed)
    out = np.zeros(samples)
    at = 0
    while at < samples:
        length = ms_to_samples(round(drawn.uniform(500, 1100)))
        low = drawn.uniform(200, 700)
        noise.add(
            out,
            at,
            noise.band(drawn.standard_normal(length), low, low * 6) * np.sin(np.linspace(0, np.pi, length)) ** 2,
        )
        at += length + ms_to_samples(round(drawn.uniform(200, 600)))
    return out


def clicks(samples: int, seed: int) -> Signal:
    """Mouse clicks, knocks and claps."""
    drawn = np.random.default_rng(seed)
    out = np.zeros(samples)
    at = ms_to_samples(200)
    while at < samples:
        length = ms_to_samples(120)
        low = drawn.choice([80.0, 800.0, 2500.0])
        noise.add(
            out, at, noise.band(drawn.standard_normal(length), low, low * 3) * _fade(length, 1, drawn.uniform(3, 25))
        )
        at += ms_to_samples(round(drawn.uniform(120, 900)))
    return out


def silence(samples: int, seed: int) -> Signal:
    """What a microphone gives when there is nothing: digital silence, or its last bit."""
    return np.zeros(samples) if seed % 2 else np.random.default_rng(seed).standard_normal(samples)


Maker = Callable[[int, int], Signal]

KINDS: dict[str, tuple[Maker, int, tuple[float, ...]]] = {
    "silence": (silence, 8, (-80.0, -65.0)),
    "white": (white, 10, (-55.0, -45.0, -35.0, -25.0)),
    "pink": (noise.pink, 12, (-50.0, -40.0, -30.0, -22.0)),
    "hum": (hum, 8, (-45.0, -35.0, -25.0)),
    "fan": (fan, 10, (-45.0, -35.0, -25.0)),
    "keyboard": (noise.keyboard, 14, (-45.0, -35.0, -28.0)),
    "music": (noise.music, 14, (-45.0, -35.0, -28.0, -20.0)),
    "coughs": (coughs, 10, (-35.0, -28.0, -22.0)),
    "breaths": (breaths, 8, (-45.0, -35.0, -28.0)),
    "clicks": (clicks, 6, (-40.0, -30.0, -25.0)),
}
"""Kind -> who makes it, how many there are, and their loudness (RMS, in dB of full scale), in turn."""


def sounds() -> Iterator[Sound]:
    """Yield all hundred."""
    for kind, (make, many, levels) in KINDS.items():
        for number in range(many):
            made = make(_SAMPLES, number)
            power = float(np.mean(np.square(made)))
            level = 10 ** (levels[number % len(levels)] / 20)
            yield Sound(kind, number, noise.to_pcm(made / max(power, 1e-12) ** 0.5 * level))


def _fade(samples: int, rise_ms: float, fall_ms: float) -> Signal:
    at = np.arange(samples) * 1000 / SAMPLE_RATE
    shape: Signal = np.minimum(1.0, at / rise_ms) * np.exp(-at / fall_ms)
    return shape
