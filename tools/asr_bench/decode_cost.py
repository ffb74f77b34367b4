"""What partials and finals cost, as ratios of decodes timed one after another in one thread."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
import trio

from tools.asr_bench import models
from tools.asr_bench.speaking import TOKENS_PER_WORD, speaking
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.core.tail_window import WORTH_CUTTING
from voice_trio.engines.whisper import open_whisper
from voice_trio.engines.whisper_decode import PADDED_S, WhisperDecoder

Window = tuple[float, int]
"""Seconds of audio that a partial decoded, and the words of context before it."""


def median_s(
    decoder: WhisperDecoder, seconds: float, least_s: float, *, times: int = 5, timed: bool = False, words: int = 0
) -> float:
    """Return the median time of decodes of ``seconds`` of sound behind a context of ``words``, in seconds."""
    # The shape's tokenizer makes a token of each letter.
    context = "x" * round(words * TOKENS_PER_WORD)
    audio = (np.sin(np.arange(round(seconds * SAMPLE_RATE)) / 9) * 0.3).astype(np.float32)
    took = []
    for _ in range(times):
        began = time.perf_counter()
        decoder.decode(audio, language="en", least_s=least_s, timed=timed, context=context)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def windows(pcm: bytes, interval_s: float = 1.0) -> list[Window]:
    """Return the windows that partials of the trained model decode of ``pcm``, one a second.

    Random weights agree with nothing they said before, so the schedule is the trained model's and only its cost is the
    shape's.
    """
    seen: list[Window] = []
    async with (
        open_whisper(models.settings(models.TINY, asr_context="short")) as ears,
        ears.open("en") as utterance,
    ):
        step = round(interval_s * SAMPLE_RATE) * BYTES_PER_SAMPLE
        # The last second is the final's.
        for at in range(step, len(pcm), step):
            utterance.feed(pcm[at - step : at])
            begin, context = utterance._window.begin, utterance._window.before
            hypothesis = await utterance.hypothesize()
            seen.append(((hypothesis.through_sample - begin) / SAMPLE_RATE, len(context.split())))
    return seen


def cost_s(decoder: WhisperDecoder, seen: Iterable[Window]) -> float:
    """Return what partials over those windows cost in short contexts, in seconds.

    Windows are measured to half a second and ten words of context, so that many of them are alike.
    """
    worth_s = WORTH_CUTTING / SAMPLE_RATE
    alike = Counter((max(0.5, round(seconds * 2) / 2), round(words, -1)) for seconds, words in seen)
    return sum(
        count * median_s(decoder, seconds, 0, times=3, timed=seconds > worth_s, words=words)
        for (seconds, words), count in alike.items()
    )


def report(speech: Sequence[bytes]) -> None:
    """Measure and print; each of ``speech`` is 30 s of it."""
    decoder = speaking(models.decoder(models.shape("small"), asr_workers=2))
    median_s(decoder, 5, 0, times=2)
    short, padded = median_s(decoder, 5, 0, timed=True), median_s(decoder, 5, PADDED_S, timed=True)
    print(f"1. partial of 5 s, short {short:.2f} s, padded {padded:.2f} s: {short / padded:.2f} (limit 0.2)")

    long = [trio.run(windows, one) for one in speech]
    # The last of 8 s is the final's.
    first = [seen[:7] for seen in long]
    print(f"   windows of {len(long)} utterances of 30 s, in s:")
    for seen in long:
        print("     ", " ".join(f"{seconds:.0f}" for seconds, _ in seen))
    final, padded_final = median_s(decoder, 8, 0), median_s(decoder, 8, PADDED_S)
    eight, thirty = (cost_s(decoder, chain.from_iterable(part)) / len(long) for part in (first, long))
    finals = (eight + final) / final
    print(f"2. 8 s, partials {eight:.2f} s and a short final {final:.2f} s: {finals:.1f} finals (limit 6)")
    print(f"   with a padded final of {padded_final:.2f} s: {(eight + padded_final) / final:.1f} short finals")
    print(f"   partials of 30 s {thirty:.2f} s: {thirty / eight:.1f} times those of 8 s (limit 4.5)")
