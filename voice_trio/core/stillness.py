"""When an utterance is over whose audio has stopped coming.

A client that is muted, sends nothing while nobody speaks (discontinuous transmission, a voice detection of its own), or
froze, gives no silence to listen to. So time in which audio is due and does not come counts as silence, beside the
silence that was heard: frames of comfort noise now and then end an utterance as late as nothing does.

Audio that is late looks the same until it is there. `PATIENCE_S` is what a stall of the network may last without
costing a word.
"""

from __future__ import annotations

from typing import Final

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
