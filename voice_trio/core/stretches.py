"""Where in a recording somebody speaks: a detector's probabilities in, stretches of speech out.

It is cut where a listener would take an utterance for finished, so a stretch is what a person says between two long
pauses, with the soft beginning and the end that are no speech to a detector.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from voice_trio.core.audio import ms_to_samples
from voice_trio.core.endpointer import PRE_ROLL_MS, End, Endpointer, ListenerState, Onset, SpeechDecision

PAUSE_MS: Final = 1000
"""A pause inside a sentence is seldom longer."""


class Stretch(NamedTuple):
    """One of them, in samples of the recording."""

    begin: int
    """What is to be heard of it begins here."""
    onset: int
    """The voice begins here."""
    voiced_through: int
    """The voice was last heard just before this one."""
    end: int
    """Nothing of it comes after this one."""


class Stretches:
    """Follows one recording, frame by frame (`audio.FRAME_MS`)."""

    def __init__(self) -> None:
        self._decision = SpeechDecision()
        self._endpointer = Endpointer(silence_ms=PAUSE_MS)
        self._onset = 0
        self._free_from = 0

    def push(self, probability: float) -> Stretch | None:
        """Take how likely the next frame is speech; return the stretch that is over by it, if one is."""
        found = None
        for event in self._endpointer.push(self._decision.push(probability)):
            match event:
                case Onset(sample):
                    self._onset = sample
                case End(sample, at):
                    found = self._stretch(sample, at)
        return found

    def finish(self, samples: int) -> Stretch | None:
        """Return the stretch in which the recording of ``samples`` ends, if it ends in one."""
        voiced_through = self._endpointer.voiced_through
        if self._endpointer.state not in (ListenerState.SPEECH, ListenerState.MAYBE_END) or voiced_through is None:
            return None
        return self._stretch(min(voiced_through, samples), samples)

    def _stretch(self, voiced_through: int, end: int) -> Stretch:
        begin = max(self._free_from, self._onset - ms_to_samples(PRE_ROLL_MS))
        self._free_from = end
        return Stretch(begin, self._onset, voiced_through, end)
