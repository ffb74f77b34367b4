"""What a session and its turns are to know of the settings, and of what the client configured."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

from voice_trio.config import Settings
from voice_trio.core import messages as m
from voice_trio.core.codes import Drafting
from voice_trio.engines.base import Engines

_R = TypeVar("_R", bound=m.Start | m.Text | m.Commit | m.Respond)
_W = TypeVar("_W", m.Start, m.Configure)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Those of `config.Settings` that a session looks at. None is a secret, so all of them may stand in its log.

    They have the names, units and ranges that they have there.
    """

    vad_silence_ms: int
    endpointing: m.Endpointing
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
    drafts: Drafting = "off"
    """Older session logs do not hold it: no reply was begun in a pause."""
    barge_in: bool = False
    """Older session logs do not hold it: what was said into a reply counted for nothing."""
    tool_timeout_s: float = 10.0
    tool_rounds: int = 6
    """Older session logs hold neither: there were no tools."""

    @classmethod
    def of(cls, settings: Settings) -> SessionSettings:
        """Return what a session is to know of ``settings``."""
        return cls(**{name: getattr(settings, name) for name in cls.names()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of them all."""
        return tuple(field.name for field in fields(cls))


def configured(settings: SessionSettings, request: _R, wanted: m.Configure) -> tuple[SessionSettings, _R]:
    """Return a turn's settings and request, with what is ``wanted`` where ``request`` says nothing itself."""
    own = request.instructions if isinstance(request, m.Respond) else None
    instructions = wanted.instructions if own is None else own
    if instructions is not None:
        settings = replace(settings, llm_system_prompt=instructions)
    # These two go together.
    if isinstance(request, m.Start) and request.silence_ms is None and request.endpointing is None:
        request = replace(request, silence_ms=wanted.silence_ms, endpointing=wanted.endpointing)
    request = replace(request, language=wanted.language if request.language is None else request.language)
    if isinstance(request, m.Start | m.Commit) and request.locale is None:
        request = replace(request, locale=wanted.locale)
    if not isinstance(request, m.Commit):
        request = replace(
            request,
            voice=wanted.voice if request.voice is None else request.voice,
            speed=wanted.speed if request.speed is None else request.speed,
        )
    return settings, request


def endpointing_of(request: m.Start, settings: SessionSettings) -> m.Endpointing:
    """Return how the utterance of ``request`` is to end: who asks for a window means a fixed one."""
    if request.endpointing is not None:
        return request.endpointing
    return "fixed" if request.silence_ms is not None and settings.endpointing == "adaptive" else settings.endpointing


def still_offered(wanted: _W, engines: Engines) -> _W:
    """Return what is ``wanted``, without a voice or a language that ``engines`` do not have."""
    known = engines.recognizer.languages
    voice = wanted.voice if wanted.voice in engines.synthesizer.voices else None
    language = wanted.language if not known or wanted.language in known else None
    return replace(wanted, voice=voice, language=language)
