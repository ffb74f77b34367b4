"""How much of a reply's text a number of heard samples covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenPhrase:
    """A phrase of the reply and its place in the turn's audio."""

    start: int
    end: int
    """Its place in the reply's text, in code points."""
    first_sample: int
    samples: int
    """Its place in the turn's audio, as far as that is made; 0 samples where there was nothing to say."""
    words: tuple[tuple[int, int], ...]
    """(sample of the turn, code point of the reply) at which each word begins, rising; empty where not known."""
    whole: bool = True
    """False while more of it is to come, and for good where the voice could not say it, or not to its end."""


def heard_text(phrases: Sequence[SpokenPhrase], reply: str, samples: int) -> int:
    """Return how many code points of ``reply`` were heard when ``samples`` of the turn's audio were.

    A word counts once it was heard to its end. Where a voice gives no word positions, its pace is taken as even, and
    of a phrase that is not whole nothing counts. A phrase that failed was not heard, unless a later one was: what was
    heard is always a beginning of the reply.
    """
    heard = 0
    for phrase in phrases:
        # What has no sound was heard with what comes before it, or with what comes after, and not by itself.
        if not phrase.samples and not (phrase.whole and heard):
            continue
        if samples < phrase.first_sample + phrase.samples:
            return max(heard, _heard_in(phrase, reply, samples))
        heard = phrase.end if phrase.whole else max(heard, _heard_in(phrase, reply, samples))
    return heard


def evenly(phrases: Sequence[SpokenPhrase]) -> tuple[SpokenPhrase, ...]:
    """Return ``phrases`` as one, whose pace is even: all that is kept of them where there is no room for more."""
    said = [phrase for phrase in phrases if phrase.samples and phrase.whole]
    if not said:
        return ()
    samples = said[-1].first_sample + said[-1].samples
    return (SpokenPhrase(start=said[0].start, end=said[-1].end, first_sample=0, samples=samples, words=()),)


def _heard_in(phrase: SpokenPhrase, reply: str, samples: int) -> int:
    if samples <= phrase.first_sample:
        return 0
    if phrase.words:
        return max((char for sample, char in phrase.words if sample <= samples), default=phrase.start)
    if not phrase.whole:
        return phrase.start
    share = (samples - phrase.first_sample) / phrase.samples
    cut = phrase.start + int((phrase.end - phrase.start) * share)
    while cut > phrase.start and not reply[cut].isspace():
        cut -= 1
    return cut
