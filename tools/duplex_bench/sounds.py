"""Sounds that are no words: rooms, what goes on in them, coughs and knocks. Computed, the same each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from tests import noise
from tests.noise import Signal
from tools import utterances
from tools.duplex_bench.script import Background, Clip
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples

LEVEL = 0.05
"""The RMS at which a person speaks: 26 dB below full scale."""

BACKGROUNDS: Mapping[str, Callable[[int, int], Signal]] = {
    "fan": noise.pink,
    "keyboard": noise.keyboard,
    "music": noise.music,
    "babble": utterances.babble,
    "television": utterances.television,
}
"""What may go on in a room; each takes a number of samples and a seed, and has an RMS of 1.0."""

_LOOP = 30 * SAMPLE_RATE
_ROOM = 3e-4
"""The RMS of a quiet room: no microphone gives digital silence."""
_SEED = 1


def levelled(samples: Signal) -> Signal:
    """Return ``samples`` as loud as a person speaks."""
    scaled: Signal = samples * (LEVEL / noise.active_rms(samples))
    return scaled


def faded(samples: Signal, ms: int = 10) -> Signal:
    """Return ``samples`` that rise out of nothing and go back, without a click."""
    ramp = np.sin(np.linspace(0, np.pi / 2, ms_to_samples(ms))) ** 2
    around = np.ones(len(samples))
    around[: len(ramp)] *= ramp
    around[len(samples) - len(ramp) :] *= ramp[::-1]
    return samples * around


def room(samples: int, begin: int) -> Signal:
    """Return ``samples`` of a quiet room, from ``begin`` on."""
    return np.take(_quiet(), np.arange(begin, begin + samples), mode="wrap")


def background(what: Background, begin: int, end: int) -> Signal:
    """Return that noise from one sample to another. Raises KeyError for an unknown kind."""
    return np.take(_loop(what.kind), np.arange(begin, end), mode="wrap") * LEVEL / 10 ** (what.snr_db / 20)


@cache
def _loop(kind: str) -> Signal:
    return BACKGROUNDS[kind](_LOOP, _SEED)


@cache
def _quiet() -> Signal:
    return np.random.default_rng(_SEED).normal(0, _ROOM, _LOOP)


# --- what a person does without words ---------------------------------------------------------------------------------


def cough(seed: int) -> Clip:
    """Two bursts of breath, the second weaker: a tight opening, a rush, and a tail with some voice in it."""
    draw = np.random.default_rng(seed)
    out = np.zeros(ms_to_samples(700))
    for at_ms, loudness in ((0, 1.0), (draw.integers(260, 380), draw.uniform(0.4, 0.8))):
        length = ms_to_samples(280)
        seconds = np.arange(length) / SAMPLE_RATE
        rush = noise.band(draw.standard_normal(length), 400, 4500) * np.exp(-seconds / draw.uniform(0.04, 0.07))
        hertz = draw.uniform(110, 200) * (1 - 0.8 * seconds)
        voice = np.sign(np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE)) * np.exp(-((seconds - 0.12) ** 2) / 0.003)
        start = ms_to_samples(int(at_ms))
        out[start : start + length] += loudness * (rush + 0.15 * noise.band(voice, 150, 2500))
    return Clip(faded(levelled(out), 2))


def knock(seed: int) -> Clip:
    """Something put down on the table: a click, and the wood."""
    draw = np.random.default_rng(seed)
    seconds = np.arange(ms_to_samples(300)) / SAMPLE_RATE
    thud = np.sin(2 * np.pi * draw.uniform(90, 220) * seconds) * np.exp(-seconds / draw.uniform(0.02, 0.05))
    click = noise.band(draw.standard_normal(len(seconds)), 800, 6000) * np.exp(-seconds / 0.004)
    return Clip(faded(levelled(thud + 0.5 * click), 2))


def sniff(seed: int) -> Clip:
    """A breath drawn through the nose, twice."""
    draw = np.random.default_rng(seed)
    out = np.zeros(ms_to_samples(900))
    for at_ms in (0, draw.integers(420, 520)):
        length = ms_to_samples(int(draw.integers(180, 320)))
        breath = noise.band(draw.standard_normal(length), 1200, 6500) * np.hanning(length)
        start = ms_to_samples(int(at_ms))
        out[start : start + length] += breath
    return Clip(faded(levelled(out), 2))
