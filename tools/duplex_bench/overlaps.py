"""What a reply did when somebody spoke, coughed or knocked into it: fell silent, paused, went on, said words again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tests.noise import Signal
from tools.duplex_bench.recording import Recording
from tools.duplex_bench.stretches import Stretch, covering
from voice_trio.core.audio import SAMPLE_RATE, ms_to_samples

NOTICED_S = 2.5
"""A reply that goes on for longer into what is said has not been stopped by it."""
GONE_S = 3.0
"""A reply that is silent for longer is not paused, but over."""

_AFTER_S = 1.5
"""What begins so long after a sound may still come of it."""
_ALIKE_MS = 250
_LOOK_BACK_S = 3.0
_ALIKE = 0.9
_NOTHING = 1e-9
"""What silence is divided by."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What an interruption did to the reply; times count from its first voiced moment."""

    to_silence_s: float | None
    """None: the reply went on."""
    to_hold_s: float | None
    """By the log."""
    to_commit_s: float | None
    """Until the turn was over as interrupted, by the log."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a backchannel or a noise did to the reply."""

    stopped: bool
    """Whether it was over; also, by the log, where another reply took its place."""
    paused_s: float
    """The silence, where it went on after one; else 0."""
    repeated_s: float
    """What was heard a second time, by the sound."""
    repeated_words: int | None
    """Words that began in what was played a second time, by the log; None without one."""
    taken_for_words: bool | None
    """Whether there was a final of it, by the log."""


def stop(recording: Recording, replies: Sequence[Stretch], first_s: float, last_s: float) -> Stop | None:
    """Return what was said from ``first_s`` to ``last_s`` did to the reply; None where none was to be heard by then."""
    reply = covering(replies, first_s)
    if reply is None:
        return None
    silent = reply.end_s < recording.seconds - 0.1 and reply.end_s - first_s <= NOTICED_S

    def since(kind: str, **fields: str) -> float | None:
        for entry in recording.entries(kind):
            if first_s - 0.1 <= entry["at"] <= last_s + NOTICED_S and fields.items() <= entry.items():
                return float(entry["at"] - first_s)
        return None

    return Stop(reply.end_s - first_s if silent else None, since("hold"), since("done", outcome="interrupted"))


def overlay(recording: Recording, replies: Sequence[Stretch], first_s: float, last_s: float) -> Overlay | None:
    """Return what a sound from ``first_s`` to ``last_s`` did to the reply; None where none was to be heard by then.

    ``replies`` are parted by the shortest silence that no voice makes between two sentences.
    """
    before = covering(replies, first_s)
    if before is None:
        return None
    until_s = last_s + _AFTER_S + GONE_S
    by_log = (_words_again(recording, first_s, until_s), _has_final(recording, first_s, until_s))
    after = next((one for one in replies if one.begin_s >= before.end_s), None)
    if before.end_s > last_s + _AFTER_S or before.end_s > recording.seconds - 0.1:
        return Overlay(False, 0.0, 0.0, *by_log)
    if after is None or after.begin_s - before.end_s > GONE_S or _is_other(recording, before, after):
        return Overlay(True, 0.0, 0.0, *by_log)
    repeated_s = heard_again_s(recording.right, before.end_s, after.begin_s)
    return Overlay(False, after.begin_s - before.end_s, repeated_s, *by_log)


def heard_again_s(sound: Signal, silent_s: float, again_s: float) -> float:
    """Return how much of ``sound``, silent from ``silent_s`` to ``again_s``, is what was heard right before, again.

    The first quarter of a second behind the silence is looked for in the 3 s before it: normalised cross-correlation.
    """
    begin = max(0, round((silent_s - _LOOK_BACK_S) * SAMPLE_RATE))
    before = sound[begin : round(silent_s * SAMPLE_RATE)]
    start = round(again_s * SAMPLE_RATE)
    pattern = sound[start : start + ms_to_samples(_ALIKE_MS)]
    if not len(pattern) or len(pattern) > len(before):
        return 0.0
    energy = np.cumsum(np.square(np.concatenate([[0.0], before])))
    power = np.sqrt(np.maximum(energy[len(pattern) :] - energy[: -len(pattern)], 0.0) * np.square(pattern).sum())
    alike = np.correlate(before, pattern, "valid") / np.maximum(power, _NOTHING)
    at = int(np.argmax(alike))
    return (len(before) - at) / SAMPLE_RATE if alike[at] >= _ALIKE else 0.0


def turn_at(recording: Recording, at_s: float) -> int | None:
    """Return the turn whose sound was heard then, by the log."""
    for entry in recording.entries("heard"):
        if entry["at"] - 0.1 <= at_s < entry["end"]:
            return int(entry["turn"])
    return None


def _is_other(recording: Recording, before: Stretch, after: Stretch) -> bool:
    old, new = turn_at(recording, before.begin_s), turn_at(recording, after.begin_s)
    return old is not None and new is not None and old != new


def _has_final(recording: Recording, begin_s: float, end_s: float) -> bool | None:
    if not recording.log:
        return None
    return any(begin_s < entry["at"] < end_s and entry["text"].strip() for entry in recording.entries("final"))


def _words_again(recording: Recording, begin_s: float, end_s: float) -> int | None:
    """Return how many words were begun twice by what the player was told to go on with between two moments."""
    if not recording.log:
        return None
    heard = recording.entries("heard")
    starts: dict[int, set[int]] = {}
    for entry in recording.entries("words"):
        starts.setdefault(entry["turn"], set()).update(entry["samples"])
    return sum(
        sum(new["source"] <= sample < old["source_end"] for sample in starts.get(new["turn"], ()))
        for old, new in pairwise(heard)
        if begin_s <= new["at"] <= end_s and old["turn"] == new["turn"]
    )
