"""What a recording shows of a conversation. It reads the sound and the script; what needs the log says so.

Voiced is what is louder than `VOICED_DB` in the words of a line, or anywhere in a noise; the assistant is heard where
its channel is louder than `AUDIBLE_DB`. Silences of less than `BREATH_S` belong to a reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.duplex_bench.lost_words import Missing, missing
from tools.duplex_bench.memory import Remembered, remembered
from tools.duplex_bench.overlaps import NOTICED_S, Overlay, Stop, overlay, stop, turn_at
from tools.duplex_bench.recording import Entry, Recording, Said
from tools.duplex_bench.script import ADDRESSED, OVERLAID, Kind
from tools.duplex_bench.stretches import AUDIBLE_DB, VOICED_DB, WINDOW_S, Stretch, joined, stretches

BREATH_S = 0.5
MISSED_S = 3.0
"""Who waits longer for an answer was not heard to have finished."""

_WORD_S = 0.06
"""So far from its aligned place a word may still sound."""
_APART_S = 1.2
"""Replies with so much silence between them are two."""
_ASIDE_S = 5.0
"""What is heard so long after an aside answers it."""
_HELD_S = 0.5
"""So long after a sound a reply may be held for it."""
_EARLY_S = 0.1
"""A sound may begin before it is voiced."""


class Silent(ValueError):
    """The left channel holds nothing where the script says that somebody speaks."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a line that was said to the assistant."""

    gap_s: float | None
    """From its last voiced moment to the first audible one of the answer; None where it was cut, or not answered."""
    heard_early: bool
    """A reply began to be heard while the person had not finished."""
    missed: bool
    """It was not cut, and no answer was heard within `MISSED_S`."""
    ended_early: bool | None
    """The server took the person to have finished before, heard or not: by the log."""
    words: int
    missing: Missing | None
    """By the log."""

    @property
    def harmful(self) -> bool:
        """Whether a person would say that they were cut off: by what was heard, and words lost."""
        return self.heard_early or (self.missing is not None and self.missing.lost > 0)


