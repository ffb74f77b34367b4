"""What a session says of its engines: first, and when others have taken their place."""

from __future__ import annotations

from collections.abc import Iterator

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.messages import Event, Info, InfoCode, SessionOpened
from voice_trio.engines.base import EndOfTurn, Engines, advice_of, instead_of
from voice_trio.engines.echo import aec3
from voice_trio.entry_points import Kind
from voice_trio.session.settings import SessionSettings

NO_MODEL = "No language model is configured"

FEATURES = ("tap", "hold", "hands_free", "text", "cancel", "played", "mark", "tools", "timers", "opus")
CANCELS_ECHO = "echo"
"""A feature where its package is installed: the server hears what is said while it speaks into an open microphone."""


def greeting(session: str, conversation: str, settings: SessionSettings, engines: Engines) -> Iterator[Event]:
    """Yield who we are and what we can do, and where something better could be had."""
    yield SessionOpened(
        session=session,
        conversation=conversation,
        features=FEATURES if aec3.missing() else (*FEATURES, CANCELS_ECHO),
        sample_rate=SAMPLE_RATE,
        max_utterance_ms=settings.max_utterance_ms,
        silence_ms=settings.vad_silence_ms,
        end_of_turn=_name_of(engines.end_of_turn),
        asr=engines.recognizer.name,
        llm=engines.language_model.name,
        voices=tuple(engines.synthesizer.voices),
        languages=tuple(engines.recognizer.languages),
    )
    if (fallback := engines.asr_fallback) is not None:
        yield Info(code=InfoCode.ASR_FALLBACK, message=fallback.message, command=fallback.command)
    if engines.language_model.synthetic:
        advice = advice_of(engines.language_model)
        message = f"{NO_MODEL}: {instead_of(engines.language_model)}."
        message = f"{message} {advice}" if advice else message
        yield Info(code=InfoCode.LLM_SYNTHETIC, message=message)


def changed(kind: Kind, engines: Engines) -> Info:
    """Return what a client is told when the turns to come start with ``engines``, of which that of ``kind`` is new."""
    fallback = engines.asr_fallback
    return Info(
        code=InfoCode.ENGINES_CHANGED,
        message=_news(kind, engines),
        command=fallback.command if fallback else None,
        end_of_turn=_name_of(engines.end_of_turn),
        asr=engines.recognizer.name,
        llm=engines.language_model.name,
        synthetic=engines.language_model.synthetic,
        voices=tuple(engines.synthesizer.voices),
        languages=tuple(engines.recognizer.languages),
    )


def _name_of(end_of_turn: EndOfTurn | None) -> str | None:
    return None if end_of_turn is None else end_of_turn.name


def _news(kind: Kind, engines: Engines) -> str:
    if kind is Kind.RECOGNIZER:
        return f"{engines.recognizer.name} recognises speech from now on."
    if kind is Kind.SYNTHESIZER:
        return f"{engines.synthesizer.name} speaks from now on."
    if kind is Kind.END_OF_TURN:
        return f"{_name_of(engines.end_of_turn)} weighs pauses from now on."
    if engines.language_model.synthetic:
        return f"The language model is gone: {instead_of(engines.language_model)} until another one is there."
    return f"{engines.language_model.name} answers from now on."
