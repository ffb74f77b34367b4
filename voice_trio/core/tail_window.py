"""The part of a long utterance that is still worth decoding: what is agreed on at its beginning is left behind.

A hypothesis of everything said so far costs as much again for each second that was said before, so the cost of all of
an utterance's partials grows with its square. The remedy is that of "Turning Whisper into Real-Time Transcription
System" (Macháček et al., 2023): words on which two successive hypotheses agree are committed, and the audio of a
committed phrase is dropped from the next decode; its words go in as the context instead.

A window is cut behind the last committed word that ends a phrase. One that has grown to a third of what it may be is
cut behind a committed word wherever that is, so long as there is some sound left to tell the next words by. And where
nothing is agreed on, it loses its beginning all the same once it would be longer than it may be, together with the
words that its last hypothesis has there.

Positions are samples of the utterance, from its first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from voice_trio.core.audio import SAMPLE_RATE

_WORTH_CUTTING: Final = 3 * SAMPLE_RATE
"""A window of no more than this is cheap: it is not cut."""
_LEFT: Final = SAMPLE_RATE
"""What a cut inside a phrase leaves at least."""
_ENDS_PHRASE: Final = tuple(".?!,;:…。？！、，")


class TimedWord(NamedTuple):
    """A word and where it is said."""

    text: str
    """With the white space before it, where its script writes any."""
    begin: int
    end: int
    """Samples of the utterance."""


class TailWindow:
    """One utterance's window: `begin`, decode from there, `push`, and again."""

    def __init__(self, most_samples: int) -> None:
        self.begin = 0
        """The next decode's first sample."""
        self.before = ""
        """The words of what lies before it."""
        self._most = most_samples
        self._last: Sequence[TimedWord] = ()

    def make_room(self, through_sample: int) -> None:
        """Cut the window so that it is not longer than it may be when it ends at ``through_sample``."""
        begin = through_sample - self._most
        if begin > self.begin:
            lost = list(takewhile(lambda word: word.begin < begin, self._last))
            # Not in the middle of a word: what is left of it would be heard as another one.
            self._cut(len(lost), max([begin, *(word.end for word in lost[-1:])]))

    def push(self, words: Sequence[TimedWord], through_sample: int) -> str:
        """Take the hypothesis of the audio from `begin` to ``through_sample``; return all words of the utterance."""
        text = self.before + "".join(word.text for word in words)
        count = self._worth_leaving(words, through_sample)
        self._last = words
        if count:
            self._cut(count, words[count - 1].end)
        return text.strip()

    def wants_places(self, words: Sequence[TimedWord], through_sample: int) -> bool:
        """Return whether it matters where ``words`` are, whose places are a guess: `push` would cut the window, or the
        next `make_room` may.
        """
        long = through_sample - self.begin > self._most // 2
        return long or self._worth_leaving(words, through_sample) > 0

    def _worth_leaving(self, words: Sequence[TimedWord], through_sample: int) -> int:
        """Return how many of the ``words`` need not be decoded again.

        Words that take up no sound are decoded again, or they would be there twice.
        """
        length = through_sample - self.begin
        if length <= _WORTH_CUTTING:
            return 0
        agreed = takewhile(lambda pair: pair[0].text == pair[1].text, zip(words, self._last, strict=False))
        placed = [(count, word) for count, (word, _) in enumerate(agreed, 1) if word.end > self.begin]
        ends = [count for count, word in placed if word.text.rstrip().endswith(_ENDS_PHRASE)]
        if not ends and length > self._most // 3:
            ends = [count for count, word in placed if word.end <= through_sample - _LEFT]
        return ends[-1] if ends else 0

    def _cut(self, count: int, begin: int) -> None:
        self.before += "".join(word.text for word in self._last[:count])
        self._last = self._last[count:]
        self.begin = begin
