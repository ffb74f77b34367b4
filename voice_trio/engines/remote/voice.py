"""A voice on another machine: its sound is passed on as it comes.

A text is asked for again only while nothing of its sound has come. Where it cannot be had, the voice that stands by
says it, at the same sample rate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import outcome
import structlog
import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Speaking, Speech, Synthesizer
from voice_trio.engines.remote.ends import FarEnd, FarEndFailed, FarEnds
from voice_trio.engines.remote.sayings import Sayer, Saying, Sound
from voice_trio.engines.speech import at_rate
from voice_trio.engines.voice import FASTEST, MAX_CHARS, SLOWEST, clean, has_sound
from voice_trio.waiting import alongside

log = structlog.get_logger("voice_trio")

_SHARE: Final = 0.5
"""Of a phrase's time, what the far ends have where another voice stands by."""
_LONGEST_S: Final = 5.0
_LONGEST_S_A_CHAR: Final = 0.5
"""A text's sound may be so long, and so much longer for each character: five times what a slow voice takes."""

_Send = trio.MemorySendChannel[outcome.Maybe[Speech]]


@dataclass(frozen=True, slots=True)
class Voices:
    """How texts are said."""

    ends: FarEnds
    sayer: Sayer
    local: Synthesizer | None
    """What stands by."""
    names: Sequence[str]
    """The usual one first."""
    sample_rate: int


class RemoteVoice:
    """Asks the far ends, and what stands by."""

    def __init__(self, voices: Voices) -> None:
        self.ends = voices.ends
        self.name = f"remote voice ({voices.ends.places})"
        self.sample_rate = voices.sample_rate
        self.voices = voices.names
        self._sayer = voices.sayer
        self._local = voices.local

    @property
    def ready(self) -> bool:
        """Whether a text would be spoken by anybody."""
        return not self.ends.all_rest or (self._local is not None and self._local.ready)

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text``, of at most `voice.MAX_CHARS` characters. Raises `EngineError` (TTS_FAIL)."""
        return Speaking(self._speaking(text, seconds, voice, speed))

    @asynccontextmanager
    async def _speaking(self, text: str, seconds: float, voice: str | None, speed: float) -> AsyncIterator[_Phrase]:
        # What reads from a connection is broken for good when it is cancelled, and `receive` may be: so a task of its
        # own reads, and only a wait on a channel is abandoned.
        send, pieces = trio.open_memory_channel[outcome.Maybe[Speech]](0)
        with pieces:
            async with alongside(partial(self._say, text, seconds, voice, speed, send)):
                yield _Phrase(pieces, seconds)

    async def _say(self, text: str, seconds: float, voice: str | None, speed: float, send: _Send) -> None:
        with send:
            try:
                if len(text) > MAX_CHARS:
                    raise EngineError(ErrorCode.TTS_FAIL, "The phrase is too long to speak.")
                if voice is not None and voice not in self.voices:
                    raise EngineError(ErrorCode.TTS_FAIL, "There is no such voice.")
                if not has_sound(text):
                    await send.send(outcome.Value(Speech(b"", self.sample_rate, last=True)))
                    return
                saying = Saying(clean(text), voice or self.voices[0], min(max(speed, SLOWEST), FASTEST))
                await self._sound(saying, seconds, send)
            except EngineError as error:
                await send.send(outcome.Error(error))

    async def _sound(self, saying: Saying, seconds: float, send: _Send) -> None:
        """Have ``saying`` said by whoever can be had. Raises `EngineError` (TTS_FAIL)."""
        until = trio.current_time() + seconds
        share = 1.0 if self._local is None else _SHARE

        async def begin(end: FarEnd) -> Sound:
            return await self._sayer.begin(end, saying)

        try:
            sound = await self.ends.ask(begin, seconds=seconds * share, goes_on=True)
        except FarEndFailed as error:
            if self._local is None:
                raise _failed(error) from error
            log.info("spoken here", reason=error.message)
            left_s = until - trio.current_time()
            speech = await self._local.speak(saying.text, seconds=left_s, speed=saying.speed)
            if speech.sample_rate != self.sample_rate:
                speech = await trio.to_thread.run_sync(at_rate, speech, self.sample_rate)
            await send.send(outcome.Value(replace(speech, last=True)))
            return
        is_judged = False
        try:
            async with sound.open:
                await self._pass_on(sound, saying, send)
            is_judged = True
            self.ends.worked(sound.end)
        except FarEndFailed as error:
            is_judged = True
            self.ends.failed(sound.end, error)
            raise _failed(error) from error
        finally:
            if not is_judged:
                self.ends.dropped(sound.end)

    async def _pass_on(self, sound: Sound, saying: Saying, send: _Send) -> None:
        """Send all of ``sound`` as it comes. Raises `FarEndFailed`."""
        place = sound.end.place
        longest_s = _LONGEST_S + _LONGEST_S_A_CHAR * len(saying.text) / saying.speed
        left = round(longest_s * self.sample_rate) * BYTES_PER_SAMPLE
        rest = b""
        part: bytes | None = sound.first
        while part is not None:
            left -= len(part)
            if left < 0:
                raise FarEndFailed(f"{place} speaks longer than any voice would: over {longest_s:.0f} seconds.")
            data = rest + part
            whole = len(data) - len(data) % BYTES_PER_SAMPLE
            rest = data[whole:]
            if whole:
                await send.send(outcome.Value(Speech(data[:whole], self.sample_rate)))
            with trio.move_on_after(self.ends.attempt_s) as limit:
                part = await sound.body.next()
            if limit.cancelled_caught:
                raise FarEndFailed(f"{place} fell silent in the middle of what it said.")
        if rest:
            raise FarEndFailed(f"{place} broke off in the middle of a sample.")


class _Phrase:
    """A text on its way."""

    def __init__(self, pieces: trio.MemoryReceiveChannel[outcome.Maybe[Speech]], seconds: float) -> None:
        self._pieces = pieces
        self._left_s = seconds

    async def receive(self) -> Speech | None:
        """Return the next piece; None after the last one. Raises `EngineError` (TTS_FAIL)."""
        asked_at = trio.current_time()
        try:
            with trio.move_on_after(self._left_s):
                try:
                    return (await self._pieces.receive()).unwrap()
                except trio.EndOfChannel:
                    return None
        finally:
            self._left_s = max(0.0, self._left_s - (trio.current_time() - asked_at))
        raise EngineError(ErrorCode.TTS_FAIL, "The voice took too long.")


def _failed(error: FarEndFailed) -> EngineError:
    return EngineError(ErrorCode.TTS_FAIL, f"The remote voice failed. {error.message}")
