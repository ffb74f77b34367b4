"""Recordings that the trained model has never heard: new sentences, in voices that it knows and in others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from voice_trio import sound_file

RATE = 16_000
FIXTURE = Path(__file__).parents[1]
MODEL = FIXTURE / "model"
COUNTS = {"held-out": 60, "stranger": 30}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One recording."""

    kind: str
    """``held-out`` for a known voice, ``stranger`` for an unknown one."""
    words: str
    pcm: bytes
    """s16le mono at 16 kHz, with silence before and behind."""


def read() -> list[HeldOut]:
    """Return the recordings that the repository holds."""
    listed = json.loads((FIXTURE / "speech.json").read_text())
    return [HeldOut(clip["kind"], clip["words"], sound_file.read(FIXTURE / clip["file"])) for clip in listed]


def make() -> None:
    """Record them anew; needs espeak-ng and flite."""
    from . import recordings

    (FIXTURE / "speech").mkdir(parents=True, exist_ok=True)
    listed = []
    for kind, count in COUNTS.items():
        for seed in range(count):
            words, voice, audio = recordings.draw(kind, seed)
            room = np.random.default_rng(seed).standard_normal(len(audio) + RATE) * 3e-4
            room[RATE * 3 // 10 : RATE * 3 // 10 + len(audio)] += audio * 0.5 / max(np.abs(audio).max(), 1e-6)
            file = f"speech/{kind}-{seed:02}.ogg"
            soundfile.write(FIXTURE / file, room, RATE, format="OGG", subtype="VORBIS")
            listed.append({"kind": kind, "voice": voice, "file": file, "words": words})
    (FIXTURE / "speech.json").write_text(json.dumps(listed, indent=1) + "\n")
