"""How long engines take by themselves, with nothing of the server around them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import trio

from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, FRAME_BYTES, ms_to_samples
from voice_trio.core.history import prompt
from voice_trio.core.items import Words, said_id
from voice_trio.core.phrases import Phrase, PhraseAggregator
from voice_trio.core.speakable.text import Speakable
from voice_trio.engines.base import Engines, Finish, LanguageModel, Prompt, TextDelta


@dataclass(frozen=True, slots=True)
class Raw:
    """What one question took, in ms, each part after the one before it."""

    recognizer: float
    """From the last audio to the transcript, of a recognizer that had kept up."""
    first_token: float
    first_phrase: float
    """From the first token on."""
    voice: float
    """For the first phrase."""


async def measure_raw(engines: Engines, settings: Settings, pcm: bytes) -> Raw:
    """Return how long ``engines`` take for the question in ``pcm`` and the silence that ends it."""
    pcm += bytes(ms_to_samples(settings.vad_silence_ms) * BYTES_PER_SAMPLE)
    async with engines.recognizer.open(settings.language or None) as utterance:
        utterance.feed(pcm[:-FRAME_BYTES])
        await utterance.hypothesize()
        utterance.feed(pcm[-FRAME_BYTES:])
        asked_at = trio.current_time()
        transcript = await utterance.settle(len(pcm) // BYTES_PER_SAMPLE)
        heard_at = trio.current_time()
    token_at, phrase = await _first_phrase(engines.language_model, transcript.text, settings)
    written_at = trio.current_time()
    await engines.synthesizer.speak(Speakable().speak(phrase.text).text, seconds=settings.tts_timeout_s)
    spoken_at = trio.current_time()
    moments = (asked_at, heard_at, token_at, written_at, spoken_at)
    return Raw(*((after - before) * 1000 for before, after in pairwise(moments)))


async def _first_phrase(model: LanguageModel, said: str, settings: Settings) -> tuple[float, Phrase]:
    """Return when the first token came, and the first phrase."""
    items = [Words(id=said_id(1), by="person", text=said)]
    messages = prompt(items, system=settings.llm_system_prompt, budget_tokens=settings.memory_tokens)
    aggregator = PhraseAggregator()
    token_at = None
    async with model.stream(Prompt(messages)) as stream:
        while True:
            event = await stream.receive()
            token_at = token_at or trio.current_time()
            phrases = aggregator.push(event.text) if isinstance(event, TextDelta) else aggregator.finish()
            if phrases:
                return token_at, phrases[0]
            if isinstance(event, Finish):
                break
    raise RuntimeError("the language model wrote nothing")
