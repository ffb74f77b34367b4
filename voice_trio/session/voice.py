"""Who speaks a reply, and how: a text in, the pieces of its speech out, under a limit of time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Mark, Speech, Synthesizer
from voice_trio.engines.speech import unplayable

Take = Callable[[Speech | EngineError], Awaitable[None]]
"""Takes the pieces of one text, in order: the last one says so, and an error comes after all others."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    synthesizer: Synthesizer
    name: str | None
    """Of the synthesizer's voices; None for its own choice."""
    speed: float
    timeout_s: float
    """How long a phrase may take, without the time that its pieces wait to be taken."""
    phonemes: bool = False
    """Whether the client is told of them."""

    async def say(self, text: str, take: Take) -> None:
        """Have ``take`` each piece of the speech that ``text`` is, or why there is no more of it.

        The synthesizer has no part in it any more when the last one is taken.
        """
        if not text:
            await take(Speech(b"", self.synthesizer.sample_rate, last=True))
            return
        last: Speech | EngineError
        with trio.move_on_after(self.timeout_s) as limit:
            try:
                last = await self._pieces(text, take, limit)
            except EngineError as error:
                last = error
        if limit.cancelled_caught:
            last = EngineError(ErrorCode.TTS_FAIL, f"A phrase was not spoken within {self.timeout_s:g} seconds.")
        await take(last)

    async def _pieces(self, text: str, take: Take, limit: trio.CancelScope) -> Speech:
        """Have ``take`` all pieces but the last, which is returned. Raises `EngineError` (TTS_FAIL)."""
        synthesizer = self.synthesizer
        speaking = synthesizer.speak(text, seconds=self.timeout_s, voice=self.name, speed=self.speed)
        said: Speech | None = None
        async with speaking as pieces:
            while (piece := await pieces.receive()) is not None:
                said = self._playable(piece, text)
                if said.last:
                    return said
                if said.samples:
                    left_s = limit.deadline - trio.current_time()
                    limit.deadline = inf
                    await take(said)
                    limit.deadline = trio.current_time() + left_s
        if said is None:
            raise unplayable()
        return Speech(b"", synthesizer.sample_rate, last=True)

    def _playable(self, speech: Speech, text: str) -> Speech:
        """Return ``speech`` without places that cannot be, or that nobody asked for.

        Raises `EngineError` (TTS_FAIL) if it is no sound.
        """
        if len(speech.pcm) % BYTES_PER_SAMPLE or speech.sample_rate != self.synthesizer.sample_rate:
            raise unplayable()
        places = [Mark(0, 0), *speech.marks, Mark(speech.samples, len(text))]
        rising = all(mark.sample <= after.sample and mark.char <= after.char for mark, after in pairwise(places))
        sounds = [0, *(phoneme.sample for phoneme in speech.phonemes), speech.samples]
        told = self.phonemes and all(sample <= after for sample, after in pairwise(sounds))
        return replace(speech, marks=speech.marks if rising else (), phonemes=speech.phonemes if told else ())
