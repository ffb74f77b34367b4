"""What partials and finals cost, as ratios of decodes timed one after another in one thread."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import trio

from tools.asr_bench import models
from tools.asr_bench.speaking import TOKENS_PER_WORD, speaking
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.engines.whisper.decode import PADDED_S, WhisperDecoder
from voice_trio.engines.whisper.plug import open_whisper


class Window(NamedTuple):
    """What a partial decoded."""

    seconds: float
    words: int
    """Of context before it."""
    timed: bool
    """Whether its words' places were asked for."""


_FIRST = round(0.3 * SAMPLE_RATE) * BYTES_PER_SAMPLE
"""What there is when an utterance begins: the sound from before somebody was heard to speak."""


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


async def windows(pcm: bytes) -> list[Window]:
    """Return the windows that partials of the trained model decode of ``pcm`` when they are asked for as a session
    does: as soon as there is something to hear, then one a second.

    Random weights agree with nothing they said before, so the schedule is the trained model's and only its cost is the
    shape's.
    """
    seen: list[Window] = []
    async with (
        open_whisper(models.settings(models.TINY, asr_context="short")) as recognizer,
        recognizer.open("en") as utterance,
    ):
        place, placed = recognizer.decoder._placed, 0

        def counted(*given: Any) -> Any:
            nonlocal placed
            placed += 1
            return place(*given)

        recognizer.decoder._placed = counted  # type: ignore[method-assign, assignment]
        fed = 0
        for at in range(_FIRST, len(pcm), SAMPLE_RATE * BYTES_PER_SAMPLE):
            utterance.feed(pcm[fed:at])
            fed = at
            begin, context = utterance._window.begin, utterance._window.before
            before = placed
            hypothesis = await utterance.hypothesize()
            seconds = (hypothesis.through_sample - begin) / SAMPLE_RATE
            seen.append(Window(seconds, len(context.split()), placed > before))
    return seen


def cost_s(decoder: WhisperDecoder, seen: Iterable[Window]) -> float:
    """Return what partials over those windows cost in short contexts, in seconds.

    Windows are measured to half a second and ten words of context, so that many of them are alike.
    """
    alike = Counter(Window(max(0.5, round(one.seconds * 2) / 2), round(one.words, -1), one.timed) for one in seen)
    return sum(
        count * median_s(decoder, one.seconds, 0, timed=one.timed, words=one.words) for one, count in alike.items()
    )


def report(speech: Sequence[bytes]) -> None:
    """Measure and print; each of ``speech`` is 30 s of it."""
    decoder = speaking(models.decoder(models.shape("small"), asr_workers=2))
    median_s(decoder, 5, 0, times=2)
    short, padded = median_s(decoder, 5, 0, timed=True), median_s(decoder, 5, PADDED_S, timed=True)
    print(f"1. partial of 5 s, short {short:.2f} s, padded {padded:.2f} s: {short / padded:.2f} (limit 0.2)")

    long = [trio.run(windows, one) for one in speech]
    first = [seen[:8] for seen in long]
    print(f"   windows of {len(long)} utterances of 30 s, in s:")
    for seen in long:
        print("     ", " ".join(f"{one.seconds:.0f}" for one in seen))
    final, padded_final = median_s(decoder, 8, 0), median_s(decoder, 8, PADDED_S)
    eight, thirty = (cost_s(decoder, chain.from_iterable(part)) / len(long) for part in (first, long))
    finals = (eight + final) / final
    print(f"2. 8 s, partials {eight:.2f} s and a short final {final:.2f} s: {finals:.1f} finals (limit 6)")
    print(f"   with a padded final of {padded_final:.2f} s: {(eight + padded_final) / final:.1f} short finals")
    print(f"   partials of 30 s {thirty:.2f} s: {thirty / eight:.1f} times those of 8 s (limit 4.5)")
