"""Measures the neural voice: are its words understood, its seams short, its samples whole, its marks in place?

    python tools/bench_voice.py                  200 replies, heard again by the Whisper of STREAM_MODEL_WHISPER
    python tools/bench_voice.py --first 20       only so many of them
    python tools/bench_voice.py --without-words  everything but the recognizer

The replies are those of tests/utterances/replies.txt, one a line, with what is said behind an arrow where it is not
what is written. Each goes the way of a reply: cut into phrases, written as it is said, spoken phrase by phrase, joined.
What Whisper writes is compared as it is said, so "10:30" is "ten thirty".

Marks are compared with a forced alignment: pocketsphinx is told the words and finds where each begins, in steps of
10 ms. Beside it stands the same for espeak, whose marks are exact; what the ruler says of those is its own error.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import numpy as np
import trio

from tools.latency import word_errors
from tools.proc import machine
from tools.said import said
from voice_trio import config, log
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.phrases import PhraseAggregator
from voice_trio.core.speakable import Speakable
from voice_trio.engines.hibari.voice import TwoVoices, open_hibari

REPLIES = Path(__file__).parent.parent / "tests" / "utterances" / "replies.txt"
QUIET = 0.01
"""A sample of no more than this, where full scale is 1.0, is silence."""
SEAM_MS = 80
MARK_MS = 40
CONTEXT_S = 15.0
"""What Whisper is given, as finals are."""
_SECONDS = 60.0
_CLOCK = re.compile(r"(?<=\d)\.(?=[0-5]\d\b)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply."""

    text: str
    words: str
    """What is said."""

    @property
    def plain(self) -> bool:
        """Whether it is written as it is said."""
        return self.words == self.text


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a voice said it."""

    wave: np.ndarray
    """int16."""
    rate: int
    begins: Sequence[int]
    """The sample at which each word is said to begin."""

    @property
    def longest_pause_ms(self) -> float:
        """Of the silences between its first sound and its last."""
        (sounding,) = np.nonzero(np.abs(self.wave.astype(np.float64)) > QUIET * 32768)
        return max((after - before - 1) * 1000 / self.rate for before, after in pairwise(sounding))

    @property
    def clipped(self) -> int:
        """Samples at full scale."""
        return int((np.abs(self.wave.astype(np.int32)) >= 32767).sum())

    def heard(self) -> np.ndarray:
        """Return it as recognizers take it, float32 at 16 kHz, with a little silence around it."""
        import soxr

        around = np.zeros(SAMPLE_RATE // 5, np.float32)
        wave = soxr.resample(self.wave.astype(np.float32) / 32768, self.rate, SAMPLE_RATE)
        return np.concatenate([around, wave, around])


def errors(reply: Reply, heard: str) -> int:
    """Return how many words of ``reply`` are wrong in ``heard``, in which "10.30" may be a time."""
    expected = said(reply.words)
    return min(word_errors(expected, said(reading)) for reading in (heard, _CLOCK.sub(":", heard)))


def read() -> list[Reply]:
    """Return the replies."""
    lines = (line.partition(" => ") for line in REPLIES.read_text().splitlines())
    return [Reply(text, words or text) for text, _, words in lines]


async def speak(voice: TwoVoices, reply: Reply, name: str | None = None) -> Spoken:
    """Have ``reply`` said as a session has it said."""
    aggregator, speakable = PhraseAggregator(), Speakable()
    phrases = [*(phrase for token in re.findall(r"\s*\S+", reply.text) for phrase in aggregator.push(token))]
    phrases += aggregator.finish()
    waves: list[np.ndarray] = []
    begins: list[int] = []
    length = 0
    for phrase in phrases:
        async with voice.speak(speakable.speak(phrase.text).text, seconds=_SECONDS, voice=name) as pieces:
            while (piece := await pieces.receive()) is not None:
                waves.append(np.frombuffer(piece.pcm, "<i2"))
                begins += [length + mark.sample for mark in piece.marks]
                length += len(waves[-1])
    return Spoken(np.concatenate(waves), voice.sample_rate, begins)


def away_ms(replies: Sequence[Reply], spoken: Sequence[Spoken]) -> list[float]:
    """Return by how many ms each mark is behind where the ruler has the word begin.

    Replies that are said otherwise than they are written are left out, and so are those with a word that the ruler's
    dictionary lacks.
    """
    from pocketsphinx import Decoder

    ruler = Decoder(lm=None, loglevel="FATAL")
    found: list[float] = []
    for reply, one in zip(replies, spoken, strict=True):
        words = re.findall(r"[\w']+", reply.text.lower())
        if not reply.plain or len(words) != len(one.begins) or not all(map(ruler.lookup_word, words)):
            continue
        aligned = _aligned(ruler, words, one)
        found += [mark * 1000 / one.rate - at for mark, at in zip(one.begins, aligned, strict=False)]
    return found


def _aligned(ruler: Any, words: Sequence[str], spoken: Spoken) -> list[float]:
    """Return where ``ruler`` has each of ``words`` begin, in ms; nothing where it loses its way."""
    heard = spoken.heard()
    pcm = np.clip(np.rint(heard * 32768), -32768, 32767).astype("<i2").tobytes()
    ruler.set_align_text(" ".join(words))
    ruler.start_utt()
    ruler.process_raw(pcm, full_utt=True)
    ruler.end_utt()
    segments = [one for one in ruler.seg() if re.match(r"[\w']", one.word)] if ruler.hyp() else []
    if [one.word.partition("(")[0] for one in segments] != list(words):
        return []
    return [one.start_frame * 10 - 200 for one in segments]


def print_marks(name: str, away: Sequence[float]) -> None:
    """Print how far marks are from the ruler's."""
    middle = statistics.median(away)
    near = sum(abs(one) <= MARK_MS for one in away) / len(away)
    straight = sum(abs(one - middle) <= MARK_MS for one in away) / len(away)
    quarters = statistics.quantiles(away, n=20)
    print(
        f"  {name:<10} {len(away)} words: median {middle:+.0f} ms, 5 % under {quarters[0]:+.0f}, 5 % over "
        f"{quarters[-1]:+.0f}; within {MARK_MS} ms {near:.0%}, of the median {straight:.0%}"
    )


