"""Whether audio comes as somebody's speech does, and what it means when it has stopped coming.

A client that is muted, sends nothing while nobody speaks (discontinuous transmission, a voice detection of its own), or
froze, gives no silence to listen to. So time in which audio is due and does not come counts as silence, beside the
silence that was heard: frames of comfort noise now and then end an utterance as late as nothing does.

Audio that is late looks the same until it is there. `PATIENCE_S` is what a stall of the network may last without
costing a word.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE

SHARE: Final = 0.25
"""Of the speed of speech: audio that comes more slowly than that comes from nobody who speaks."""


class Flow:
    """How audio has been coming, from ``now`` on.

    It lies fallow once less than `SHARE` of what ``span_s`` seconds hold has come within ``span_s``, which nothing at
    all is, a frame now and then, and a burst with nothing behind it. Digital silence is nothing: a microphone always
    hears something, so this is one that is muted.
    """

    def __init__(self, span_s: float, now: float) -> None:
        self._span_s = span_s
        self._enough = SHARE * span_s * SAMPLE_RATE
        self._began_at = now
        self._came: deque[tuple[float, int]] = deque()
        self._samples = 0

    def push(self, pcm: bytes, now: float) -> None:
        """Note that ``pcm`` came at ``now``, in seconds, no earlier than what was noted before."""
        if pcm.count(0) == len(pcm):
            return
        self._came.append((now, len(pcm) // BYTES_PER_SAMPLE))
        self._samples += len(pcm) // BYTES_PER_SAMPLE
        # The latest that are enough tell all that is asked of it.
        while self._samples - self._came[0][1] >= self._enough:
            self._samples -= self._came.popleft()[1]

    @property
    def fallow_at(self) -> float:
        """When it lies fallow, in seconds, if nothing more comes; it does from then on."""
        if self._samples < self._enough:
            return self._began_at + self._span_s
        return self._came[0][0] + self._span_s


PATIENCE_S: Final = 1.8
"""How late audio may be, altogether since somebody was last heard. A little under two seconds, with the longest usual
message, is what a person waits without thinking that nobody listens."""


def over_at(*, voiced_at: float, silence_s: float, message_s: float, window_s: float) -> float:
    """Return when an utterance is over if no more of it comes, in seconds.

    Its voice was last heard at ``voiced_at``; ``silence_s`` of silence have been heard since. The next message is due
    ``message_s`` after the last: it came when all that it holds had been said. Never before ``window_s``, the silence
    that ends an utterance.
    """
    return voiced_at + max(silence_s + message_s + PATIENCE_S, window_s)
