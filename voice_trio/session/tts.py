"""The turn's voice: phrases in, paced audio out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import trio

from voice_trio.config import CHUNK_MS
from voice_trio.core.audio import BYTES_PER_SAMPLE, ms_to_samples
from voice_trio.core.heard import SpokenPhrase
from voice_trio.core.messages import Error, ErrorCode, Event, TtsChunk, TtsPhrase, TtsPhraseDone
from voice_trio.core.phrases import Phrase
from voice_trio.core.speakable import Speakable, Spoken
from voice_trio.engines.base import EngineError, Mark, Speech, Synthesizer
from voice_trio.session.playback import Playback


@dataclass(frozen=True, slots=True)
class _Utterable:
    """A phrase with its speech, or with the reason why it has none."""

    phrase: Phrase
    spoken: Spoken
    speech: Speech | EngineError


async def speak(
    phrases: trio.MemoryReceiveChannel[Phrase],
    synthesizer: Synthesizer,
    playback: Playback,
    said: list[SpokenPhrase],
    *,
    turn: int,
    voice: str | None,
    speed: float,
    timeout_s: float,
    emit: Callable[[Event], Awaitable[None]],
    begin_audio: Callable[[], Awaitable[None]],
) -> None:
    """Speak ``phrases`` in order until their channel is closed and all of it can have been heard.

    One phrase is synthesised ahead of the one that is going out. Each goes into ``said`` as its audio begins to go out.
    ``begin_audio`` is awaited once, before the first event about a phrase that has sound. A phrase that the voice
    cannot say within ``timeout_s`` is an error event, and skipped.
    """
    ready_in, ready = trio.open_memory_channel[_Utterable](0)
    async with ready, trio.open_nursery() as nursery:
        nursery.start_soon(_synthesize, phrases, synthesizer, ready_in, voice, speed, timeout_s)
        begun = False
        seq = 0
        async for item in ready:
            phrase = item.phrase
            if isinstance(item.speech, EngineError):
                said.append(_placed(item, Speech(b"", synthesizer.sample_rate), playback.queued, failed=True))
                await emit(
                    Error(
                        code=item.speech.code,
                        message=item.speech.message,
                        recoverable=True,
                        turn=turn,
                        phrase=phrase.index,
                    )
                )
                await emit(TtsPhraseDone(turn=turn, phrase=phrase.index, samples=0))
                continue
            speech = item.speech
            if speech.samples and not begun:
                begun = True
                await begin_audio()
            placed = _placed(item, speech, playback.queued)
            said.append(placed)
            await emit(
                TtsPhrase(
                    turn=turn,
                    phrase=phrase.index,
                    start=phrase.start,
                    end=phrase.end,
                    sample_rate=synthesizer.sample_rate,
                    words=tuple((at - placed.first_sample, char) for at, char in placed.words) or None,
                )
            )
            step = ms_to_samples(CHUNK_MS, speech.sample_rate) * BYTES_PER_SAMPLE
            for at in range(0, len(speech.pcm), step):
                pcm = speech.pcm[at : at + step]
                await playback.wait_room(len(pcm) // BYTES_PER_SAMPLE, speech.sample_rate)
                chunk = TtsChunk(turn=turn, phrase=phrase.index, seq=seq, first_sample=playback.queued, pcm=pcm)
                await emit(chunk)
                # Not before: a turn that ends while a chunk waits at the door never says it.
                playback.queue(len(pcm) // BYTES_PER_SAMPLE, speech.sample_rate)
                seq += 1
            await emit(TtsPhraseDone(turn=turn, phrase=phrase.index, samples=speech.samples))
        # The turn is not over while its last words are still on their way to somebody's ears.
        await playback.wait_heard()


async def _synthesize(
    phrases: trio.MemoryReceiveChannel[Phrase],
    synthesizer: Synthesizer,
    ready: trio.MemorySendChannel[_Utterable],
    voice: str | None,
    speed: float,
    timeout_s: float,
) -> None:
    speakable = Speakable()
    async with ready, phrases:
        async for phrase in phrases:
            spoken = speakable.speak(phrase.text)
            speech: Speech | EngineError = Speech(b"", synthesizer.sample_rate)
            if spoken.text:
                speech = EngineError(ErrorCode.TTS_FAIL, f"A phrase was not spoken within {timeout_s:g} seconds.")
                with trio.move_on_after(timeout_s):
                    try:
                        made = await synthesizer.speak(spoken.text, seconds=timeout_s, voice=voice, speed=speed)
                        speech = _playable(made, synthesizer.sample_rate, spoken.text)
                    except EngineError as error:
                        speech = error
            await ready.send(_Utterable(phrase, spoken, speech))


def _playable(speech: Speech, sample_rate: int, text: str) -> Speech:
    """Return ``speech``, without word positions that cannot be. Raises `EngineError` (TTS_FAIL) if it is no sound."""
    if len(speech.pcm) % BYTES_PER_SAMPLE or speech.sample_rate != sample_rate:
        raise EngineError(ErrorCode.TTS_FAIL, "The voice made no sound that can be played.")
    places = [Mark(0, 0), *speech.marks, Mark(speech.samples, len(text))]
    rising = all(mark.sample <= after.sample and mark.char <= after.char for mark, after in pairwise(places))
    return speech if rising else replace(speech, marks=())


def _placed(item: _Utterable, speech: Speech, first_sample: int, *, failed: bool = False) -> SpokenPhrase:
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
