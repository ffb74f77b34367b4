"""Speech and sounds to learn from: voices of espeak-ng and flite, and what a microphone hears when nobody speaks.

Features are those of faster-whisper's `FeatureExtractor`: (80 bands, frames of 10 ms), (log10 of the power + 4) / 4,
cut 80 dB under the loudest. They are kept clean; room, noise and pace are put on each time that a recording is used, in
the power domain, which costs a millisecond.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor

from . import sentences

T = TypeVar("T")

RATE = 16_000
FRAMES_PER_S = 100

_ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp"]
_VARIANTS = [
    "",
    "+f1",
    "+f2",
    "+f3",
    "+f5",
    "+m1",
    "+m2",
    "+m3",
    "+m4",
    "+m5",
    "+m6",
    "+m7",
    "+klatt",
    "+Andrea",
    "+Annie",
]
_FLITE = ["slt", "rms", "awb"]
HELD_OUT_VOICES = ["en-us+f4", "en-gb+m8", "flite kal16"]
"""Never trained on."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was said, and how it sounds."""

    text: str
    """Empty for a sound that is no speech."""
    voice: str
    features: np.ndarray
    """(frames, 80), float16."""


def record(text: str, voice: str, random: random.Random) -> np.ndarray:
    """Return ``text`` as ``voice`` says it, float32 at 16 kHz, without the silence around it."""
    if voice.startswith("flite "):
        command = [
            "flite",
            "-voice",
            voice.removeprefix("flite "),
            "--setf",
            f"duration_stretch={random.uniform(0.8, 1.2):.2f}",
        ]
        command += ["--setf", f"int_f0_target_mean={random.uniform(0.85, 1.15) * _PITCH.get(voice, 120):.0f}"]
        done = subprocess.run([*command, "-t", text, "-o", "/dev/stdout"], capture_output=True, check=True)
    else:
        pace, pitch = random.randint(125, 205), random.randint(32, 68)
        command = ["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "--stdout"]
        done = subprocess.run([*command, text], capture_output=True, check=True)
    rate = int.from_bytes(done.stdout[24:28], "little")
    start = done.stdout.index(b"data") + 8
    pcm = done.stdout[start : start + (len(done.stdout) - start) // 2 * 2]
    audio = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
    return _trimmed(audio if rate == RATE else _resampled(audio, rate))


_PITCH = {"flite slt": 170, "flite rms": 105, "flite awb": 115}


def _resampled(audio: np.ndarray, rate: int) -> np.ndarray:
    import soxr

    return np.asarray(soxr.resample(audio, rate, RATE), np.float32)


def _trimmed(audio: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(audio) > 0.01 * max(np.abs(audio).max(), 1e-6))
    return audio[loud[0] : loud[-1] + 1] if len(loud) else audio


def draw(kind: str, seed: int) -> tuple[str, str, np.ndarray]:
    """Return a recording's text, voice and audio.

    ``kind`` is ``train``, ``held-out`` (sentences that are never trained on) or ``stranger`` (nor is the voice).
    """
    drawn = random.Random(f"{kind} {seed}")
    if kind == "train":
        kinds = [sentences.request, sentences.cut_off, sentences.rest, sentences.shuffled]
        make = drawn.choices(kinds, [48, 14, 16, 22])[0]
    else:
        make = sentences.request
    text = make(drawn)
    # A held-out sentence is one that training never draws: the hash of its words decides.
    while (_held_out(text)) != (kind != "train"):
        text = make(drawn)
    if kind == "stranger":
        voice = drawn.choice(HELD_OUT_VOICES)
    elif drawn.random() < 0.5:
        voice = "flite " + drawn.choice(_FLITE)
    else:
        voice = drawn.choice(_ACCENTS) + drawn.choice(_VARIANTS)
    return text, voice, record(text, voice, drawn)


def _held_out(text: str) -> bool:
    import hashlib

    return hashlib.sha256(text.lower().strip(".?").encode()).digest()[0] < 16


# --- sounds that are no speech ---------------------------------------------------------------------------------------


def sound(kind: str, seconds: float, random: np.random.Generator) -> np.ndarray:
    """Return ``seconds`` of silence, noise, music or coughs, float32 at 16 kHz, peak at most about 0.5."""
    size = round(seconds * RATE)
    if kind == "silence":
        return (random.standard_normal(size) * 10 ** random.uniform(-5, -3.5)).astype(np.float32)
    if kind == "noise":
        spectrum = np.fft.rfft(random.standard_normal(size))
        hertz = np.fft.rfftfreq(size, 1 / RATE)
        spectrum /= np.maximum(hertz, 30) ** random.choice([0.0, 0.5, 1.0])
        if random.random() < 0.3:
            spectrum *= np.exp(-(((hertz - random.uniform(100, 4000)) / random.uniform(200, 2000)) ** 2))
        return _at_level(np.fft.irfft(spectrum, size), random)
    if kind == "music":
        return _at_level(_music(size, random), random)
    if kind == "clicks":
        audio = random.standard_normal(size) * 1e-4
        for at in random.integers(0, size, max(1, int(seconds * random.uniform(1, 9)))):
            length = min(int(random.integers(40, 600)), size - at)
            audio[at : at + length] += random.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        return _at_level(audio, random)
    audio = random.standard_normal(size) * 1e-4  # coughs
    for at in random.integers(0, max(1, size - RATE // 3), max(1, int(seconds / random.uniform(0.8, 3)))):
        length = min(int(random.integers(1500, 6000)), size - at)
        burst = np.fft.rfft(random.standard_normal(length))
        hertz = np.fft.rfftfreq(length, 1 / RATE)
        for centre in random.uniform([300, 900, 2200], [800, 1800, 3500]):
            burst *= 1 + 3 * np.exp(-(((hertz - centre) / 300) ** 2))
        shape = np.minimum(np.arange(length) / 200, 1) * np.exp(-np.arange(length) / (length / 4))
        audio[at : at + length] += np.fft.irfft(burst, length) * shape
    return _at_level(audio, random)


SOUNDS = ["silence", "noise", "music", "clicks", "coughs"]


def _music(size: int, random: np.random.Generator) -> np.ndarray:
    audio, at = np.zeros(size), 0
    while at < size:
        length = min(int(random.uniform(0.15, 1.2) * RATE), size - at)
        seconds = np.arange(length) / RATE
        for _ in range(int(random.integers(1, 4))):
            note = 110 * 2 ** (random.integers(0, 36) / 12)
            for harmonic in range(1, 6):
                if note * harmonic < RATE / 2:
                    audio[at : at + length] += np.sin(
                        2 * np.pi * note * harmonic * seconds
                    ) / harmonic ** random.uniform(1, 2)
        audio[at : at + length] *= np.exp(-seconds * random.uniform(0, 4)) * np.minimum(1, seconds * 100)
        at += length
    return audio


def _at_level(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.asarray(audio / max(np.abs(audio).max(), 1e-9) * 10 ** random.uniform(-2, -0.3), np.float32)


# --- the set ----------------------------------------------------------------------------------------------------------

_IN_A_FILE = 2000
_extractor: FeatureExtractor | None = None


def features(audio: np.ndarray) -> np.ndarray:
    """Return (frames, 80) features of ``audio``, unpadded."""
    global _extractor
    _extractor = _extractor or FeatureExtractor()
    return np.asarray(_extractor(audio, padding=0).T, np.float16)


def _recording(asked: tuple[str, int]) -> Recording:
    text, voice, audio = draw(*asked)
    return Recording(text, voice, features(audio))


def _sound(seed: int) -> Recording:
    drawn = np.random.default_rng(seed)
    kind = SOUNDS[seed % len(SOUNDS)]
    return Recording("", kind, features(sound(kind, float(drawn.uniform(1.5, 9)), drawn)))


def make_set(folder: Path, *, count: int, sounds: int) -> tuple[list[Recording], list[Recording]]:
    """Return ``count`` training recordings and ``sounds`` sounds, made once and kept in ``folder``."""
    speech: list[Recording] = []
    for first in range(0, count, _IN_A_FILE):
        asked = [("train", seed) for seed in range(first, min(first + _IN_A_FILE, count))]
        speech += _kept(folder / f"speech-{first}-{len(asked)}.npz", _recording, asked)
    return speech, _kept(folder / f"sounds-{sounds}.npz", _sound, list(range(sounds)))


def _kept(file: Path, make: Callable[[T], Recording], asked: list[T]) -> list[Recording]:
    if not file.exists():
        with multiprocessing.Pool() as pool:
            made = pool.map(make, asked, chunksize=20)
        lengths = [len(one.features) for one in made]
        labels = json.dumps([[one.text, one.voice] for one in made])
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_suffix(".part").open("wb") as part:
            np.savez(part, features=np.concatenate([one.features for one in made]), lengths=lengths, labels=labels)
        file.with_suffix(".part").rename(file)
    with np.load(file) as kept:
        starts = np.cumsum(kept["lengths"])[:-1]
        labels, parts = json.loads(str(kept["labels"])), np.split(kept["features"], starts)
    return [Recording(text, voice, part) for (text, voice), part in zip(labels, parts, strict=True)]


# --- what a microphone makes of it ------------------------------------------------------------------------------------


def power(features: np.ndarray) -> np.ndarray:
    """Return the power that ``features`` are the logarithm of, float32."""
    return np.asarray(np.power(10.0, features.astype(np.float32) * 4 - 4))


def log_features(power: np.ndarray) -> np.ndarray:
    """Return features of ``power``, cut 80 dB under the loudest as the extractor does."""
    log = np.log10(np.maximum(power, 1e-10))
    return np.asarray((np.maximum(log, log.max() - 8) + 4) / 4)


def vary(speech: np.ndarray, noise: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the power of ``speech`` (frames, 80) at another pace and timbre, with ``noise`` at 3 to 40 dB under it."""
    frames = len(speech)
    at = np.linspace(0, frames - 1, max(20, round(frames / random.uniform(0.88, 1.14))))
    low = np.floor(at).astype(int)
    share = (at - low)[:, None].astype(np.float32)
    speech = speech[low] * (1 - share) + speech[np.minimum(low + 1, frames - 1)] * share
    bands = np.clip(np.arange(80) * random.uniform(0.94, 1.06) + random.uniform(-0.7, 0.7), 0, 79)
    low = np.floor(bands).astype(int)
    share = (bands - low)[None].astype(np.float32)
    speech = speech[:, low] * (1 - share) + speech[:, np.minimum(low + 1, 79)] * share
    # A microphone's own colour: a slope and a bend over the bands, of up to 6 dB.
    colour = random.uniform(-0.6, 0.6) * np.linspace(-1, 1, 80) + random.uniform(-0.4, 0.4) * np.cos(
        np.linspace(0, np.pi, 80)
    )
    speech = speech * np.power(10.0, colour).astype(np.float32)
    if random.random() < 0.5:
        return speech
    start = int(random.integers(0, len(noise)))
    noise = np.take(noise, range(start, start + len(speech)), axis=0, mode="wrap")
    below = 10 ** (-random.uniform(0.3, 4.0))
    return np.asarray(speech + noise * (below * speech.mean() / max(float(noise.mean()), 1e-12)))
