"""A reply as it is spoken: phrases in, paced audio out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import trio

from voice_trio.config import CHUNK_MS
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.heard import SpokenPhrase
from voice_trio.core.messages import Event, TtsChunk, TtsPhrase, TtsPhraseDone, TtsWords
from voice_trio.core.phrases import Phrase
from voice_trio.core.playout import Playout
from voice_trio.core.speakable.text import Speakable, Spoken as SpokenText
from voice_trio.core.timeline import Stage
from voice_trio.engines.base import EngineError, Speech
from voice_trio.session.outlet import Outlet, Watch
from voice_trio.session.playback import Playback
from voice_trio.session.report import failure
from voice_trio.session.voice import Voice
from voice_trio.standing import awaited

_PIECES_AHEAD = 16
"""Pieces of a phrase that are made before there is room for them in front of the listener. A voice that makes more of
them, or shorter ones, is waited for the longer."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A phrase with its first piece of speech, or with the reason why it has none."""

    phrase: Phrase
    spoken: SpokenText
    first: Speech | EngineError
    rest: trio.MemoryReceiveChannel[Speech | EngineError] | None
    """Where the others come, if ``first`` is not all of it."""

    def close(self) -> None:
        """Take no more of them."""
        if self.rest is not None:
            self.rest.close()


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
            nursery.start_soon(_synthesize, phrases, voice, ready_in, nursery, outlet)
            async for item in ready:
                with closing(item):
                    if isinstance(item.first, EngineError):
                        await self._skip(item, item.first, outlet)
                    else:
                        await self._play(item, item.first, outlet)
            # The turn is not over while its last words are still on their way to somebody's ears.
            with awaited("player"):
                await self.playback.wait_heard()

    async def _skip(self, item: _Ready, error: EngineError, outlet: Outlet) -> None:
        self.phrases.append(_placed(item.phrase, self.playback.queued))
        await outlet.say(failure(error, self._turn, phrase=item.phrase.index))
        await outlet.say(TtsPhraseDone(turn=self._turn, phrase=item.phrase.index, samples=0))

    async def _play(self, item: _Ready, first: Speech, outlet: Outlet) -> None:
        phrase = item.phrase
        if first.samples and not self._begun:
            self._begun = True
            await outlet.say(self._begin_audio)
        nothing = _placed(phrase, self.playback.queued)
        placed = _with(nothing, item, first)
        self.phrases.append(placed)
        await outlet.say(
            TtsPhrase(
                turn=self._turn,
                phrase=phrase.index,
                start=phrase.start,
                end=phrase.end,
                sample_rate=first.sample_rate,
                # Some of its words would be taken for all of them.
                words=(_words(nothing, placed) or None) if placed.whole else None,
                phonemes=(first.phonemes or None) if placed.whole else None,
            )
        )
        if not placed.whole:
            await self._say_places(phrase, nothing, placed, first, outlet)
        await self._send(phrase, first, outlet)
        while item.rest is not None and not placed.whole:
            piece = await item.rest.receive()
            if isinstance(piece, EngineError):
                await outlet.say(failure(piece, self._turn, phrase=phrase.index))
                break
            before, placed = placed, _with(placed, item, piece)
            self.phrases[-1] = placed
            await self._say_places(phrase, before, placed, piece, outlet)
            await self._send(phrase, piece, outlet)
        await outlet.say(TtsPhraseDone(turn=self._turn, phrase=phrase.index, samples=placed.samples))

    async def _say_places(
        self, phrase: Phrase, before: SpokenPhrase, after: SpokenPhrase, piece: Speech, outlet: Outlet
    ) -> None:
        """Say where the words and the phonemes of ``piece`` begin, by which ``before`` has become ``after``."""
        words = _words(before, after)
        phonemes = tuple((before.samples + sample, symbol) for sample, symbol in piece.phonemes)
        if words or phonemes:
            await outlet.say(TtsWords(turn=self._turn, phrase=phrase.index, words=words, phonemes=phonemes or None))

    async def _send(self, phrase: Phrase, speech: Speech, outlet: Outlet) -> None:
        step = ms_to_samples(CHUNK_MS, speech.sample_rate) * BYTES_PER_SAMPLE
        for at in range(0, len(speech.pcm), step):
            pcm = speech.pcm[at : at + step]
            samples = len(pcm) // BYTES_PER_SAMPLE
            with awaited("player"):
                await self.playback.wait_room(samples, speech.sample_rate)
            first = self.playback.queued
            await outlet.say(TtsChunk(turn=self._turn, phrase=phrase.index, seq=self._seq, first_sample=first, pcm=pcm))
            # Not before: a turn that ends while a chunk waits at the door never says it.
            self.playback.queue(samples, speech.sample_rate)
            self._seq += 1


