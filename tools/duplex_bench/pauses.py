"""Pauses put into a clip between two words, as of a person who thinks; and clips said one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.noise import Signal
from tools.duplex_bench.script import Clip, Word
from tools.duplex_bench.sounds import LEVEL, faded
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples

_NEAR = ms_to_samples(40)
"""A word's end is known no better than this."""
_STEP = ms_to_samples(10)


def gap_s(clip: Clip, after: int) -> float:
    """Return the time between word ``after`` and the next."""
    return max(0.0, clip.words[after + 1].begin_s - clip.words[after].end_s)


def with_pause(clip: Clip, after: int, seconds: float) -> Clip:
    """Return ``clip`` with so much silence behind its word ``after``: what is there already counts.

    It is cut at the quietest 10 ms between the two words, and the silence is as loud as the recording's own. Raises
    IndexError where no word follows.
    """
    more = round((seconds - gap_s(clip, after)) * SAMPLE_RATE)
    if more <= 0:
        return clip
    at = quietest(clip, after)
    noise = np.random.default_rng(at).normal(0, _floor(clip.samples), more)
    joined = np.concatenate([faded(clip.samples[:at]), noise, faded(clip.samples[at:])])
    words = [word if place <= after else _later(word, more) for place, word in enumerate(clip.words)]
    # Both words that the cut lies between are whole.
    words[after] = replace(words[after], end_s=min(words[after].end_s, at / SAMPLE_RATE))
    words[after + 1] = replace(words[after + 1], begin_s=max(words[after + 1].begin_s, (at + more) / SAMPLE_RATE))
    return Clip(joined, tuple(words))


def quietest(clip: Clip, after: int) -> int:
    """Return the middle of the quietest 10 ms between word ``after`` of ``clip`` and the next."""
    begin = max(0, round(clip.words[after].end_s * SAMPLE_RATE) - _NEAR)
    end = round(clip.words[after + 1].begin_s * SAMPLE_RATE) + _NEAR
    power = _power(clip.samples[begin:end])
    return begin + int(np.argmin(power)) * _STEP + _STEP // 2


def in_a_row(first: Clip, second: Clip, pause_s: float) -> Clip:
    """Return both, with a pause between the last word of one and the first of the other."""
    silent = pause_s - (first.seconds - first.words[-1].end_s) - second.words[0].begin_s
    gap = np.random.default_rng(1).normal(0, _floor(first.samples), max(0, round(silent * SAMPLE_RATE)))
    shift = len(first.samples) + len(gap)
    return Clip(
        np.concatenate([faded(first.samples), gap, faded(second.samples)]),
        (*first.words, *(_later(word, shift) for word in second.words)),
    )


def _later(word: Word, samples: int) -> Word:
    return replace(word, begin_s=word.begin_s + samples / SAMPLE_RATE, end_s=word.end_s + samples / SAMPLE_RATE)


def _power(samples: Signal) -> Signal:
    """Return the power of each 10 ms of ``samples``, one at least."""
    steps = max(1, len(samples) // _STEP)
    padded = np.pad(samples, (0, max(0, steps * _STEP - len(samples))))
    means: Signal = np.square(padded[: steps * _STEP]).reshape(steps, _STEP).mean(axis=1)
    return means


def _floor(samples: Signal) -> float:
    """Return the RMS of what is heard of the room: of the quietest fiftieth of ``samples``, 26 dB below speech at most.

    Where somebody speaks without a break, the quietest moments are speech as well.
    """
    return min(LEVEL / 20, float(np.sqrt(np.quantile(_power(samples), 0.02))))
