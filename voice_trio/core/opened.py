"""The first that a client hears on a connection."""

from __future__ import annotations

from dataclasses import dataclass

from voice_trio.core.commands import MAX_MESSAGE_BYTES

PROTOCOL = 1
"""The version that `SessionOpened` announces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """Who we are and what we can do: once in a session, and on each further connection of one that is resumed."""

    session: str
    conversation: str
    protocol: int = PROTOCOL
    features: tuple[str, ...] = ()
    sample_rate: int
    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_utterance_ms: int
    silence_ms: int
    end_of_turn: str | None = None
    """What weighs pauses where the endpointing is adaptive; None where nothing does."""
    asr: str
    llm: str
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    resume: str | None = None
    """Where the session outlives its socket: what the next socket names it by, a secret."""
    resume_s: float | None = None
    """For how long it does."""
    resumed: bool | None = None
    """Of a socket that named a session: whether this is that one."""
    received: int | None = None
    """Where it is: how many of the client's messages it has."""
