"""A reply as it is spoken: phrases in, paced audio out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import trio

from voice_trio.config import CHUNK_MS
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.heard import SpokenPhrase
from voice_trio.core.messages import ErrorCode, Event, TtsChunk, TtsPhrase, TtsPhraseDone
from voice_trio.core.phrases import Phrase
from voice_trio.core.playout import Playout
from voice_trio.core.speakable.text import Speakable
from voice_trio.core.speakable.text import Spoken as SpokenText
from voice_trio.engines.base import EngineError, Mark, Speech, Synthesizer
from voice_trio.session.outlet import Outlet
from voice_trio.session.playback import Playback
from voice_trio.session.report import failure


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    synthesizer: Synthesizer
    name: str | None
    """Of the synthesizer's voices; None for its own choice."""
    speed: float
    timeout_s: float
    """How long a phrase may take."""
    phonemes: bool = False
    """Whether the client is told of them."""

    async def say(self, text: str) -> Speech | EngineError:
        """Return the speech that ``text`` is, or why there is none."""
        silence = Speech(b"", self.synthesizer.sample_rate)
        if not text:
            return silence
        with trio.move_on_after(self.timeout_s):
            try:
                made = await self.synthesizer.speak(text, seconds=self.timeout_s, voice=self.name, speed=self.speed)
                return _playable(made, self.synthesizer.sample_rate, text)
            except EngineError as error:
                return error
        return EngineError(ErrorCode.TTS_FAIL, f"A phrase was not spoken within {self.timeout_s:g} seconds.")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A phrase with its speech, or with the reason why it has none."""

    phrase: Phrase
    spoken: SpokenText
    speech: Speech | EngineError


class Spoken:
    """The phrases of one reply, as they go out."""

    def __init__(self, turn: int, playout: Playout, begin_audio: Callable[[], Event]) -> None:
        """``begin_audio`` makes the event that goes before the first one about a phrase that has sound."""
        self.phrases: list[SpokenPhrase] = []
        """Each is here as soon as its audio begins to go out."""
        self.playback = Playback(playout)
        self._turn = turn
        self._begin_audio = begin_audio
        self._begun = False
        self._seq = 0

    async def speak(self, phrases: trio.MemoryReceiveChannel[Phrase], voice: Voice, outlet: Outlet) -> None:
        """Speak ``phrases`` in order until their channel is closed and all of it can have been heard.

        One phrase is synthesized ahead of the one that is going out. One that the voice cannot say in time is an error
        event, and skipped.
        """
        ready_in, ready = trio.open_memory_channel[_Ready](0)
        async with ready, trio.open_nursery() as nursery:
            nursery.start_soon(_synthesize, phrases, voice, ready_in)
            async for item in ready:
                if isinstance(item.speech, EngineError):
                    await self._skip(item, item.speech, voice, outlet)
                else:
                    await self._play(item, item.speech, voice, outlet)
            # The turn is not over while its last words are still on their way to somebody's ears.
            await self.playback.wait_heard()

    async def _skip(self, item: _Ready, error: EngineError, voice: Voice, outlet: Outlet) -> None:
        silence = Speech(b"", voice.synthesizer.sample_rate)
        self.phrases.append(_placed(item, silence, self.playback.queued, failed=True))
        await outlet.say(failure(error, self._turn, phrase=item.phrase.index))
        await outlet.say(TtsPhraseDone(turn=self._turn, phrase=item.phrase.index, samples=0))

    async def _play(self, item: _Ready, speech: Speech, voice: Voice, outlet: Outlet) -> None:
        phrase = item.phrase
        if speech.samples and not self._begun:
            self._begun = True
            await outlet.say(self._begin_audio)
        placed = _placed(item, speech, self.playback.queued)
        self.phrases.append(placed)
        await outlet.say(
            TtsPhrase(
                turn=self._turn,
                phrase=phrase.index,
                start=phrase.start,
                end=phrase.end,
                sample_rate=voice.synthesizer.sample_rate,
                words=tuple((at - placed.first_sample, char) for at, char in placed.words) or None,
                phonemes=(speech.phonemes or None) if voice.phonemes else None,
            )
        )
        step = ms_to_samples(CHUNK_MS, speech.sample_rate) * BYTES_PER_SAMPLE
        for at in range(0, len(speech.pcm), step):
            pcm = speech.pcm[at : at + step]
            samples = len(pcm) // BYTES_PER_SAMPLE
            await self.playback.wait_room(samples, speech.sample_rate)
            first = self.playback.queued
            await outlet.say(TtsChunk(turn=self._turn, phrase=phrase.index, seq=self._seq, first_sample=first, pcm=pcm))
            # Not before: a turn that ends while a chunk waits at the door never says it.
            self.playback.queue(samples, speech.sample_rate)
            self._seq += 1
        await outlet.say(TtsPhraseDone(turn=self._turn, phrase=phrase.index, samples=speech.samples))


async def _synthesize(
    phrases: trio.MemoryReceiveChannel[Phrase], voice: Voice, ready: trio.MemorySendChannel[_Ready]
) -> None:
    speakable = Speakable()
    async with ready, phrases:
        async for phrase in phrases:
            spoken = speakable.speak(phrase.text)
            await ready.send(_Ready(phrase, spoken, await voice.say(spoken.text)))


def _playable(speech: Speech, sample_rate: int, text: str) -> Speech:
    """Return ``speech``, without word positions that cannot be. Raises `EngineError` (TTS_FAIL) if it is no sound."""
    if len(speech.pcm) % BYTES_PER_SAMPLE or speech.sample_rate != sample_rate:
        raise EngineError(ErrorCode.TTS_FAIL, "The voice made no sound that can be played.")
    places = [Mark(0, 0), *speech.marks, Mark(speech.samples, len(text))]
    rising = all(mark.sample <= after.sample and mark.char <= after.char for mark, after in pairwise(places))
    sounds = [0, *(phoneme.sample for phoneme in speech.phonemes), speech.samples]
    in_order = all(sample <= after for sample, after in pairwise(sounds))
    return replace(speech, marks=speech.marks if rising else (), phonemes=speech.phonemes if in_order else ())


def _placed(item: _Ready, speech: Speech, first_sample: int, *, failed: bool = False) -> SpokenPhrase:
    phrase = item.phrase
    words: list[tuple[int, int]] = []
    for mark in speech.marks:
        place = phrase.start + item.spoken.source_at(mark.char)
        # What is written as one word can be said in several: "$5" is two, at one place.
        if place < phrase.end and (not words or place > words[-1][1]):
            words.append((first_sample + mark.sample, place))
    return SpokenPhrase(
        start=phrase.start,
        end=phrase.end,
        first_sample=first_sample,
        samples=speech.samples,
        words=tuple(words),
        failed=failed,
    )
