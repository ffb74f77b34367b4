"""What is said to the assistant: people's recordings and a neural voice, word by word, all equally loud.

Flite is left out: models that judge by the voice whether somebody has finished were not made for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from tests.noise import Signal
from tools.duplex_bench.alignment import NotAligned, align
from tools.duplex_bench.pauses import in_a_row
from tools.duplex_bench.script import Clip
from tools.duplex_bench.sounds import faded, levelled
from tools.utterances import HUMAN, PACES, SENTENCES, speak
from voice_trio import sound_file
from voice_trio.core.audio import SAMPLE_RATE

BACKCHANNELS = ("Uh huh.", "Yeah.", "Right.", "Okay.", "Mm.", "Yes.", "Sure.", "I see.")
INTERRUPTIONS = (
    "Stop.",
    "Wait, wait.",
    "No, that is not what I meant.",
    "Hold on, please.",
    "What time is it?",
    "Actually, tell me about the weather.",
    "Can you say that again, please?",
    "Okay, now turn off the light in the kitchen.",
    "Never mind, call my brother instead.",
    "Thank you, that is enough.",
)
ASIDES = (
    "Dinner is ready, come to the table.",
    "Have you seen my keys?",
    "Close the door behind you, please.",
    "Did you feed the cat this morning?",
    "I will be there in a minute.",
)

_WHOLE = (
    ("cities-0",),
    ("cities-1",),
    ("cities-2",),
    ("cities-3",),
    ("cities-4",),
    ("cities-5",),
    ("cities-6",),
    ("cities-7", "cities-8", "cities-9"),
    ("austen-0870",),
    ("austen-0880", "austen-0890"),
    ("austen-0920", "austen-0930"),
    ("goforward",),
    ("something",),
)
"""Recordings of people that make a sentence: who says half of one has not finished."""

_BETWEEN_S = 0.35
_AROUND_S = 0.08
"""A word may begin and end so much outside of where it was found."""


def clip_of(text: str, pcm: bytes) -> Clip:
    """Return 16 kHz s16le ``pcm`` in which ``text`` is said, without what is before and after it.

    Raises `NotAligned`.
    """
    words = align(text, pcm)
    samples: Signal = np.frombuffer(pcm, "<i2") / 32768
    begin = max(0.0, words[0].begin_s - _AROUND_S)
    cut = samples[round(begin * SAMPLE_RATE) : round((words[-1].end_s + _AROUND_S) * SAMPLE_RATE)]
    moved = (replace(word, begin_s=word.begin_s - begin, end_s=word.end_s - begin) for word in words)
    return Clip(faded(levelled(cut)), tuple(moved))


@cache
def people() -> Sequence[Clip]:
    """Return what recorded people say, in whole sentences."""
    listed = {one["file"].removesuffix(".flac"): one for one in json.loads((HUMAN / "human.json").read_text())}
    sentences = []
    for names in _WHOLE:
        parts = [
            clip_of(listed[name]["words"], sound_file.read(HUMAN / listed[name]["file"]))
            for name in (f"human/{name}" for name in names)
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole = in_a_row(whole, part, _BETWEEN_S)
        sentences.append(whole)
    return sentences


@cache
def said(text: str, pace: float = 1.0) -> Clip:
    """Return ``text`` in the neural voice. Raises `NotAligned` where it does not say that."""
    return clip_of(text, speak(text, pace))


@cache
def wordless(text: str, pace: float = 1.0) -> Clip:
    """Return ``text`` in the neural voice as a sound that means nothing."""
    samples: Signal = np.frombuffer(speak(text, pace), "<i2") / 32768
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 30)
    return Clip(faded(levelled(samples[loud[0] : loud[-1] + 1])))


def sentence(draw: np.random.Generator) -> Clip:
    """Return something to say to an assistant: in one case of three by a person."""
    if draw.random() < 1 / 3:
        return people()[int(draw.integers(len(people())))]
    return one_of(SENTENCES, draw)


def one_of(texts: Sequence[str], draw: np.random.Generator) -> Clip:
    """Return one of ``texts`` in the neural voice, at some pace."""
    while True:
        text, pace = texts[int(draw.integers(len(texts)))], PACES[int(draw.integers(len(PACES)))]
        try:
            return said(text, pace)
        except NotAligned:
            # The aligner is sometimes lost at an unusual pace.
            continue
