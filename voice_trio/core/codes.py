"""The words and the numbers that messages are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen


class ErrorCode(StrEnum):
    """What went wrong, by blame: the client's, an engine's, ours."""

    PROTOCOL_VIOLATION = "PROTOCOL_VIOLATION"
    MAX_DURATION_EXCEEDED = "MAX_DURATION_EXCEEDED"
    SERVER_BUSY = "SERVER_BUSY"
    UNAUTHORIZED = "UNAUTHORIZED"
    ASR_TIMEOUT = "ASR_TIMEOUT"
    ASR_FAIL = "ASR_FAIL"
    LLM_TIMEOUT = "LLM_TIMEOUT"
    LLM_FAIL = "LLM_FAIL"
    TTS_FAIL = "TTS_FAIL"
    INTERNAL = "INTERNAL"


class InfoCode(StrEnum):
    """What a client should know and need not act on."""

    ASR_FALLBACK = "asr_fallback"
    LLM_SYNTHETIC = "llm_synthetic"
    ENGINES_CHANGED = "engines_changed"
    NO_SPEECH = "no_speech"
    NO_AUDIO = "no_audio"
    LATE_AUDIO = "late_audio"
    EMPTY_REPLY = "empty_reply"
    REPLY_CUT = "reply_cut"
    REPLY_FILTERED = "reply_filtered"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    THROTTLED = "throttled"
    IDLE_TIMEOUT = "idle_timeout"
    SESSION_LIMIT = "session_limit"
    PLACE_NEEDED = "place_needed"
    SHUTTING_DOWN = "shutting_down"


DrainCode = Literal[InfoCode.SHUTTING_DOWN, InfoCode.IDLE_TIMEOUT, InfoCode.SESSION_LIMIT, InfoCode.PLACE_NEEDED]
"""Why a session may be brought to an end."""


class Origin(StrEnum):
    """Why the server begins a turn that nobody asked for."""

    TIMER = "timer"
    """A timer, an alarm or a reminder is due."""
    SILENCE = "silence"
    """Nobody has said anything for as long as the client allows."""


class Why(StrEnum):
    """Why a command was declined."""

    ACTIVE = "active"
    """There is a reply already, or one to come."""
    TOO_SHORT = "too short"
    """There is less than `LEAST_COMMIT_MS` of audio."""
    NO_SUCH_ITEM = "no such item"
    DUPLICATE = "duplicate"
    NO_SOUND = "no sound"
    """The item is no reply that was spoken."""
    BUSY = "busy"
    """There are too many turns that are not over."""
    ENDING = "ending"
    """The session is."""


LEAST_COMMIT_MS = 100
"""Less than that holds no word."""


class Outcome(StrEnum):
    """Why a turn ended."""

    COMPLETED = "completed"
    EMPTY = "empty"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


class State(StrEnum):
    """Where a turn stands."""

    IDLE = "IDLE"
    CAPTURING = "CAPTURING"
    THINKING = "THINKING"
    RESPONDING = "RESPONDING"
    COMPLETE = "COMPLETE"


class CallState(StrEnum):
    """How far a call of one of the server's tools has come."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


Mode = Literal["tap", "hold", "hands_free"]
"""How capture ends: on silence, on `Stop`, or on silence with the next turn beginning by itself."""

Endpointing = Literal["adaptive", "fixed", "share", "strict"]
"""How much silence ends an utterance: as each pause is weighed, or always as much, of which ``strict`` wants all frames
silent and the others 80 %; ``share`` is what ``fixed`` was called first."""

Drafting = Literal["auto", "on", "off"]
"""Whether a reply is begun in a pause that may be the end; ``auto``: where nobody pays for what it writes."""

EchoBy = Literal["browser", "none"]
"""Who takes the assistant's voice out of the microphone's sound, on the client's side."""

SoundCodec = Literal["pcm", "opus"]
"""How sound is coded on the wire. The session itself has PCM."""

BargeIn = Literal["confirm", "wait"]
"""How speech into a reply is taken where players cannot stand still: ``confirm`` lets the reply go on until it is clear
that the speech is meant, and then ends it; ``wait`` lets it come to its end."""

Count = Annotated[int, Ge(0), Le(2**32 - 1)]
TurnId = Annotated[int, Ge(1), Le(2**32 - 1)]
PreRollMs = Annotated[int, Ge(0), Le(2000)]
Threshold = Annotated[float, Ge(0), Le(1)]
MostTokens = Annotated[int, Ge(1), Le(1_000_000)]
"""The most that a language model may write for one reply, as it counts."""
Name = Annotated[str, MinLen(1), MaxLen(100)]
Milliseconds = Annotated[float, Ge(0), Le(1e9)]
Speed = Annotated[float, Ge(0.5), Le(2.0)]