async def _synthesize(
    phrases: trio.MemoryReceiveChannel[Phrase],
    voice: Voice,
    ready: trio.MemorySendChannel[_Ready],
    nursery: trio.Nursery,
    outlet: Outlet,
) -> None:
    speakable = Speakable()
    async with ready, phrases:
        async for phrase in phrases:
            spoken = speakable.speak(phrase.text)
            with _Handing(phrase, spoken, ready, nursery) as handing:
                with outlet.during(Stage.SYNTHESIS) as watch:
                    await voice.say(spoken.text, partial(handing.take, watch))
                await handing.wait_taken()


class _Handing:
    """A phrase on its way from the voice to the player, which may be at the phrase before it.

    One that is a single piece is just handed over. Of any other the rest is made while its first piece waits.
    """

    def __init__(
        self, phrase: Phrase, spoken: SpokenText, ready: trio.MemorySendChannel[_Ready], nursery: trio.Nursery
    ) -> None:
        self._phrase = phrase
        self._spoken = spoken
        self._ready = ready
        self._nursery = nursery
        self._rest: trio.MemorySendChannel[Speech | EngineError] | None = None
        self._item: _Ready | None = None
        self._taken = trio.Event()

    def __enter__(self) -> _Handing:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._rest is not None:
            self._rest.close()
        if self._item is not None and not self._taken.is_set():
            # Nobody will ever take it.
            self._item.close()

    async def take(self, watch: Watch, piece: Speech | EngineError) -> None:
        """Stop ``watch``, and hand on the next piece, or why there is none; wait for a place for it."""
        watch.stop()
        if self._rest is not None:
            await self._rest.send(piece)
        elif isinstance(piece, EngineError) or piece.last:
            await self._ready.send(_Ready(self._phrase, self._spoken, piece, None))
        else:
            self._rest, rest = trio.open_memory_channel[Speech | EngineError](_PIECES_AHEAD)
            self._item = _Ready(self._phrase, self._spoken, piece, rest)
            self._nursery.start_soon(self._hand_over, self._item)

    async def _hand_over(self, item: _Ready) -> None:
        await self._ready.send(item)
        self._taken.set()

    async def wait_taken(self) -> None:
        """Wait until the player is at this phrase; no other is begun before."""
        if self._rest is not None:
            await self._taken.wait()


def _placed(phrase: Phrase, first_sample: int) -> SpokenPhrase:
    """Return ``phrase`` in its place, before anything of it is said."""
    return SpokenPhrase(start=phrase.start, end=phrase.end, first_sample=first_sample, samples=0, words=(), whole=False)


def _with(placed: SpokenPhrase, item: _Ready, speech: Speech) -> SpokenPhrase:
    """Return ``placed`` with ``speech`` after what there is of it."""
    begins_at = placed.first_sample + placed.samples
    words = [*placed.words]
    for mark in speech.marks:
        place = placed.start + item.spoken.source_at(mark.char)
        sample = begins_at + mark.sample
        # What is written as one word can be said in several: "$5" is two, at one place. And of two words that begin
        # with one sample, only one can be shown.
        if place < placed.end and (not words or (sample > words[-1][0] and place > words[-1][1])):
            words.append((sample, place))
    samples = placed.samples + speech.samples
    return replace(placed, samples=samples, words=tuple(words), whole=speech.last)


def _words(before: SpokenPhrase, after: SpokenPhrase) -> tuple[tuple[int, int], ...]:
    """Return the words that ``after`` has more than ``before``, counted from the phrase's first sample."""
    return tuple((at - after.first_sample, char) for at, char in after.words[len(before.words) :])