def understood(replies: Sequence[Reply], spoken: Sequence[Spoken]) -> None:
    """Print how many words Whisper hears otherwise than they were to be said, and where."""
    from voice_trio.engines.whisper.loading import load

    decoder = load(config.load()).decoder
    wrong = total = 0
    for reply, one in zip(replies, spoken, strict=True):
        text = decoder.decode(one.heard(), language="en", least_s=CONTEXT_S).text
        missed = errors(reply, text)
        wrong, total = wrong + missed, total + len(said(reply.words))
        if missed:
            print(f"  {missed} wrong: {reply.text}\n     heard: {text}", flush=True)
    print(f"words: {wrong} of {total} wrong, {wrong / total:.1%} (limit 5 %)")


async def measure(replies: Sequence[Reply], hear: Callable[[Sequence[Reply], Sequence[Spoken]], None] | None) -> None:
    """Have ``replies`` said by the neural voice and by espeak; measure, and print."""
    async with open_hibari(config.load(tts_workers=2)) as voice:
        spoken = [await speak(voice, reply) for reply in replies]
        espeak = [await speak(voice, reply, "en-us") for reply in replies]
    pauses = [one.longest_pause_ms for one in spoken]
    long = sum(pause > SEAM_MS for pause in pauses)
    print(f"longest silence in a reply: {max(pauses):.0f} ms; {long} of {len(pauses)} over {SEAM_MS} ms")
    for reply, pause in zip(replies, pauses, strict=True):
        if pause > SEAM_MS:
            print(f"  {pause:.0f} ms: {reply.text}")
    print(f"clipped samples: {sum(one.clipped for one in spoken)} of {sum(len(one.wave) for one in spoken)}")
    print("marks, behind where a forced alignment has the words begin:")
    print_marks("hibari", away_ms(replies, spoken))
    print_marks("espeak", away_ms(replies, espeak))
    if hear is not None:
        hear(replies, spoken)


@click.command()
@click.option("--first", type=click.IntRange(1), help="Only so many replies.")
@click.option("--without-words", is_flag=True, help="Do not recognise them.")
def main(first: int | None, without_words: bool) -> None:
    """Measure and print."""
    log.configure("ERROR")
    print(machine())
    replies = read()[:first]
    trio.run(measure, replies, None if without_words else understood)


if __name__ == "__main__":
    main()
