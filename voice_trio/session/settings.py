"""What a session and its turns are to know of the settings."""

from __future__ import annotations

from dataclasses import dataclass, fields

from voice_trio.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Those of `config.Settings` that a session looks at. None is a secret, so all of them may stand in its log.

    They have the names, units and ranges that they have there.
    """

    vad_silence_ms: int
    endpointing: str
    language: str
    partial_interval_ms: int
    max_utterance_ms: int
    asr_timeout_s: float
    llm_system_prompt: str
    llm_first_token_s: float
    llm_timeout_s: float
    llm_reasoning_s: float
    max_reply_chars: int
    memory_tokens: int
    tts_timeout_s: float
    max_pending_phrases: int
    playout_lead_ms: int
    send_queue_high: int
    log_latency: bool

    @classmethod
    def of(cls, settings: Settings) -> SessionSettings:
        """Return what a session is to know of ``settings``."""
        return cls(**{name: getattr(settings, name) for name in cls.names()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of them all."""
        return tuple(field.name for field in fields(cls))
