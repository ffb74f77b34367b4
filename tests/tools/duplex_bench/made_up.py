"""Recordings made up of tones and noise, whose figures are known."""

import numpy as np

from tools.duplex_bench.recording import Recording, Said
from tools.duplex_bench.script import Kind, Word
from voice_trio.core.audio import SAMPLE_RATE


def sound(seconds, *spans, seed=0):
    """Return a channel with noise, alike nowhere, in each of ``spans``, in s."""
    channel = np.zeros(round(seconds * SAMPLE_RATE))
    draw = np.random.default_rng(seed)
    for begin_s, end_s in spans:
        place = slice(round(begin_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE))
        channel[place] = draw.uniform(-0.1, 0.1, len(channel[place]))
    return channel


def line(kind, *words, begin_s=None, end_s=None):
    """Return what was said, each word being its text and where it is, in s."""
    placed = tuple(Word(*word) for word in words)
    begin_s = placed[0].begin_s if begin_s is None else begin_s
    return Said(kind, begin_s, placed[-1].end_s if end_s is None else end_s, placed)


def turn(*spans, kind=Kind.TURN):
    """Return a line with a word in each of ``spans``."""
    return line(kind, *((f"word{at}", *span) for at, span in enumerate(spans)))


def recording(said=(), right=(), *, seconds=20.0, log=(), left_out=0):
    """Return a recording of ``said``, each word of which is heard on the left, and of sound on the right."""
    spans = [
        span
        for one in said
        for span in ([(word.begin_s, word.end_s) for word in one.words] or [(one.begin_s, one.end_s)])
    ]
    left = sound(seconds, *spans, seed=1)
    played = right if isinstance(right, np.ndarray) else sound(seconds, *right, seed=2)
    return Recording("made-up", "some", "server", left, played, left, said, left_out, log)


def played(turn_number, begin_s, end_s, *, source=0, rate=16_000):
    """Return the log's entry for a stretch of a turn's sound."""
    source_end = source + round((end_s - begin_s) * rate)
    return {
        "at": begin_s,
        "kind": "heard",
        "turn": turn_number,
        "source": source,
        "source_end": source_end,
        "end": end_s,
    }


def said_so(at_s, kind, turn_number=1, **what):
    """Return an entry of a log."""
    return {"at": at_s, "kind": kind, "turn": turn_number, **what}
