"""Why an utterance is over, and what the client is told where that is not as it should be."""

from __future__ import annotations

from enum import Enum

from voice_trio.core.messages import Error, ErrorCode, Info, InfoCode

SLOWEST = 2.0
"""Times as long as its audio that the longest utterance may take to come."""


class Ending(Enum):
    """Why an utterance is over."""

    SILENCE = "silence"
    STOPPED = "stopped"
    TOO_LONG = "too long"
    TOO_SLOW = "too slow"
    """It took more than `SLOWEST` times as long as the longest utterance."""
    STILL = "no audio"
    """No audio came any more, while only the person says when they have finished."""
    NO_SPEECH = "no speech"


def too_long(max_utterance_ms: int, turn: int) -> Error:
    """Return what is said of an utterance that is `Ending.TOO_LONG`."""
    message = f"An utterance may last {max_utterance_ms / 1000:g} seconds; what was said until then is answered."
    return Error(code=ErrorCode.MAX_DURATION_EXCEEDED, message=message, recoverable=True, turn=turn)


def told(ending: Ending, max_utterance_ms: int, turn: int) -> Error | Info | None:
    """Return what is said of an utterance that ended so; None where that is as it should be."""
    longest_s = max_utterance_ms / 1000
    match ending:
        case Ending.TOO_LONG:
            return too_long(max_utterance_ms, turn)
        case Ending.TOO_SLOW:
            message = (
                f"An utterance may take {SLOWEST * longest_s:g} seconds to come; what came until then is answered."
            )
            return Error(code=ErrorCode.MAX_DURATION_EXCEEDED, message=message, recoverable=True, turn=turn)
        case Ending.STILL:
            message = f"No audio came for {longest_s:g} seconds; what was said until then is answered."
            return Info(code=InfoCode.NO_AUDIO, message=message)
    return None


LATE = Info(
    code=InfoCode.LATE_AUDIO,
    message="What came after a gap in the audio is not heard: the turn had gone on without it. Please say it again.",
)
"""What is said when somebody speaks in audio that came after the clock had ended the utterance."""
