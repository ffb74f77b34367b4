"""The utterances that recognizers are measured on: people, a neural voice, flite, single words; clean and in noise.

The people are recordings in tests/utterances, flite's sentences those of tests/clips and tests/tiny_whisper. The neural
voice, hibari, speaks here, with a fixed seed. Noise is computed, with fixed seeds too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests import noise
from tests.tiny_whisper.training import held_out
from voice_trio import sound_file
from voice_trio.core.audio import SAMPLE_RATE

TESTS = Path(__file__).parent.parent / "tests"
HUMAN = TESTS / "utterances"

SINGLE = ("Yes.", "No.", "Stop.", "Okay.")
PACES = (0.85, 0.95, 1.0, 1.1, 1.2)

SENTENCES = (
    "Thank you very much.",
    "Good morning.",
    "Skip this song.",
    "What time is it?",
    "Turn it up a little.",
    "Open the garage door.",
    "Call me back later, please.",
    "Is there any milk left in the fridge?",
    "Remind me to buy bread on the way home.",
    "The meeting was moved to half past three.",
    "How many people live in the city of London?",
    "Could you read me the news of this morning?",
    "My sister arrives at the airport on Friday evening.",
    "Write down that the blue paint is in the basement.",
    "Which of these two restaurants has the better garden?",
    "I would like a table for four, somewhere near the window.",
    "If it rains tomorrow, we will visit the museum instead of the zoo.",
    "Please tell my neighbor that the package is waiting at our front door.",
    "The doctor said that I should drink more water and sleep eight hours a night.",
    "Last summer we walked along the river for three days and never saw another soul.",
    "Before you go to bed, close all of the windows, because there will be a storm tonight.",
    "We need flour, sugar and a dozen eggs, and then you can start with the cake for the party.",
)
"""What the neural voice says."""

FLITE = (0, 4, 5, 7, 8, 10, 13, 15, 30, 33, 34, 40, 42, 43, 46, 51, 53, 55, 58, 59)
"""Recordings of tests/tiny_whisper that are flite's, and English."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Somebody saying something."""

    kind: str
    """``human``, ``hibari``, ``flite``, ``single`` for one word, or ``verse`` for a person who reads some of 1609."""
    words: str
    pcm: bytes
    """s16le mono at 16 kHz."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 / SAMPLE_RATE


@cache
def read() -> Sequence[Utterance]:
    """Return all of them, the recorded ones first."""
    return [*human(), *_flite(), *_spoken()]


def human() -> Iterator[Utterance]:
    """Yield what people say."""
    for listed in json.loads((HUMAN / "human.json").read_text()):
        kind = "verse" if listed["source"] == "sonnet" else "human"
        yield Utterance(kind, listed["words"], sound_file.read(HUMAN / listed["file"]))


def _flite() -> Iterator[Utterance]:
    for name, clip in json.loads((TESTS / "clips" / "clips.json").read_text()).items():
        yield Utterance("flite", clip["words"], sound_file.read(TESTS / "clips" / f"{name}.wav"))
    recorded = held_out.read()
    for number in FLITE:
        yield Utterance("flite", recorded[number].words, recorded[number].pcm)


def _spoken() -> Iterator[Utterance]:
    for words in SENTENCES:
        yield Utterance("hibari", words, speak(words))
    for words in SINGLE:
        for pace in PACES:
            yield Utterance("single", words, speak(words, pace))


def speak(words: str, pace: float = 1.0) -> bytes:
    """Return ``words`` in hibari's voice, s16le at 16 kHz: the same each time."""
    import soxr

    voice = _voice()
    audio = soxr.resample(voice(words, speed=pace, seed=1), voice.sample_rate, SAMPLE_RATE)
    quiet = np.zeros(SAMPLE_RATE // 5)
    # As quiet as a room is, since no microphone gives digital silence.
    audio = np.concatenate([quiet, audio, quiet]) + np.random.default_rng(1).normal(
        0, 3e-4, len(audio) + 2 * len(quiet)
    )
    return noise.to_pcm(audio)


@cache
def _voice() -> Any:
    from hibari import Hibari

    return Hibari()


def babble(samples: int, seed: int) -> noise.Signal:
    """Return six of the recorded people at once, from places that ``seed`` draws, with an RMS of 1.0."""
    return _people(6, samples, seed)


def television(samples: int, seed: int) -> noise.Signal:
    """Return one of them at a time, from a place that ``seed`` draws, with an RMS of 1.0."""
    return _people(1, samples, seed)


def _people(at_once: int, samples: int, seed: int) -> noise.Signal:
    drawn = np.random.default_rng(seed)
    said = np.concatenate([floats(one) / noise.active_rms(floats(one)) for one in read() if one.kind == "human"])
    mixed = sum((np.roll(said, int(drawn.integers(len(said))))[:samples] for _ in range(at_once)), np.zeros(samples))
    unit: noise.Signal = mixed / np.sqrt(np.mean(np.square(mixed)))
    return unit


NOISES: Mapping[str, Callable[[int, int], noise.Signal]] = {
    "pink": noise.pink,
    "keyboard": noise.keyboard,
    "babble": babble,
}


def in_noise(utterances: Sequence[Utterance], kind: str, snr_db: float) -> list[Utterance]:
    """Return ``utterances`` with noise of ``kind`` under them, weaker by ``snr_db`` than the speech is."""
    mixed = []
    for seed, one in enumerate(utterances):
        clean = floats(one)
        under = NOISES[kind](len(clean), seed) * noise.active_rms(clean) / 10 ** (snr_db / 20)
        mixed.append(replace(one, pcm=noise.to_pcm(clean + under)))
    return mixed


def floats(utterance: Utterance) -> noise.Signal:
    """Return the audio of ``utterance``, full scale 1.0."""
    return np.frombuffer(utterance.pcm, "<i2").astype(np.float64) / 32768
