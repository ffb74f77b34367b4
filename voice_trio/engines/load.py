"""Which engines the settings mean, and their lives: each is open as long as the context it is opened in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import trio

from voice_trio.command_name import command_name
from voice_trio.config import Settings
from voice_trio.engines import openai_chat, openai_client, pocketsphinx, silero, voice, whisper, whisper_models
from voice_trio.engines.base import CannotLoad, Detector, Engines, LanguageModel, Recognizer, Synthesizer
from voice_trio.engines.synthetic import SyntheticModel
from voice_trio.engines.webrtc import WebRtcDetector


@dataclass(frozen=True, slots=True)
class Ears:
    """A recogniser, and whether it is the one that was asked for."""

    recognizer: Recognizer
    fallback: str | None
    """Where it stands in for Whisper: the command that fetches Whisper's weights."""


@asynccontextmanager
async def open_engines(settings: Settings) -> AsyncIterator[Engines]:
    """Open all engines that ``settings`` mean, warm. Raises `CannotLoad`."""
    async with AsyncExitStack() as stack:
        ears = await stack.enter_async_context(open_recognizer(settings))
        synthesizer = await stack.enter_async_context(open_synthesizer(settings))
        language_model = await stack.enter_async_context(open_language_model(settings))
        yield Engines(
            recognizer=ears.recognizer,
            language_model=language_model,
            synthesizer=synthesizer,
            new_detector=await load_detector(settings),
            asr_fallback=ears.fallback,
        )


async def load_detector(settings: Settings) -> Callable[[], Detector]:
    """Return what makes a detector for a session. Raises `CannotLoad`."""
    if settings.vad == "webrtc":
        return WebRtcDetector
    try:
        model = await trio.to_thread.run_sync(silero.load)
    except RuntimeError as error:
        raise CannotLoad(f"{error} STREAM_VAD=webrtc does without it.") from error
    return lambda: silero.SileroDetector(model)


@asynccontextmanager
async def open_recognizer(settings: Settings) -> AsyncIterator[Ears]:
    """Open the recogniser: Whisper if it is asked for or its weights are on disk, else the embedded one.

    No network is touched. Raises `CannotLoad`.
    """
    name = settings.model_whisper
    command = f"{command_name()} models download {name}"
    try:
        here = None
        if settings.asr_engine != "pocketsphinx":
            here = await trio.to_thread.run_sync(whisper_models.find, name)
        if here is not None:
            async with whisper.open_whisper(settings) as recognizer:
                if settings.language and settings.language not in recognizer.languages:
                    raise CannotLoad(
                        f"STREAM_LANGUAGE is {settings.language!r}, which {recognizer.name} does not understand: give "
                        "the ISO 639-1 code of a language that it does, or nothing to have it detected."
                    )
                yield Ears(recognizer, None)
            return
    except whisper_models.ModelError as error:
        raise CannotLoad(f"STREAM_MODEL_WHISPER: {error}.") from error
    if settings.asr_engine == "faster-whisper":
        raise CannotLoad(f"STREAM_ASR_ENGINE asks for Whisper, and {name} is not on this machine: {command}")
    async with pocketsphinx.open_pocketsphinx(settings) as recognizer:
        yield Ears(recognizer, command if settings.asr_engine == "auto" else None)


@asynccontextmanager
async def open_language_model(settings: Settings) -> AsyncIterator[LanguageModel]:
    """Open the language model, or what stands in for one where none is configured."""
    if not openai_client.is_configured(settings):
        yield SyntheticModel()
        return
    async with openai_chat.open_chat_model(settings) as model:
        yield model


@asynccontextmanager
async def open_synthesizer(settings: Settings) -> AsyncIterator[Synthesizer]:
    """Open the voice."""
    async with voice.open_voice(settings) as synthesizer:
        yield synthesizer
