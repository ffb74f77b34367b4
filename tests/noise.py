"""Noise made on the spot, seeded: what a room puts under and after a person's words.

Signals are float64, 16 kHz, mono, full scale 1.0. Each kind comes with an RMS of 1.0 over its whole length, so that
`at_rms` and `mix` alone decide how loud it is.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples

Signal = npt.NDArray[np.float64]


@cache
def pink(samples: int, seed: int) -> Signal:
    """Noise whose power falls by 3 dB an octave: a fan, rain, a busy street far away."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    return _unit(np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20.0)), samples))


@cache
def keyboard(samples: int, seed: int) -> Signal:
    """Brisk typing, about seven keys a second: a thud and a click as a key goes down, weaker ones as it comes up."""
    rng = np.random.default_rng(seed)
    out = np.zeros(samples + SAMPLE_RATE)
    at = 0.0
    while at < samples:
        loudness = rng.uniform(0.4, 1.0)
        add(out, int(at), loudness * _key(rng))
        add(out, int(at + ms_to_samples(1) * rng.uniform(60, 110)), 0.5 * loudness * _key(rng))
        at += ms_to_samples(1) * rng.uniform(70, 210)
    return _unit(out[:samples])


@cache
def music(samples: int, seed: int) -> Signal:
    """A small band at 110 beats a minute: chords, a tune with vibrato on top, a drum and a hi-hat."""
    rng = np.random.default_rng(seed)
    beat = SAMPLE_RATE * 60 // 110
    out = np.zeros(samples + 4 * beat)
    roots = (220.0, 174.6, 261.6, 196.0)
    for number, start in enumerate(range(0, samples, beat)):
        root = roots[number // 4 % len(roots)]
        if number % 4 == 0:
            for ratio in (0.5, 1.0, 1.25, 1.5):
                add(out, start, 0.25 * _note(root * ratio, 4 * beat, vibrato=0.0))
        for half in (0, beat // 2):
            step = rng.choice([0, 2, 4, 7, 9, 12])
            add(out, start + half, 0.4 * _note(root * 2 * 2 ** (step / 12), beat // 2, vibrato=0.006))
            hat = rng.standard_normal(ms_to_samples(40)) * _decay(ms_to_samples(40), ms=8)
            add(out, start + half, 0.15 * np.diff(hat, prepend=0.0))
        drum = np.sin(2 * np.pi * 60 * np.arange(ms_to_samples(150)) / SAMPLE_RATE)
        add(out, start, 0.8 * drum * _decay(len(drum), ms=40))
    return _unit(out[:samples])


KINDS: Mapping[str, Callable[[int, int], Signal]] = {"keyboard": keyboard, "music": music, "pink": pink}


def read_wav(path: Path) -> Signal:
    """Return a 16 kHz mono s16le file as a signal."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2), path
        pcm = file.readframes(file.getnframes())
    return np.frombuffer(pcm, "<i2").astype(np.float64) / 32768


def to_pcm(signal: Signal) -> bytes:
    """Return ``signal`` as s16le."""
    return np.clip(np.round(signal * 32768), -32768, 32767).astype("<i2").tobytes()


def voiced_span(clean: Signal) -> tuple[int, int]:
    """Return the first and one past the last sample within 40 dB of the peak of ``clean``."""
    loud = np.flatnonzero(np.abs(clean) > np.abs(clean).max() / 100)
    return int(loud[0]), int(loud[-1]) + 1


def active_rms(clean: Signal) -> float:
    """Return the RMS of ``clean`` where somebody speaks: of the 30 ms within 40 dB of the loudest 30 ms."""
    width = ms_to_samples(30)
    power = np.square(clean[: len(clean) // width * width]).reshape(-1, width).mean(axis=1)
    return float(np.sqrt(power[power > power.max() / 1e4].mean()))


def at_rms(noise: Signal, rms: float) -> Signal:
    """Return ``noise``, whose RMS is 1.0, at ``rms``."""
    return noise * rms


def mix(clean: Signal, kind: str, *, snr_db: float, lead_ms: int, tail_ms: int, seed: int) -> Signal:
    """Return ``clean`` with ``lead_ms`` before and ``tail_ms`` after it, and noise of ``kind`` under all of it.

    The ratio is that of the active speech's RMS to the noise's.
    """
    padded = np.pad(clean, (ms_to_samples(lead_ms), ms_to_samples(tail_ms)))
    return padded + at_rms(KINDS[kind](len(padded), seed), active_rms(clean) / 10 ** (snr_db / 20))


def add(out: Signal, at: int, what: Signal) -> None:
    """Add ``what`` to ``out`` from sample ``at`` on, as far as there is room."""
    room = max(0, min(len(what), len(out) - at))
    out[at : at + room] += what[:room]


def band(signal: Signal, low: float, high: float) -> Signal:
    """Return what of ``signal`` lies between two frequencies, in Hz, with soft edges and an RMS of 1.0."""
    hertz = np.maximum(np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE), 1.0)
    passed = np.fft.irfft(np.fft.rfft(signal) / (1 + (low / hertz) ** 4) / (1 + (hertz / high) ** 4), len(signal))
    return passed / max(float(np.sqrt(np.mean(np.square(passed)))), 1e-9)


def _unit(signal: Signal) -> Signal:
    unit: Signal = signal / np.sqrt(np.mean(np.square(signal)))
    unit.setflags(write=False)  # the next caller that asks for the same gets this very one
    return unit


def _decay(samples: int, *, ms: float) -> Signal:
    curve: Signal = np.exp(-np.arange(samples) / (ms * SAMPLE_RATE / 1000))
    return curve


def _key(rng: np.random.Generator) -> Signal:
    length = ms_to_samples(50)
    seconds = np.arange(length) / SAMPLE_RATE
    click = rng.standard_normal(length) * _decay(length, ms=rng.uniform(1.5, 4))
    thud = np.sin(2 * np.pi * rng.uniform(150, 500) * seconds) * _decay(length, ms=rng.uniform(6, 14))
    ring = np.sin(2 * np.pi * rng.uniform(1800, 4500) * seconds) * _decay(length, ms=rng.uniform(3, 8))
    return click + 0.6 * thud + 0.3 * ring


def _note(hertz: float, samples: int, *, vibrato: float) -> Signal:
    seconds = np.arange(samples) / SAMPLE_RATE
    phase = 2 * np.pi * hertz * (seconds + vibrato / (2 * np.pi * 5.5) * np.sin(2 * np.pi * 5.5 * seconds))
    tone = sum((np.sin(k * phase) / k**1.3 for k in range(1, 9) if k * hertz < SAMPLE_RATE / 2.2), np.zeros(samples))
    attack = np.minimum(1.0, np.arange(samples) / ms_to_samples(15))
    release = np.minimum(1.0, np.arange(samples)[::-1] / ms_to_samples(30))
    return tone * attack * release * _decay(samples, ms=600)
