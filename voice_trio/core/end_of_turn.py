"""Whether a pause is the end of what somebody says: how much silence says so.

Three things speak for or against it: how likely a model, which heard how the voice came to rest, thinks it to be; what
the words say (`last_words`); and how long this person pauses in the middle of a sentence. Nothing of it is certain, so
all that comes of it is a window: how much silence is waited for, from `SURE_MS` where the person has surely
finished to `LONGEST_MS` where they have surely not. `tools/bench_end_of_turn.py` measures what that gains.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voice_trio.core.last_words import Sense

LONGEST_MS: Final = 2000

JUDGED_AFTER_MS: Final = 120
"""Silence by which a model judges a pause: Smart Turn finds 65 % of the ends by it, for 8 % of the pauses inside
sentences, and 52 % by 150 ms (with words; 250 lines of `tools/duplex_bench`)."""

SURE: Final = 0.98
LIKELY: Final = 0.977
UNLIKELY: Final = 0.9
"""Probabilities from which on, and below which, a model is believed. Of 290 lines of `tools/duplex_bench`, Smart Turn
gives 56 % of the ends and 6 % of the pauses inside sentences at least `SURE`, 3 and 4 % from `LIKELY` to there, and 8
and 60 % less than `UNLIKELY`."""

SURE_MS: Final = 320
"""A reply that is begun in the pause takes nearly as long to sound, so less would gain nothing."""
UNWORDED_MS: Final = 500
"""As long as only the sound says so, and the words are not known yet: they tell part of the pauses that sound like the
end and are none."""
COMPLETE_MS: Final = 500
"""Where only the words say so."""
DOUBTFUL_MS: Final = 300
"""By so much the undecided window is longer where a model was asked, and is not sure: most pauses that it does not take
for the end are none."""
UNLIKELY_MS: Final = 1300
"""Most pauses inside a sentence are over by then."""

MARGIN_MS: Final = 150
"""Beyond the usual pause of a person."""
EASED_MS: Final = 200
"""By so much a person's habits make the undecided window longer at most."""
UNLIKELY_EASED_MS: Final = 300


def window_ms(probability: float | None, *, words: Sense | None, usual_pause_ms: int | None, undecided_ms: int) -> int:
    """Return how much silence ends the utterance, in ms.

    ``probability``, 0.0 to 1.0, that the person has finished, is None where no model has judged; ``words`` is what the
    words say, None where they are not known. ``usual_pause_ms`` is how long this person pauses, None while that is not
    known, and ``undecided_ms`` what is waited where nothing speaks for either.
    """
    if words is Sense.COMPLETE:
        return min(undecided_ms, COMPLETE_MS if probability is None or probability < UNLIKELY else SURE_MS)
    if probability is not None and probability >= SURE and words in (None, Sense.WHOLE):
        return min(undecided_ms, UNWORDED_MS if words is None else SURE_MS)
    window = _eased(undecided_ms, usual_pause_ms, EASED_MS)
    if words is Sense.DOUBTFUL or (probability is not None and probability < LIKELY):
        window = max(window, min(window + DOUBTFUL_MS, UNLIKELY_MS))
    if words is Sense.BROKEN_OFF or (probability is not None and probability < UNLIKELY):
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
    LEAST_MS: Final = 200
    """What is shorter lies between two words, or in the middle of one, and is no hesitation."""

    def __init__(self) -> None:
        self._latest: deque[int] = deque(maxlen=self.REMEMBERED)

    def push(self, ms: int) -> None:
        """Take the length of a pause after which the person went on; one beyond `LONGEST_MS` was none."""
        if self.LEAST_MS <= ms <= LONGEST_MS:
            self._latest.append(ms)

    @property
    def usual_ms(self) -> int | None:
        """The length that `SHARE` of them do not exceed; None while there are too few."""
        if len(self._latest) < self.NEEDED:
            return None
        return sorted(self._latest)[min(int(self.SHARE * len(self._latest)), len(self._latest) - 1)]
