"""Moonshine as a plug: whether its weights came along, and the recognizer over them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.engines.base import CannotLoad
from voice_trio.engines.decoding.scheduler import open_scheduler, threads_per_worker
from voice_trio.engines.moonshine import model
from voice_trio.engines.moonshine.recognizer import LANGUAGE, MoonshineRecognizer
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind


@asynccontextmanager
async def open_moonshine(settings: Settings) -> AsyncIterator[MoonshineRecognizer]:
    """Load the model in a thread, and close it at the end. Raises `CannotLoad`."""
    try:
        folder = model.find()
        decoder = await trio.to_thread.run_sync(model.load, folder, threads_per_worker(settings.asr_workers))
    except model.ModelError as error:
        raise CannotLoad(f"Moonshine cannot be used: {error}.") from error
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


PLUG = Plug(
    kind=Kind.RECOGNIZER,
    name="moonshine",
    title="Moonshine",
    about="Moonshine, which comes with it, understands English well.",
    settings=Settings,
    open=open_moonshine,
    missing=_missing,
    quality=50,
)
