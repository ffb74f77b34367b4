"""Each pause of an utterance is weighed: is it the end? What is known of it comes bit by bit, and late or never.

So nobody waits for any of it. A pause begins with the window of silence that counts where nothing is known; each thing
that comes to be known while it lasts makes the window anew, and what comes later changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from voice_trio.core.end_of_turn import Pauses, window_ms
from voice_trio.core.last_words import Sense

log = structlog.get_logger()


class Weighing:
    """Weighs one utterance's pauses. None of it waits. Positions are samples of the utterance."""

    def __init__(self, pauses: Pauses, undecided_ms: int, wait: Callable[[int], None]) -> None:
        """``wait`` has the present pause last so long, in ms, before it is the end; ``pauses`` are the person's."""
        self._pauses = pauses
        self._undecided_ms = undecided_ms
        self._wait = wait
        self._began: int | None = None
        """Where the voice was last heard before the present pause; None where there is none."""
        self._probability: float | None = None
        self._words: Sense | None = None
        self._worded_through = -1

    def pause(self, voiced_through: int) -> None:
        """Somebody who was last heard just before ``voiced_through`` has not spoken for a while."""
        self._began, self._probability = voiced_through, None
        if self._worded_through >= voiced_through:
            self._weigh()

    def resume(self, lasted_ms: int) -> None:
        """They go on, after ``lasted_ms`` of silence."""
        self._began = None
        self._pauses.push(lasted_ms)

    def judge(self, probability: float | None, voiced_through: int) -> None:
        """Take how likely they have finished who were last heard just before ``voiced_through``; None: not known."""
        if voiced_through == self._began:
            self._probability = probability
            self._weigh()

    def hear(self, words: Sense, through_sample: int) -> None:
        """Take what the words of the first ``through_sample`` samples say; fewer than before say nothing."""
        if through_sample < self._worded_through:
            return
        known = self._known()
        # The longer the silence, the more recognizers take it for the end of a sentence: doubts stay.
        self._words, self._worded_through = words if known is None else max(words, known), through_sample
        if self._known() is not None:
            self._weigh()

    def _known(self) -> Sense | None:
        """Return what the words say that the present pause is behind. Older ones lack the last, which counts."""
        return None if self._began is None or self._worded_through < self._began else self._words

    def _weigh(self) -> None:
        words = self._known()
        window = window_ms(
            self._probability,
            words=words,
            usual_pause_ms=self._pauses.usual_ms,
            undecided_ms=self._undecided_ms,
        )
        log.debug(
            "pause weighed",
            probability=self._probability,
            words=None if words is None else words.name,
            window_ms=window,
        )
        self._wait(window)
