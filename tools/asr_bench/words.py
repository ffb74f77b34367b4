"""Whether the words are right: the trained model on recordings that it has never heard."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

import numpy as np
import trio

from tests.tiny_whisper.training import held_out, recordings
from tools.asr_bench import models
from tools.latency import word_errors
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.transcript import TranscriptDiffer
from voice_trio.engines.whisper.context import spoken
from voice_trio.engines.whisper.decode import PADDED_S, WhisperDecoder, floats
from voice_trio.engines.whisper.plug import open_whisper


def word_error(decoder: WhisperDecoder, clips: Iterable[held_out.HeldOut], least_s: float) -> float:
    """Return the share of wrong words in finals of ``clips``."""
    wrong = said = 0
    for clip in clips:
        words = spoken(clip.words)
        wrong += word_errors(words, spoken(decoder.decode(floats(clip.pcm), language="en", least_s=least_s).text))
        said += len(words)
    return wrong / said


def stock_word_error(decoder: WhisperDecoder, clips: Iterable[held_out.HeldOut]) -> float:
    """Return the same for faster-whisper's own way."""
    wrong = said = 0
    for clip in clips:
        segments, _ = decoder._model.transcribe(floats(clip.pcm), language="en", beam_size=1, temperature=0.0)
        words = spoken(clip.words)
        wrong += word_errors(words, spoken(" ".join(segment.text for segment in segments)))
        said += len(words)
    return wrong / said


def empty_share(decoder: WhisperDecoder, count: int = 100, least_s: float = 0.0) -> float:
    """Return how many of ``count`` sounds that are no speech give no words."""
    empty = 0
    for seed in range(count):
        drawn = np.random.default_rng(1_000_000 + seed)
        audio = recordings.sound(recordings.SOUNDS[seed % len(recordings.SOUNDS)], float(drawn.uniform(1, 6)), drawn)
        empty += not decoder.decode(audio, language="en", least_s=least_s).text
    return empty / count


async def revisions(clips: Iterable[held_out.HeldOut]) -> tuple[float, float, int]:
    """Return the share of shown characters that later partials took back without the stable-prefix rule and with it,
    and how often stable text was revised, with a partial every 300 ms.
    """
    plain = ruled = shown = broken = 0
    async with open_whisper(models.settings(models.TINY, asr_context="short")) as recognizer:
        for clip in clips:
            differ, stable, before = TranscriptDiffer(), "", ""
            async with recognizer.open("en") as utterance:
                step = SAMPLE_RATE * 3 // 10 * BYTES_PER_SAMPLE
                for at in range(0, len(clip.pcm), step):
                    utterance.feed(clip.pcm[at : at + step])
                    text = (await utterance.hypothesize()).text
                    kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, text, strict=False)))
                    plain += len(before) - kept
                    shown += len(text) - kept
                    before, was = text, differ.text
                    delta = differ.push(text)
                    if delta is not None:
                        ruled += len(was) - delta.keep
                    broken += not differ.text.startswith(stable)
                    stable = differ.text[: differ.stable]
    return plain / shown, ruled / shown, broken


def report() -> None:
    """Measure and print."""
    decoder = models.decoder(models.TINY)
    clips = held_out.read()
    for kind in ("held-out", "stranger"):
        part = [clip for clip in clips if clip.kind == kind]
        short, padded = word_error(decoder, part, 0.0), word_error(decoder, part, PADDED_S)
        stock = stock_word_error(decoder, part)
        limit = " (limit 5 %)" if kind == "held-out" else ""
        print(
            f"7. {kind}, {len(part)} recordings: word error short {short:.1%}, padded {padded:.1%}, "
            f"faster-whisper's own {stock:.1%}{limit}"
        )
    known = [clip for clip in clips if clip.kind == "held-out"]
    plain, ruled, broken = trio.run(revisions, known[:30])
    print(
        f"   characters taken back: {plain:.1%} without the stable prefix, {ruled:.1%} with it; "
        f"stable text revised {broken} times"
    )
    print(f"   silence, noise, music, clicks, coughs: {empty_share(decoder):.0%} empty (limit 95 %)")
