"""A voice in warm worker processes.

A process of its own makes a phrase killable: one that hangs costs its turn a phrase and nobody else anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import CannotLoad, EngineError, Mark, Phoneme, Speaking, Speech, whole
from voice_trio.workers.main import Fields
from voice_trio.workers.pool import WorkerPool, open_pool
from voice_trio.workers.process import WorkerError, python_worker

MAX_CHARS = 1_000
"""Longest text spoken in one go: about a minute, and with espeak 0.1 s of work. Phrases are a tenth of it."""
SPOKEN_SIGNS = "&%#@+"
"""Punctuation that has a name worth saying on its own."""
SLOWEST, FASTEST = 0.5, 2.0


def has_sound(text: str) -> bool:
    """Return whether there is anything in ``text`` to say."""
    return any(unicodedata.category(char)[0] in "LNS" or char in SPOKEN_SIGNS for char in text)


def clean(text: str) -> str:
    """Return ``text``, of the same length, without what no voice can take: control characters, halves of a pair.

    White space of every kind is a space: what ends a word to us must end it to the voice.
    """
    return "".join(" " if char.isspace() or unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


@dataclass(frozen=True, slots=True)
class VoiceProcess:
    """A kind of voice process.

    It says in its first words which ``voices`` it has, the usual one first, and answers each request with ``marks``,
    pairs of a sample and a character of the text, and with s16le mono audio.
    """

    name: str
    """Of the engine, as told to clients."""
    sample_rate: int
    module: str
    """Run with ``-m``, it serves requests as `workers.main` has it."""
    request: Callable[[str, str | None, float], Fields]
    """Makes one of a clean text that has sound, one of the voices or None, and a speed, 0.5 to 2.0."""


class WorkerVoice:
    """Speech by processes of one kind, in one piece a text."""

    def __init__(self, process: VoiceProcess, pool: WorkerPool) -> None:
        self.name = process.name
        self.sample_rate = process.sample_rate
        self._request = process.request
        self._pool = pool

    @property
    def voices(self) -> Sequence[str]:
        """Names that `speak` takes, the usual one first."""
        return tuple(self._pool.info.get("voices", ()))

    @property
    def ready(self) -> bool:
        """Whether a phrase would be spoken at once."""
        return self._pool.ready

    def kill_workers(self) -> None:
        """Kill the voice processes."""
        self._pool.kill_workers()

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text`` within ``seconds``; nothing sayable makes an empty `Speech`. Raises `EngineError` (TTS_FAIL)."""
        return whole(partial(self._speak, text, seconds, voice, speed))

    async def _speak(self, text: str, seconds: float, voice: str | None, speed: float) -> Speech:
        if len(text) > MAX_CHARS:
            raise EngineError(ErrorCode.TTS_FAIL, "The phrase is too long to speak.")
        if voice is not None and voice not in self.voices:
            raise EngineError(ErrorCode.TTS_FAIL, "There is no such voice.")
        if not has_sound(text):
            await trio.lowlevel.checkpoint()
            return Speech(b"", self.sample_rate)
        request = self._request(clean(text), voice, min(max(speed, SLOWEST), FASTEST))
        try:
            reply = await self._pool.call(request, seconds=seconds)
        except WorkerError as error:
            message = "The voice took too long." if error.kind == "timeout" else "The voice failed."
            raise EngineError(ErrorCode.TTS_FAIL, message) from error
        return Speech(
            reply.body,
            self.sample_rate,
            tuple(Mark(sample, char) for sample, char in reply.fields["marks"]),
            tuple(Phoneme(sample, symbol) for sample, symbol in reply.fields.get("phonemes", ())),
        )


@asynccontextmanager
async def open_voice(settings: Settings, process: VoiceProcess | None = None) -> AsyncIterator[WorkerVoice]:
    """Have a warm voice of ``process``, or espeak's, for as long as the block runs. Raises `CannotLoad`."""
    if process is None:
        from voice_trio.engines.espeak.plug import ESPEAK

        process = ESPEAK
    async with open_voices((process, settings.tts_workers)) as (voice,):
        yield voice


@asynccontextmanager
async def open_voices(*wanted: tuple[VoiceProcess, int]) -> AsyncIterator[Sequence[WorkerVoice]]:
    """Have a warm voice of each process ``wanted``, with so many workers, which warm up together.

    Raises `CannotLoad`.
    """
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(open_pool(python_worker("voice", process.module), workers))
            for process, workers in wanted
        ]
        try:
            for pool in pools:
                await pool.wait_ready()
        except WorkerError as error:
            raise CannotLoad(f"The voice cannot be started: {error}.") from error
        yield [WorkerVoice(process, pool) for (process, _), pool in zip(wanted, pools, strict=True)]
