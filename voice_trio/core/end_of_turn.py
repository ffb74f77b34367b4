"""Whether a pause is the end of what somebody says: how much silence says so.

Three things speak for or against it: how likely a model, which heard how the voice came to rest, thinks it to be; the
last word; and how long this person pauses in the middle of a sentence. Nothing of it is certain, so all that comes of
it is a window: how much silence is waited for, from `SHORTEST_MS` where the person has surely finished to `LONGEST_MS`
where they have surely not. `tools/bench_end_of_turn.py` measures what that gains.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

SHORTEST_MS: Final = 250
LONGEST_MS: Final = 2000

SURE: Final = 0.96
UNLIKELY: Final = 0.9
"""Probabilities from which on, and below which, a model is believed. Smart Turn gives most pauses inside sentences more
than 0.5 and a quarter of them more than 0.95, and most ends more than 0.95."""

SURE_MS: Final = 420
"""A reply that is begun in the pause takes nearly as long to sound, so less would gain nothing."""
DOUBTFUL_MS: Final = 200
"""By so much the undecided window is longer where a model was asked, and is not sure: most pauses that it does not take
for the end are none."""
UNLIKELY_MS: Final = 1300
"""Most pauses inside a sentence are over by then."""

MARGIN_MS: Final = 150
"""Beyond the usual pause of a person."""
EASED_MS: Final = 200
"""By so much a person's habits make the undecided window longer at most."""
UNLIKELY_EASED_MS: Final = 300


def window_ms(probability: float | None, *, unfinished: bool, usual_pause_ms: int | None, undecided_ms: int) -> int:
    """Return how much silence ends the utterance, in ms.

    ``probability``, 0.0 to 1.0, that the person has finished, is None where no model has judged; ``unfinished`` is what
    the words say. ``usual_pause_ms`` is how long this person pauses, None while that is not known, and ``undecided_ms``
    what is waited where nothing speaks for either.
    """
    if probability is not None and probability >= SURE and not unfinished:
        return min(undecided_ms, SURE_MS)
    window = _eased(undecided_ms, usual_pause_ms, EASED_MS)
    if probability is not None:
        window = max(window, min(window + DOUBTFUL_MS, UNLIKELY_MS))
    if unfinished or (probability is not None and probability < UNLIKELY):
        window = max(window, _eased(UNLIKELY_MS, usual_pause_ms, UNLIKELY_EASED_MS))
    return min(window, max(LONGEST_MS, undecided_ms))


def _eased(window: int, usual_pause_ms: int | None, by_ms: int) -> int:
    """Return ``window``, longer by ``by_ms`` at most where this person's pauses ask for it."""
    wanted = 0 if usual_pause_ms is None else usual_pause_ms + MARGIN_MS
    return min(max(window, wanted), window + by_ms)


# --- a person's habits ------------------------------------------------------------------------------------------------


class Pauses:
    """How long one person pauses while they speak on: a quantile of the latest pauses that were not the end."""

    REMEMBERED: Final = 20
    NEEDED: Final = 3
    """Of fewer nothing is concluded."""
    SHARE: Final = 0.8

    def __init__(self) -> None:
        self._latest: deque[int] = deque(maxlen=self.REMEMBERED)

    def push(self, ms: int) -> None:
        """Take the length of a pause after which the person went on."""
        self._latest.append(ms)

    @property
    def usual_ms(self) -> int | None:
        """The length that `SHARE` of them do not exceed; None while there are too few."""
        if len(self._latest) < self.NEEDED:
            return None
        return sorted(self._latest)[min(int(self.SHARE * len(self._latest)), len(self._latest) - 1)]


# --- words ------------------------------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNFINISHED: Final = _words(
    """
    and or but nor because although unless whereas while if whether than since until
    a an the my your our their its every
    of to from with without into onto for by at between among during toward towards upon via per
    um uh uhm er erm hm hmm
    i'm you're we're they're he's she's it's that's there's i'll you'll we'll i'd i've we've
    very dot plus minus
    """
)
"""English words after which a sentence goes on, but for the few times that it does not."""

_ENDS_QUESTIONS: Final = _words("of to from with for by at")
"""Of these, those that may end a question: "who is it for?"."""

_SUBJECTS: Final = _words("i we he she they")
_AUXILIARIES: Final = _words("am is are was were do does did can could will would shall should have has had")
_ASKING: Final = _words("what who where when why how which")
"""A subject ends a sentence behind an auxiliary ("so do I"), and an auxiliary begins one, alone or behind what asks."""

_NUMBER_ASKED: Final = re.compile(r"\b(number|phone|call|dial|code|pin|zip|card|account)\b")
_LAST_DIGITS: Final = re.compile(r"(?:\d[\s,.-]*)+$")
_ENOUGH_DIGITS: Final = 7
"""A number that somebody reads out has as many at least."""
_WORD: Final = re.compile(r"[a-z']+|\d+")


def is_unfinished(text: str, language: str | None) -> bool:
    """Return whether ``text``, the words of an utterance so far, breaks off where a sentence goes on.

    Only English (``en``) is known; in any other language nothing is. Punctuation says little: recognizers put full
    stops behind what breaks off.
    """
    if language != "en":
        return False
    said = text.lower().replace("’", "'")
    words = _WORD.findall(said)
    if not words:
        return False
    before, last = ["", *words][-2:]
    if last in _UNFINISHED:
        return not (last in _ENDS_QUESTIONS and said.rstrip().endswith("?"))
    if last in _SUBJECTS:
        return before not in _AUXILIARIES
    if last in _AUXILIARIES:
        return not before or before in _ASKING
    digits = _LAST_DIGITS.search(said)
    return (
        digits is not None
        and _NUMBER_ASKED.search(said) is not None
        and sum(map(str.isdecimal, digits[0])) < _ENOUGH_DIGITS
    )
