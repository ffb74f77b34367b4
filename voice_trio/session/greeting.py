"""What a session says of its engines: first, and when others have taken their place."""

from __future__ import annotations

from collections.abc import Iterator

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import Event, Info, InfoCode, SessionOpened
from voice_trio.engines.base import Engines
from voice_trio.session.settings import SessionSettings

FEATURES = ("tap", "hold", "hands_free", "text", "cancel", "played", "mark")


def greeting(session: str, conversation: str, settings: SessionSettings, engines: Engines) -> Iterator[Event]:
    """Yield who we are and what we can do, and where something better could be had."""
    yield SessionOpened(
        session=session,
        conversation=conversation,
        features=FEATURES,
        sample_rate=SAMPLE_RATE,
        max_utterance_ms=settings.max_utterance_ms,
        silence_ms=settings.vad_silence_ms,
        asr=engines.recognizer.name,
        llm=engines.language_model.name,
        voices=tuple(engines.synthesizer.voices),
        languages=tuple(engines.recognizer.languages),
    )
    if (fallback := engines.asr_fallback) is not None:
        yield Info(code=InfoCode.ASR_FALLBACK, message=fallback.message, command=fallback.command)
    if engines.language_model.synthetic:
        message = "No language model is configured: replies only repeat what was heard."
        yield Info(code=InfoCode.LLM_SYNTHETIC, message=message)


def changed(engines: Engines) -> Info:
    """Return what a client is told when the turns to come start with other ``engines``."""
    names = engines.recognizer.name, engines.language_model.name, engines.synthesizer.name
    return Info(
        code=InfoCode.ENGINES_CHANGED,
        message="From the next turn on: recognizer {}, language model {}, voice {}.".format(*names),
        asr=engines.recognizer.name,
        llm=engines.language_model.name,
        voices=tuple(engines.synthesizer.voices),
        languages=tuple(engines.recognizer.languages),
    )
