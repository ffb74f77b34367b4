"""What a client shows of an utterance that is still being recognised: hypotheses in, deltas out.

Local agreement, as Liu et al. describe it ("Low-Latency Sequence-to-Sequence Speech Recognition and Translation by
Partial Hypothesis Selection", Interspeech 2020) and Macháček et al. use it for Whisper ("Turning Whisper into Real-Time
Transcription System", 2023): the words on which two successive hypotheses agree from their beginning are stable, and
no later partial revises them. Each hypothesis covers the utterance from its first sample.

Law: what is shown is the stable words, then the tail of the last hypothesis. Where the hypothesis begins with the
stable words (case and punctuation aside), the tail is what follows them. Where it contradicts them, the stable words
stay all the same, and the tail begins behind those words of the hypothesis that come closest to them: the fewest
words put in, left out or replaced; among equals an end on the same word, then a count nearest to theirs. So a word
that a later hypothesis finds at the beginning neither doubles nor swallows one further on.

Two hypotheses agree on a word whatever its case and punctuation: a recognizer that writes both ends every hypothesis as
if the sentence were over, and begins another where it was not, so that a comma turns into a full stop and back while
the words are sure. A word gets stable as the newer hypothesis writes it. The punctuation behind it gets stable with the
next word, as the hypothesis writes it that makes that one stable; so none stands behind the last stable word, where the
sentence may go on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"\s*(?:[{_CJK}][^\s\w]*|[^\s{_CJK}]+)")
"""A word with the white space before it; in scripts that write no spaces, a character with its punctuation."""


@dataclass(frozen=True, slots=True)
class Delta:
    """Drop all after the first ``keep`` characters shown, append ``text``; the first ``stable`` will not change."""

    keep: int
    text: str
    stable: int


class TranscriptDiffer:
    """One utterance's hypotheses in, deltas out. White space is shown as single spaces between words."""

    def __init__(self) -> None:
        self._stable: list[str] = []  # words, each with the space before it; the last without what ends it
        self._tail: list[str] = []
        self.text = ""
        """What a client shows that has applied every delta."""
        self.stable = 0
        """How many characters of `text`, from its first, no partial will revise."""

    def push(self, hypothesis: str) -> Delta | None:
        """Take the next hypothesis; return what changes for a client, or None where nothing does."""
        words = _words(hypothesis)
        begin = _tail_begin(self._stable, words)
        tail = words[begin:]
        if tail and self._stable and not tail[0][0].isspace() and not re.match(f"[{_CJK}]", tail[0]):
            tail[0] = " " + tail[0]
        ending = ""
        if self._stable and begin and _key(words[begin - 1]) == _key(self._stable[-1]):
            ending = _ending(words[begin - 1])
        agreed = _agreed([_key(word) for word in self._tail], [_key(word) for word in tail])
        self._tail = tail[agreed:]
        if agreed:
            if self._stable:
                self._stable[-1] += ending
            self._stable += tail[:agreed]
            ending = _ending(self._stable[-1])
            self._stable[-1] = self._stable[-1].removesuffix(ending)

        before, was_stable = self.text, self.stable
        stable = "".join(self._stable)
        self.text, self.stable = stable + ending + "".join(self._tail), len(stable)
        if (self.text, self.stable) == (before, was_stable):
            return None
        keep = _agreed(before, self.text)
        return Delta(keep, self.text[keep:], self.stable)


def _words(text: str) -> list[str]:
    words = [" " + word.lstrip() if word[0].isspace() else word for word in _WORD.findall(text)]
    return [words[0].lstrip(), *words[1:]] if words else []


def _agreed(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _key(word: str) -> str:
    """Return ``word`` without case and punctuation; one of nothing else keeps it."""
    return "".join(char for char in word.casefold() if unicodedata.category(char)[0] in "LMN") or word.strip()


def _ending(word: str) -> str:
    """Return the punctuation behind ``word``; nothing of one that is nothing else."""
    bare = word
    while bare.strip() and unicodedata.category(bare[-1])[0] not in "LMN":
        bare = bare[:-1]
    return word[len(bare) :] if bare.strip() else ""


def _tail_begin(stable: Sequence[str], words: Sequence[str]) -> int:
    """Return how many of ``words`` stand for the ``stable`` ones."""
    ours, theirs = [_key(word) for word in stable], [_key(word) for word in words]
    if theirs[: len(ours)] == ours:
        return len(ours)
    band = 8
    while min(distances := _distances(ours, theirs, band)) > band < max(len(ours), len(theirs)):
        band *= 2
    return min(
        range(len(theirs) + 1),
        key=lambda end: (distances[end], end == 0 or theirs[end - 1] != ours[-1], abs(end - len(ours))),
    )


def _distances(ours: Sequence[str], theirs: Sequence[str], band: int) -> list[int]:
    """Return the edit distance from ``ours`` to each beginning of ``theirs``, one more than ``band`` for all above it.

    Texts of a thousand words mostly agree, and a beginning that is ``band`` edits away is ``band`` places away at most:
    nothing farther from the diagonal is looked at (Ukkonen, "Algorithms for approximate string matching", 1985).
    """
    distances = [min(column, band + 1) for column in range(len(theirs) + 1)]
    for row, our in enumerate(ours, 1):
        first = max(1, row - band)
        if first > len(theirs) + 1:
            return [band + 1] * len(distances)
        diagonal, distances[first - 1] = distances[first - 1], row if first == 1 else band + 1
        for column in range(first, min(len(theirs), row + band) + 1):
            distance = min(
                diagonal + (our != theirs[column - 1]), distances[column] + 1, distances[column - 1] + 1, band + 1
            )
            diagonal, distances[column] = distances[column], distance
    return distances
