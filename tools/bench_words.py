"""Measures how many words each recognizer gets wrong: people, a neural voice, flite, single words; clean and in noise.

    python tools/bench_words.py                                every recognizer that can be used here, clean
    python tools/bench_words.py --noise pink --noise babble    also at 20 and 10 dB of those
    python tools/bench_words.py --only whisper --context 10 --context 15 --stock

Whisper is the model in STREAM_MODEL_WHISPER, decoded as finals are, in each context that is asked for. Words are
compared without case and punctuation, and numbers in words. Verse of 1609 counts by itself and not in the sum: its
spelling and grammar are nobody's who talks with a machine. Trips are decodes that looped in their first context;
"twice" counts transcripts that say one sentence twice.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import trio

from tools import utterances
from tools.latency import word_errors
from tools.proc import machine
from tools.said import number
from tools.utterances import Utterance
from voice_trio import config, log
from voice_trio.core.repetition import without_echo
from voice_trio.engines import load, registry
from voice_trio.engines.whisper.context import spoken
from voice_trio.engines.whisper.decode import WhisperDecoder, floats
from voice_trio.engines.whisper.loading import load as load_whisper
from voice_trio.engines.whisper.names import ModelError
from voice_trio.entry_points import Kind

SNRS_DB = (20, 10)
WHISPER = "faster-whisper"

Heard = tuple[str, bool]
"""Words, and whether the decode tripped."""


def normal(text: str) -> list[str]:
    """Return the words of ``text`` as they are compared."""
    return [said for word in spoken(text) for said in (_number(int(word)) if word.isdecimal() else [word])]


def _number(value: int) -> list[str]:
    """Return ``value`` as people say it; of three or four digits, as they say the time."""
    if value < 100:
        return number(value)
    return [*_number(value // 100), *(number(value % 100) if value % 100 else ["hundred"])]


class Score:
    """What came of one recognizer on one set."""

    def __init__(self) -> None:
        self.wrong: dict[str, int] = defaultdict(int)
        self.said: dict[str, int] = defaultdict(int)
        self.trips = self.twice = self.utterances = self.right = self.single = 0

    def count(self, one: Utterance, heard: Heard) -> None:
        """Take one transcript."""
        text, tripped = heard
        expected, found = normal(one.words), normal(text)
        errors = word_errors(expected, found)
        self.wrong[one.kind] += errors
        self.said[one.kind] += len(expected)
        self.utterances += 1
        self.trips += tripped
        self.twice += without_echo(text) != text and without_echo(one.words) == one.words
        self.single += one.kind == "single"
        self.right += one.kind == "single" and not errors

    @property
    def share(self) -> float:
        """Of the words, verse aside, how many were wrong."""
        counted = [kind for kind in self.said if kind != "verse"]
        return sum(self.wrong[kind] for kind in counted) / max(1, sum(self.said[kind] for kind in counted))

    def line(self, name: str, cpu_s: float) -> str:
        """Return all of it in one line."""
        kinds = ", ".join(f"{kind} {self.wrong[kind] / self.said[kind]:.1%}" for kind in self.said)
        return (
            f"  {name:<28} {self.share:6.1%}   ({kinds}; single words right "
            f"{self.right} of {self.single}); trips {self.trips}, twice {self.twice} of {self.utterances}; "
            f"{cpu_s:.2f} s of CPU a second"
        )


def measure(name: str, clips: Sequence[Utterance], hear: Callable[[Sequence[Utterance]], Sequence[Heard]]) -> Score:
    """Print what ``hear`` makes of ``clips``, and return it."""
    began = time.process_time()
    heard = hear(clips)
    cpu_s = (time.process_time() - began) / sum(one.seconds for one in clips)
    score = Score()
    for one, found in zip(clips, heard, strict=True):
        score.count(one, found)
    print(score.line(name, cpu_s), flush=True)
    return score


def ours(decoder: WhisperDecoder, least_s: float) -> Callable[[Sequence[Utterance]], Sequence[Heard]]:
    """Return Whisper through our own decoder."""

    def hear(clips: Sequence[Utterance]) -> Sequence[Heard]:
        found = [decoder.decode(floats(one.pcm), language="en", least_s=least_s) for one in clips]
        return [(one.text, one.tripped) for one in found]

    return hear


def stock(decoder: WhisperDecoder, beam: int) -> Callable[[Sequence[Utterance]], Sequence[Heard]]:
    """Return the same weights through faster-whisper's own way."""

    def hear(clips: Sequence[Utterance]) -> Sequence[Heard]:
        found = []
        for one in clips:
            segments, _ = decoder._model.transcribe(floats(one.pcm), language="en", beam_size=beam)
            found.append((" ".join(segment.text.strip() for segment in segments), False))
        return found

    return hear


def engine(name: str) -> Callable[[Sequence[Utterance]], Sequence[Heard]]:
    """Return the recognizer ``name`` as a session would use it, one utterance at a time."""

    async def transcribe(clips: Sequence[Utterance]) -> Sequence[Heard]:
        async with load.open_engine(Kind.RECOGNIZER, config.load(asr_engine=name)) as opened:
            found = []
            for one in clips:
                async with opened.engine.open("en") as utterance:
                    utterance.feed(one.pcm)
                    found.append(((await utterance.settle(len(one.pcm) // 2)).text, False))
            return found

    return lambda clips: trio.run(transcribe, clips)


@click.command()
@click.option("--noise", "noises", multiple=True, type=click.Choice(list(utterances.NOISES)), help="Noise to add.")
@click.option("--only", help="The one recognizer to measure.")
@click.option("--context", "contexts", multiple=True, type=float, default=(10.0, 15.0, 30.0), show_default=True)
@click.option("--stock", "with_stock", is_flag=True, help="Whisper also in faster-whisper's own way, beam 5 and 1.")
def main(noises: Sequence[str], only: str | None, contexts: Sequence[float], with_stock: bool) -> None:
    """Measure and print."""
    log.configure("ERROR")
    print(machine())
    clean = utterances.read()
    sets = {"clean": clean} | {
        f"{noise}, {snr} dB": utterances.in_noise(clean, noise, snr) for noise in noises for snr in SNRS_DB
    }
    settings = config.load()
    here = [one for one in registry.survey(Kind.RECOGNIZER, settings) if one.why_not is None]
    names = [one.entry.name for one in here if only is None or only in one.entry.name]
    if not names:
        raise click.ClickException(f"no recognizer {only!r} can be used here, with these settings")
    try:
        decoder = load_whisper(settings).decoder if WHISPER in names else None
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    for label, clips in sets.items():
        print(f"{label}: {len(clips)} utterances, {sum(one.seconds for one in clips):.0f} s")
        for name in names:
            if name != WHISPER or decoder is None:
                measure(name, clips, engine(name))
                continue
            for least_s in contexts:
                measure(f"{name}, {least_s:g} s", clips, ours(decoder, least_s))
            for beam in (5, 1) if with_stock else ():
                measure(f"{name} stock, beam {beam}", clips, stock(decoder, beam))


if __name__ == "__main__":
    main()
