"""Which of a turn's samples sounded while each sample of the microphone was captured.

# Theory

The two have clocks of their own: the microphone's samples are counted in the session, those of a turn from its first,
at the voice's rate. A report ties them at one point. Between reports both go on, one second a second but for the drift
of the clocks, so a position is the last tie carried on. What a report says beyond that is a little jitter of the
client's, drift, or a jump: an underrun, a device that was changed. A loop of second order, as a receiver follows a
carrier with (F. M. Gardner, Phaselock Techniques, critically damped), takes the first two in; its gain is high while
the reports agree to a sample, and low once they turn out to be rough. A jump is believed when a second report agrees,
and doubted for `DOUBT_S` more: some sound was not where we thought it was. A client that says where the sound broke
off, and where it went on, makes no jump.

Positions are samples of the microphone at 16 kHz, seconds are of a turn's audio.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voice_trio.core.audio import SAMPLE_RATE

JUMP_S: Final = 0.010
"""So much beside the expected, a report tells of a jump, unless the client's reports are as rough as that."""
ROUGH: Final = 4.0
"""Times the mean error that a report may be beside the expected without being a jump."""
DOUBT_S: Final = 0.3
STALE_S: Final = 1.0
"""After so long without a report nobody knows what sounds."""

_EXACT_S: Final = 0.00015
_GAINS_EXACT: Final = 0.5, 0.0625
_GAINS_ROUGH: Final = 0.02, 0.0001
"""What part of an error goes into the position, and into the drift; of a run's first, rough ones the mean counts."""
_RISE: Final = 0.5
_FALL: Final = 0.05
_STRAY: Final = 0.1
"""What part of a greater, a smaller and an impossible error goes into the mean error."""
_MOST_DRIFT: Final = 0.002
_MOST_WAITING: Final = 64
"""Reports about samples that have not come yet; a client has one or two a message."""


class Report(NamedTuple):
    """From sample ``position`` of the microphone on, ``turn`` sounds from its ``second`` on; nothing if it is None."""

    position: int
    turn: int | None = None
    second: float = 0.0


class Span(NamedTuple):
    """``samples`` of the microphone, during which one turn sounded, or nothing."""

    samples: int
    turn: int | None
    second: float
    """Of the turn's audio, at the first of them."""
    step: float
    """Seconds of the turn's audio from one of them to the next."""


@dataclass(slots=True)
class _Run:
    """A turn that sounds without a break, as far as was said."""

    turn: int
    position: int
    second: float
    reported: int
    reports: int = 1

    @classmethod
    def begin(cls, turn: int, report: Report) -> _Run:
        return cls(turn, report.position, report.second, report.position)


class SoundingClock:
    """Follows one client's reports. Positions that are asked for never go back."""

    def __init__(self) -> None:
        self.jumps = 0
        """Reports that were far from what those before them had promised."""
        self._waiting: list[Report] = []
        self._run: _Run | None = None
        self._other: _Run | None = None
        """What it jumped to, if the last report was no mistake."""
        self._drift = 0.0
        self._error_s = 0.0
        self._doubt_until = 0

    @property
    def drift(self) -> float:
        """By how much the player's clock is faster than the microphone's: 0.0001 is 100 ppm."""
        return self._drift

    def report(self, report: Report) -> None:
        """Take what the client says; about samples that are yet to come, or have just come."""
        if len(self._waiting) < _MOST_WAITING:
            insort(self._waiting, report, key=lambda one: one.position)

    def is_doubtful(self, position: int) -> bool:
        """Return whether it jumped just before ``position``, so that a little of what is said of it is wrong."""
        return position < self._doubt_until

    def spans(self, position: int, samples: int) -> Sequence[Span]:
        """Return what sounded during the ``samples`` from ``position`` on, in order."""
        found = []
        end = position + samples
        while position < end:
            while self._waiting and self._waiting[0].position <= position:
                self._take(self._waiting.pop(0))
            until = min(end, self._waiting[0].position) if self._waiting else end
            found.append(self._span(position, until - position))
            position = until
        return found

    def _span(self, position: int, samples: int) -> Span:
        run = self._run
        if run is not None and position - run.reported > STALE_S * SAMPLE_RATE:
            run = self._run = None
        if run is None:
            return Span(samples, None, 0.0, 0.0)
        return Span(samples, run.turn, self._expected(run, position), (1 + self._drift) / SAMPLE_RATE)

    def _expected(self, run: _Run, position: int) -> float:
        return run.second + (position - run.position) / SAMPLE_RATE * (1 + self._drift)

    def _take(self, report: Report) -> None:
        run, other = self._run, self._other
        self._other = None
        if report.turn is None:
            self._run = None
        elif run is None or run.turn != report.turn:
            self._run = _Run.begin(report.turn, report)
        elif self._is_near(run, report):
            self._follow(run, report)
        elif other is not None and self._is_near(other, report):
            self._run = other
            self._follow(other, report)
            self.jumps += 1
            self._doubt_from(report.position)
        else:
            self._other = _Run.begin(report.turn, report)
            self._doubt_from(report.position)
            self._error_s += _STRAY * (JUMP_S - self._error_s)

    def _is_near(self, run: _Run, report: Report) -> bool:
        error = report.second - self._expected(run, report.position)
        return abs(error) <= max(JUMP_S, ROUGH * self._error_s)

    def _follow(self, run: _Run, report: Report) -> None:
        """Take what ``report`` says about ``run`` into its place and the drift."""
        elapsed_s = (report.position - run.reported) / SAMPLE_RATE
        expected = self._expected(run, report.position)
        error = report.second - expected
        rougher_s = abs(error) - self._error_s
        self._error_s += (_RISE if rougher_s > 0 else _FALL) * rougher_s
        place, pace = _GAINS_EXACT if self._error_s < _EXACT_S else _GAINS_ROUGH
        run.reports += 1
        place = max(place, 1 / run.reports)
        if elapsed_s > 0:
            self._drift = min(max(self._drift + pace * error / elapsed_s, -_MOST_DRIFT), _MOST_DRIFT)
        run.position, run.second, run.reported = report.position, expected + place * error, report.position

    def _doubt_from(self, position: int) -> None:
        self._doubt_until = position + round(DOUBT_S * SAMPLE_RATE)
