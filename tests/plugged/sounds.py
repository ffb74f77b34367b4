"""A recognizer that counts sounds: claps, knocks, syllables."""

import time
from array import array
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Annotated

import trio
from pydantic import Field

from voice_trio.engines.base import Hypothesis, Transcript
from voice_trio.engines.plug import EngineSettings, Kind, Plug

FRAME_SAMPLES = 480


class SoundsSettings(EngineSettings):
    """Its own setting, and the server's STREAM_MAX_UTTERANCE_MS."""

    sounds_loudness: Annotated[int, Field(ge=1, le=32_767, description="what is a sound, as a mean amplitude")] = 500
    max_utterance_ms: int


class Utterance:
    """Notes of each 30 ms whether it is loud."""

    def __init__(self, settings: SoundsSettings) -> None:
        self.compute_s = 0.0
        self._threshold = settings.sounds_loudness * FRAME_SAMPLES
        self._rest = array("h")
        self._loud: list[bool] = []

    def feed(self, pcm: bytes) -> None:
        """Add 16 kHz s16le mono audio."""
        began = time.perf_counter()
        self._rest.frombytes(pcm)
        while len(self._rest) >= FRAME_SAMPLES:
            frame, self._rest = self._rest[:FRAME_SAMPLES], self._rest[FRAME_SAMPLES:]
            self._loud.append(sum(map(abs, frame)) > self._threshold)
        self.compute_s += time.perf_counter() - began

    async def hypothesize(self) -> Hypothesis:
        """Return the count so far."""
        await trio.lowlevel.checkpoint()
        return Hypothesis(self._text(len(self._loud)), len(self._loud) * FRAME_SAMPLES)

    async def anticipate(self, voiced_through: int) -> None:
        """There is nothing to prepare."""
        await trio.lowlevel.checkpoint()

    async def settle(self, through_sample: int, voiced_through: int | None = None) -> Transcript:
        """Return the count in the first ``through_sample`` samples."""
        await trio.lowlevel.checkpoint()
        return Transcript(self._text(through_sample // FRAME_SAMPLES), None)

    def _text(self, frames: int) -> str:
        loud = [False, *self._loud[:frames]]
        count = sum(now and not before for before, now in pairwise(loud))
        return f"{count} sounds"


class Sounds:
    """The recognizer: one for all sessions."""

    name = "sounds"
    languages = ()
    ready = True

    def __init__(self, settings: SoundsSettings) -> None:
        self._settings = settings

    @asynccontextmanager
    async def open(self, language: str | None):
        """Begin an utterance."""
        yield Utterance(self._settings)


@asynccontextmanager
async def open_sounds(settings: SoundsSettings):
    """Give the recognizer."""
    yield Sounds(settings)


PLUG = Plug(kind=Kind.RECOGNIZER, name="sounds", settings=SoundsSettings, open=open_sounds)
