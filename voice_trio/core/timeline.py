"""When things happened in one turn, and the latencies that follow from it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from voice_trio.core.messages import Latency


class Moment(StrEnum):
    """What a turn's latencies are made of."""

    BEGUN = "begun"
    """The turn began."""
    ASKED = "asked"
    """A typed turn's text arrived."""
    SPEECH_START = "speech_start"
    """The first speech frame arrived."""
    SPEECH_END = "speech_end"
    """The last speech frame arrived."""
    CAPTURED = "captured"
    """The utterance was over, by all that was known."""
    FIRST_PARTIAL = "first_partial"
    FINAL = "final"
    FIRST_TOKEN = "first_token"
    FIRST_AUDIO = "first_audio"
    """The first audio was handed to the socket."""
    LAST_AUDIO = "last_audio"
    """The last audio was handed to the socket."""


class Stage(StrEnum):
    """What a turn has others do for it."""

    RECOGNITION = "recognition"
    CHAT = "chat"
    """The language model writes, and says why it stops; once more behind tools that it asked for."""
    SYNTHESIS = "synthesis"
    """A phrase becomes sound."""
    TOOL = "tools"
    """A tool of the server's is used."""


class Interval(NamedTuple):
    """When one of them did it."""

    stage: Stage
    began: float
    ended: float
    name: str = ""
    """Of the tool."""


MOST_INTERVALS: Final = 100
"""So many of a turn are kept, its first."""


class Timeline:
    """The moments of one turn, in seconds of any one clock."""

    def __init__(self) -> None:
        self.moments: dict[Moment, float] = {}
        self.intervals: list[Interval] = []
        """What was done for it, in the order in which it ended; at most `MOST_INTERVALS`."""

    def first(self, moment: Moment, now: float) -> None:
        """Note that ``moment`` came, unless it came before."""
        self.moments.setdefault(moment, now)

    def latest(self, moment: Moment, now: float) -> None:
        """Note that ``moment`` came, in place of any time it came before."""
        self.moments[moment] = now

    def note(self, interval: Interval) -> None:
        """Note what was done for the turn."""
        if len(self.intervals) < MOST_INTERVALS:
            self.intervals.append(interval)

    def go_on_from(self, before: Timeline) -> None:
        """Begin where ``before`` began, of the same utterance."""
        for moment in (Moment.BEGUN, Moment.SPEECH_START):
            if (began := before.moments.get(moment)) is not None:
                self.moments[moment] = began

    def latency(self) -> Latency:
        """Return the latencies: the first partial's since the first speech frame, all others since the last one.

        In a typed turn they count since the text arrived.
        """
        asked = Moment.ASKED if Moment.ASKED in self.moments else Moment.SPEECH_END
        return Latency(
            t_first_partial_ms=self.between(Moment.SPEECH_START, Moment.FIRST_PARTIAL),
            t_final_transcript_ms=self.between(Moment.SPEECH_END, Moment.FINAL),
            t_first_token_ms=self.between(asked, Moment.FIRST_TOKEN),
            t_first_audio_ms=self.between(asked, Moment.FIRST_AUDIO),
            total_reply_ms=self.between(asked, Moment.LAST_AUDIO),
        )

    def between(self, start: Moment, end: Moment) -> int | None:
        """Return the milliseconds from ``start`` to ``end``; None unless both came."""
        if start not in self.moments or end not in self.moments:
            return None
        return round((self.moments[end] - self.moments[start]) * 1000)
