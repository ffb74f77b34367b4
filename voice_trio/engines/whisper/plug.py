"""Whisper as a plug: whether its weights are here, how they come here, and the recognizer over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from voice_trio import config
from voice_trio.config import Settings
from voice_trio.engines.base import CannotLoad, Recognizer
from voice_trio.engines.decoding.scheduler import open_scheduler
from voice_trio.engines.plug import Plug, Progress
from voice_trio.engines.whisper import context as whisper_context, models as whisper_models, packages
from voice_trio.engines.whisper.loading import load
from voice_trio.engines.whisper.names import LICENCE, MEGABYTES, ModelError, parse
from voice_trio.engines.whisper.recognizer import WhisperRecognizer
from voice_trio.entry_points import Kind
from voice_trio.installation import command_name
from voice_trio.waiting import alongside


@asynccontextmanager
async def open_whisper(settings: Settings) -> AsyncIterator[WhisperRecognizer]:
    """Load the model in a thread, and close it at the end. Raises `ModelError`, as `load` does."""
    loaded = await trio.to_thread.run_sync(load, settings)
    async with open_scheduler(settings.asr_workers, close_s=settings.asr_timeout_s) as scheduler:
        recognizer = WhisperRecognizer(loaded, scheduler, settings)
        async with alongside(recognizer.find_context):
            yield recognizer


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Recognizer]:
    try:
        async with open_whisper(settings) as recognizer:
            if settings.language and settings.language not in recognizer.languages:
                raise CannotLoad(
                    f"STREAM_LANGUAGE is {settings.language!r}, which {recognizer.name} does not understand: give "
                    "the ISO 639-1 code of a language that it does, or nothing to have it detected."
                )
            yield recognizer
    except ModelError as error:
        raise _wrong(error) from error


def _missing(settings: Settings) -> str | None:
    try:
        name = settings.model_whisper
        here = whisper_models.find(name, settings.data_dir) or whisper_models.in_packages(name)
    except ModelError as error:
        raise _wrong(error) from error
    return None if here else f"{settings.model_whisper} is not on this machine: {_command(settings)}"


def _wrong(error: ModelError) -> CannotLoad:
    return CannotLoad(f"STREAM_MODEL_WHISPER: {error}.")


def _command(settings: Settings) -> str:
    return f"{command_name()} models download {settings.model_whisper}"


_IN_PACKAGES = "in installed packages, from which it is put together when it is first used"


def _absent(model: whisper_models.Model) -> str:
    if model.size == packages.SIZE and packages.installed():
        return _IN_PACKAGES
    return f"not here: {model.repository}"


class WhisperWeights:
    """Whisper's models, for ``voice-trio models``."""

    def listing(self, settings: Settings) -> Sequence[str]:
        """Return which sizes are here, and where. Raises `ModelError`."""
        lines = [
            "Whisper's sizes; a model's name is a size and how it computes, such as small-int8. What is not here comes",
            "from huggingface.co, from the repository that stands behind it.",
            "",
        ]
        for model in whisper_models.list_models(settings.data_dir):
            megabytes = model.size_bytes / 1e6 if model.path else MEGABYTES[model.size]
            where = model.path or _absent(model)
            lines.append(f"{model.size:<18}{megabytes:6.0f} MB  {LICENCE}  {where}")
        name = settings.model_whisper
        here = whisper_models.find(name, settings.data_dir)
        missing = _IN_PACKAGES if whisper_models.in_packages(name) else f"not here; fetch it with {_command(settings)}"
        return [*lines, "", f"The settings ask for {settings.model_whisper}: {here or missing}"]

    def wanted(self, settings: Settings) -> str:
        """Return the name in the settings."""
        return settings.model_whisper

    def knows(self, name: str) -> bool:
        """Return whether ``name`` is a size and how it computes, or a folder."""
        try:
            parse(name)
        except ModelError:
            return False
        return True

    def download(self, name: str, progress: Progress) -> Path:
        """Fetch ``name``. Raises `ModelError`."""
        return whisper_models.download(name, progress, data_dir=config.load().data_dir)

    async def check(self, settings: Settings, name: str | None, tell: Callable[[str], None]) -> str | None:
        """Try a model on recorded speech, and remember how much audio it must be given at a time.

        Raises `ModelError`.
        """
        if name is not None:
            settings = settings.model_copy(update={"model_whisper": name})
        loaded = await trio.to_thread.run_sync(load, settings)
        tell(f"{loaded.name}: some sentences, with less audio at a time, against the same padded to 30 s")
        async with open_scheduler(settings.asr_workers, close_s=settings.asr_timeout_s) as scheduler:
            context = await whisper_context.calibrate(scheduler, loaded.decoder, lambda line: tell(f"  {line}"))
        tell(f"Partials are given {context.partial_s:g} s, and finals {context.final_s:g} s.")
        if await trio.to_thread.run_sync(whisper_context.remember, loaded.folder, context):
            return None
        return f"{loaded.folder} cannot be written, so each server finds this out again."


PLUG = Plug(
    kind=Kind.RECOGNIZER,
    name="faster-whisper",
    title="Whisper",
    settings=Settings,
    open=_open,
    missing=_missing,
    command=_command,
    quality=80,
    weights=WhisperWeights(),
)