@dataclass(frozen=True, slots=True)
class LineScore:
    """A line, where it was voiced, and what came of it: what its kind is scored by, the rest is None."""

    kind: Kind
    first_s: float
    last_s: float
    answer: Answer | None = None
    stop: Stop | None = None
    overlay: Overlay | None = None
    aside_answered: bool | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A session."""

    script: str
    group: str
    server: str
    seconds: float
    lines: Sequence[LineScore]
    left_out: int
    unasked: int
    """Replies that nobody had asked for, nor made any sound before."""
    false_holds: int | None
    """Holds while the person made no sound: by the log."""
    self_interruptions: int | None
    """Replies that were over as interrupted, and the person had made no sound: by the log."""
    memory: Remembered | None
    """By the log."""
    gaps_in_speech: int | None
    """Times at which a reply broke off for want of sound, and not because it was told to: by the log."""
    late_s: float | None
    """By so much the microphone was late at most, and figures may be wrong: by the log."""
    errors: Sequence[str]
    """By the log."""


def score(recording: Recording) -> Score:
    """Score ``recording``. Raises `Silent`."""
    right = stretches(recording.right, AUDIBLE_DB)
    replies = joined(right, BREATH_S)
    spans = [voiced(recording, line) for line in recording.said]
    lines = [
        _line(
            recording, replies, line, span, spans[number + 1].begin_s if number + 1 < len(spans) else recording.seconds
        )
        for number, (line, span) in enumerate(zip(recording.said, spans, strict=True))
    ]
    logged = bool(recording.log)
    interrupted = [entry for entry in recording.entries("done") if entry["outcome"] == "interrupted"]
    return Score(
        recording.script,
        recording.group,
        recording.server,
        recording.seconds,
        _with_words(recording, lines) if logged else lines,
        recording.left_out,
        _unasked(recording, joined(right, _APART_S), spans),
        _at_nothing(recording.entries("hold"), spans, _HELD_S) if logged else None,
        _at_nothing(interrupted, spans, NOTICED_S) if logged else None,
        remembered(recording.log) if logged else None,
        _gaps_in_speech(recording) if logged else None,
        max((float(entry["seconds"]) for entry in recording.entries("late")), default=None),
        [str(entry["code"]) for entry in recording.entries("error")],
    )


def voiced(recording: Recording, line: Said) -> Stretch:
    """Return from the first to the last voiced moment of ``line``. Raises `Silent`."""
    first = line.words[0].begin_s - _WORD_S if line.words else line.begin_s
    last = line.words[-1].end_s + _WORD_S if line.words else line.end_s
    found = [one for one in stretches(recording.left, VOICED_DB) if one.end_s > first - WINDOW_S and one.begin_s < last]
    if not found:
        raise Silent(f"{recording.script}: nothing is said from {first:.2f} to {last:.2f} s")
    return Stretch(max(first, found[0].begin_s), min(last, found[-1].end_s))


def _line(recording: Recording, replies: Sequence[Stretch], line: Said, span: Stretch, until_s: float) -> LineScore:
    scored = LineScore(line.kind, *span)
    if line.kind in OVERLAID:
        return replace(scored, overlay=overlay(recording, replies, *span))
    before = turn_at(recording, span.begin_s)
    # What goes on after a silence, for whatever reason, is no answer.
    begun = [one.begin_s for one in replies if before is None or turn_at(recording, one.begin_s) != before]
    after = next((begin_s for begin_s in begun if span.end_s <= begin_s < until_s), None)
    if line.kind is Kind.ASIDE:
        return replace(scored, aside_answered=after is not None and after - span.end_s <= _ASIDE_S)
    early = any(span.begin_s < begin_s < span.end_s for begin_s in begun)
    gap_s = None if early or after is None else after - span.end_s
    answer = Answer(
        gap_s=gap_s,
        heard_early=early,
        missed=not early and (gap_s is None or gap_s > MISSED_S),
        ended_early=_ended_in(recording, span) if recording.log else None,
        words=len(line.words),
        missing=None,
    )
    stopped = stop(recording, replies, *span) if line.kind is Kind.INTERRUPTION else None
    return replace(scored, answer=answer, stop=stopped)


def _ended_in(recording: Recording, span: Stretch) -> bool:
    return any(span.begin_s < entry["at"] < span.end_s for entry in recording.entries("ended"))


def _with_words(recording: Recording, lines: Sequence[LineScore]) -> list[LineScore]:
    """Return ``lines`` with what became of the words of those that were said to the assistant."""
    asked = [
        (said.words, bool(line.answer and line.answer.ended_early) or line.kind is Kind.INTERRUPTION)
        for said, line in zip(recording.said, lines, strict=True)
        if said.kind in ADDRESSED
    ]
    found = iter(missing(asked, recording.log))
    return [
        replace(line, answer=replace(line.answer, missing=next(found))) if line.answer is not None else line
        for line in lines
    ]


def _unasked(recording: Recording, replies: Sequence[Stretch], spans: Sequence[Stretch]) -> int:
    """Return how many of ``replies`` follow on no sound of the person's, and are not the rest of one that was held."""
    found, since_s, turn = 0, 0.0, None
    for reply in replies:
        explained = any(span.begin_s < reply.begin_s and span.end_s > since_s for span in spans)
        now = turn_at(recording, reply.begin_s)
        found += not explained and (now is None or now != turn)
        since_s, turn = reply.begin_s, now
    return found


def _at_nothing(entries: Sequence[Entry], spans: Sequence[Stretch], within_s: float) -> int:
    """Return how many of ``entries`` came in no line, nor so soon after one."""
    return sum(
        not any(span.begin_s - _EARLY_S <= entry["at"] <= span.end_s + within_s for span in spans) for entry in entries
    )


def _gaps_in_speech(recording: Recording) -> int:
    heard = recording.entries("heard")
    held = [entry["at"] for entry in recording.entries("hold")]
    return sum(
        old["turn"] == new["turn"] and not any(old["at"] <= at <= new["at"] for at in held)
        for old, new in pairwise(heard)
    )
