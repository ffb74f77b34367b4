"""A voice that does as it is told; `scripted` has it as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import trio

from voice_trio.core.audio import ms_to_samples
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, Mark, Phoneme, Speaking, Speech
from voice_trio.waiting import Wait

VOICED = (1).to_bytes(2, "little")
"""A sample that a `ScriptedDetector` takes for speech."""


@dataclass
class ScriptedSynthesizer:
    """Says every text as a steady tone of ``char_ms`` a character, and knows where each word begins."""

    char_ms: int = 50
    speak_s: float = 0.02
    """How long each piece takes."""
    pieces: int = 1
    """A text comes in so many, if it has as many words."""
    fails: Sequence[EngineError | None] = ()
    """Raised by the first texts, one each; None lets that one be."""
    hangs: frozenset[int] = frozenset()
    """Texts, counted from 0, that take for ever."""
    after: int = 0
    """So many pieces of a text come before it fails or takes for ever."""
    knows_words: bool = True
    name: str = "scripted"
    sample_rate: int = 16_000
    voices: Sequence[str] = ("scripted",)
    ready: bool = True
    spoken: list[str] = field(default_factory=list)
    """The texts it was asked to say, in order."""
    open_now: int = 0
    """Texts that it is at, at this moment."""
    crashes: int = 0
    """So often its workers were killed; what they were saying is lost."""

    def kill_workers(self) -> None:
        """Do as if there were any."""
        self.crashes += 1

    def speak(self, text: str, *, seconds: float, voice: str | None = None, speed: float = 1.0) -> Speaking:
        """Say ``text``."""
        return Speaking(_ScriptedPieces(self, text, speed))

    def said(self, piece: Speech, number: int) -> Speech:
        """Return what is given as piece ``number`` of a text, from 0; one that is odd gives something else."""
        return piece


class _ScriptedPieces:
    """Says a text word by word, so many words a piece."""

    def __init__(self, voice: ScriptedSynthesizer, text: str, speed: float) -> None:
        words = text.split(" ")
        starts = [*accumulate((len(word) + 1 for word in words[:-1]), initial=0)]
        count = min(voice.pieces, len(words))
        self._voice = voice
        self._text = text
        self._per_char = int(ms_to_samples(voice.char_ms, voice.sample_rate) / speed)
        self._starts = [starts[len(words) * n // count : len(words) * (n + 1) // count] for n in range(count)]
        """Of the words of each piece."""
        self._call = 0
        self._given = 0
        self._wait = Wait()

    async def __aenter__(self) -> _ScriptedPieces:
        self._call = len(self._voice.spoken)
        self._voice.spoken.append(self._text)
        self._voice.open_now += 1
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._voice.open_now -= 1

    async def receive(self) -> Speech | None:
        voice, number = self._voice, self._given
        if number >= len(self._starts):
            await trio.lowlevel.checkpoint()
            return None
        if self._call in voice.hangs and number == voice.after:
            await trio.sleep_forever()
        crashes = voice.crashes
        if voice.speak_s:
            await self._wait(voice.speak_s)
        else:
            await trio.lowlevel.checkpoint()
        if crashes != voice.crashes:
            raise EngineError(ErrorCode.TTS_FAIL, "The voice failed.")
        if voice.fails and number == voice.after:
            error, *voice.fails = voice.fails
            if error is not None:
                raise error
        self._given += 1
        return voice.said(self._piece(number), number)

    def _piece(self, number: int) -> Speech:
        starts = self._starts[number]
        last = number == len(self._starts) - 1
        end = len(self._text) if last else self._starts[number + 1][0]
        marks = [Mark((start - starts[0]) * self._per_char, start) for start in starts if self._voice.knows_words]
        # Each letter is a phoneme.
        phonemes = [
            Phoneme((at - starts[0]) * self._per_char, self._text[at])
            for at in range(starts[0], end)
            if self._text[at].isalpha() and self._voice.knows_words
        ]
        pcm = VOICED * (self._per_char * (end - starts[0]))
        return Speech(pcm, self._voice.sample_rate, tuple(marks), tuple(phonemes), last=last)
