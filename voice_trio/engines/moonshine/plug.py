"""Moonshine as a plug: whether its weights came along, and the recognizer over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from voice_trio import sound_file
from voice_trio.config import Settings
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.decoding.scheduler import open_scheduler, threads_per_worker
from voice_trio.engines.moonshine import model
from voice_trio.engines.moonshine.recognizer import LANGUAGE, MoonshineRecognizer
from voice_trio.engines.plug import Plug, Progress
from voice_trio.entry_points import Kind
from voice_trio.installation import clips_dir

NAME = "moonshine-tiny-en"


@asynccontextmanager
async def open_moonshine(settings: Settings) -> AsyncIterator[MoonshineRecognizer]:
    """Load the model in a thread, and close it at the end. Raises `CannotLoad`."""
    try:
        folder = model.find()
        decoder = await trio.to_thread.run_sync(model.load, folder, threads_per_worker(settings.asr_workers))
    except model.ModelError as error:
        raise _unusable(error) from error
    async with open_scheduler(settings.asr_workers, close_s=settings.asr_timeout_s) as scheduler:
        yield MoonshineRecognizer(decoder, scheduler)


def _missing(settings: Settings) -> str | None:
    if settings.language not in ("", LANGUAGE):
        return f"it understands English alone, and STREAM_LANGUAGE is {settings.language!r}"
    try:
        model.check(model.find())
    except model.ModelError as error:
        return str(error)
    return None


class MoonshineWeights:
    """Its one model, for ``voice-trio models``."""

    def listing(self, settings: Settings) -> Sequence[str]:
        """Return whether it is here, and where."""
        try:
            folder = model.find()
            model.check(folder)
        except model.ModelError as error:
            return [f"{NAME:<18}cannot be used: {error}"]
        size = sum((folder / name).stat().st_size for name in model.FILES)
        return [f"{NAME:<18}{size / 1e6:6.0f} MB  {model.LICENCE}  {folder}, from the package {model.PACKAGE}"]

    def wanted(self, settings: Settings) -> str:
        """Return its name."""
        return NAME

    def knows(self, name: str) -> bool:
        """Return whether ``name`` is its."""
        return name == NAME

    def download(self, name: str, progress: Progress) -> Path:
        """Return where it is, since it comes with a package. Raises `CannotLoad`."""
        return _checked()

    async def check(self, settings: Settings, name: str | None, tell: Callable[[str], None]) -> str | None:
        """Try it on recorded speech. Raises `CannotLoad`."""
        await trio.to_thread.run_sync(_checked)
        async with open_moonshine(settings) as recognizer:
            for file in sorted(clips_dir().glob("*.flac")):
                pcm = sound_file.read(file)
                async with recognizer.open(LANGUAGE) as utterance:
                    utterance.feed(pcm)
                    heard = await utterance.settle(utterance.samples)
                    tell(f"{file.stem:<10}{utterance.compute_s:4.1f} s for {utterance.samples / SAMPLE_RATE:.1f} s")
                    tell(f"  {heard.text}")
        return None


def _checked() -> Path:
    try:
        folder = model.find()
        model.check(folder)
    except model.ModelError as error:
        raise _unusable(error) from error
    return folder


def _unusable(error: model.ModelError) -> CannotLoad:
    return CannotLoad(f"Moonshine cannot be used: {error}.")


PLUG = Plug(
    kind=Kind.RECOGNIZER,
    name="moonshine",
    title="Moonshine",
    about="Moonshine comes with it, and understands English well.",
    settings=Settings,
    open=open_moonshine,
    missing=_missing,
    quality=50,
    weights=MoonshineWeights(),
)
