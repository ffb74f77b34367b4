"""Who has what there is too little of: a total order of claims, by which it is lent and asked back.

A recognizer that works as the audio comes is at one utterance's side from its first word to its last, and most of that
time it waits for the speaker. Lent for so long in the order of asking, two people who speak keep a third, who has
finished, from being understood, and two who hold the key and say nothing keep everybody away. So:

1. A person who has finished speaking comes before one who speaks, and one who speaks before one who hardly sends audio.
2. Among equals the earlier comes first. Of those who have finished, a long utterance counts as if it had ended later,
   by the time that it takes: the short one behind it loses little by waiting, and it would lose much.
3. What is lent is asked back for a claim of a better `Need`, and never for an equal one. Asked are the last in that
   order, who have least to lose: they began last.

What is done for a claim is lost when it gives back, and done again. By rule 3 that is bounded: each utterance ends
once, so it takes a place from one other at most. (Preemptive priorities, with non-preemptive order within each.)
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeVar


class Need(IntEnum):
    """What a claim is for; the least comes first."""

    FINAL = 0
    """The utterance is over, and its words are waited for."""
    SPEECH = 1
    """Somebody speaks."""
    FALLOW = 2
    """An utterance was begun, and hardly any audio comes; see `core.flow`."""


class Claim(NamedTuple):
    """A claim's place in the order; the least comes first."""

    need: Need
    since: float
    """In seconds of any one clock."""


class Claimant(Protocol):
    """What has, or waits for, one of the things that are lent."""

    def claim(self, now: float) -> Claim:
        """Return the claim as it stands at ``now``, in seconds."""


C = TypeVar("C", bound=Claimant)


def first(waiting: Sequence[C], now: float) -> C:
    """Return which of ``waiting``, at least one, is lent the next."""
    return min(waiting, key=lambda one: one.claim(now))


def asked_back(holding: Sequence[C], waiting: Sequence[C], now: float) -> list[C]:
    """Return which of ``holding`` are to give back what they have, where nothing is free."""
    last_first = sorted(holding, key=lambda one: one.claim(now), reverse=True)
    best_first = sorted(waiting, key=lambda one: one.claim(now))
    pairs = zip(last_first, best_first, strict=False)
    return [holder for holder, waiter in pairs if waiter.claim(now).need < holder.claim(now).need]
