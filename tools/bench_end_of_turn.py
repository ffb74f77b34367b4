"""Measures how early and how late an utterance is taken to be over: fixed windows of silence against weighed pauses.

    python tools/bench_end_of_turn.py                   people and a neural voice, half of the turns with inner pauses
    python tools/bench_end_of_turn.py --noise pink --noise keyboard     the same at 20 and 10 dB, too
    python tools/bench_end_of_turn.py --undecided 500   with another STREAM_VAD_SILENCE_MS

No server and no clock: a detector hears each turn frame by frame, and the product's own endpointer decides. A pause is
0.3 to 1.2 s of the room's quiet (or noise) at the end of a word that an aligner found. Smart Turn judges what it would
in a session, and Moonshine's words are those of the audio up to the pause; both take effect as late as they do on two
processors that have nothing else to do. An early end is one before the person's last word is over; the gap is from
there to the end, of turns that were heard out.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import numpy as np
from pocketsphinx import Decoder

from tests import noise
from tools import utterances
from tools.proc import machine
from tools.utterances import Utterance
from voice_trio.core.audio import FRAME_BYTES, SAMPLE_RATE, ms_to_samples, samples_to_ms
from voice_trio.core.end_of_turn import JUDGED_AFTER_MS, Pauses, window_ms
from voice_trio.core.endpointer import (
    MAYBE_END_MS,
    PRE_ROLL_MS,
    WEIGHED_PAUSE_MS,
    End,
    Endpointer,
    MaybeEnd,
    Onset,
    Resumed,
    SpeechDecision,
)
from voice_trio.core.last_words import Sense, sense_of
from voice_trio.engines import silero
from voice_trio.engines.moonshine import model as moonshine
from voice_trio.engines.silero import SileroDetector
from voice_trio.engines.smart_turn import model as smart_turn

FIXED_MS = (300, 500, 700, 1000)
PAUSE_MS = (300, 1200)
TAIL_MS = 6000
QUIET = 3e-4
"""RMS of a quiet room."""
SNRS_DB = (20, 10)

KNOWN_AFTER_MS = 90
"""After a pause was noticed. The final is begun at once and takes as long; so does the judgement, a little later."""


@dataclass(frozen=True)
class Turn:
    """What one person says, with what goes before."""

    voice: str
    pcm: bytes
    over: int
    """Sample at which the last word is over."""


@cache
def probability(pcm: bytes) -> float:
    """Return what Smart Turn says of a pause that ends ``pcm``."""
    return float(_smart_turn().judge(pcm))


@cache
def sense(pcm: bytes) -> Sense:
    """Return what Moonshine's words say of it."""
    return sense_of(_moonshine().decode(np.frombuffer(pcm, "<i2"), lambda: True).text, "en")


@cache
def _smart_turn() -> Any:
    return smart_turn.load()


@cache
def _moonshine() -> Any:
    return moonshine.load(moonshine.find(), 1)


# --- turns ------------------------------------------------------------------------------------------------------------


def turns(seed: int, variants: int, noise_kind: str | None, snr_db: float) -> list[Turn]:
    """Return each sentence ``variants`` times, every other time with a pause or two in it."""
    drawn = np.random.default_rng(seed)
    made = []
    for sentence in sentences():
        *places, last = word_ends(sentence)
        for variant in range(variants):
            number = int(drawn.integers(1, 3)) if variant % 2 and places else 0
            chosen = sorted(drawn.choice(places, min(number, len(places)), replace=False)) if number else []
            made.append(_turn(sentence, chosen, last, drawn, noise_kind, snr_db))
    return made


def _turn(
    sentence: Utterance,
    places: Sequence[int],
    last: int,
    drawn: np.random.Generator,
    noise_kind: str | None,
    snr_db: float,
) -> Turn:
    clean = utterances.floats(sentence)
    pieces, at, added = [np.zeros(ms_to_samples(600))], 0, 0
    for place in places:
        pause = np.zeros(ms_to_samples(int(drawn.integers(*PAUSE_MS))))
        pieces += [_faded(clean[at:place]), pause]
        at, added = place, added + len(pause)
    pieces += [_faded(clean[at:]), np.zeros(ms_to_samples(TAIL_MS))]
    whole = np.concatenate(pieces)
    under = drawn.normal(0, QUIET, len(whole))
    if noise_kind is not None:
        level = noise.active_rms(clean) / 10 ** (snr_db / 20)
        under += utterances.NOISES[noise_kind](len(whole), int(drawn.integers(1000))) * level
    return Turn(sentence.kind, noise.to_pcm(whole + under), len(pieces[0]) + added + last)


def _faded(piece: noise.Signal) -> noise.Signal:
    """Return ``piece`` without the clicks that a cut would make: 10 ms of fading at both ends."""
    ramp = np.ones(len(piece))
    edge = min(ms_to_samples(10), len(piece) // 2)
    ramp[:edge], ramp[len(piece) - edge :] = np.linspace(0, 1, edge), np.linspace(1, 0, edge)
    faded: noise.Signal = piece * ramp
    return faded


def sentences() -> Iterator[Utterance]:
    """Yield whole sentences of people and of the neural voice."""
    before: Utterance | None = None
    for one in utterances.read():
        if one.kind not in ("human", "hibari"):
            continue
        if before is not None:
            one = Utterance(one.kind, f"{before.words} {one.words}", before.pcm + one.pcm)
        before = None if one.words[-1] in ".?!;" else one
        if before is None:
            yield one


def word_ends(sentence: Utterance) -> list[int]:
    """Return the samples at which the words of ``sentence`` are over."""
    decoder = _aligner()
    decoder.set_align_text(" ".join(re.findall(r"[a-z']+", sentence.words.lower())))
    decoder.start_utt()
    decoder.process_raw(sentence.pcm, full_utt=True)
    decoder.end_utt()
    said = [segment for segment in decoder.seg() if not segment.word.startswith(("<", "["))]
    return [(segment.end_frame + 1) * SAMPLE_RATE // 100 for segment in said]


@cache
def _aligner() -> Any:
    return Decoder(samprate=SAMPLE_RATE, lm=None, loglevel="FATAL")


# --- ends -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """How pauses are weighed."""

    name: str
    silence_ms: int
    by_sound: bool = False
    by_words: bool = False

    def window(self, pcm: bytes, usual_ms: int | None) -> int:
        """Return the window, in ms, of the pause that ends ``pcm``."""
        return window_ms(
            probability(pcm) if self.by_sound else None,
            words=sense(pcm) if self.by_words else None,
            usual_pause_ms=usual_ms,
            undecided_ms=self.silence_ms,
        )


def policies(undecided_ms: int) -> list[Policy]:
    """Return those that are compared."""
    return [
        *(Policy(f"fixed {ms}", ms) for ms in FIXED_MS),
        Policy("words alone", undecided_ms, by_words=True),
        Policy("model alone", undecided_ms, by_sound=True),
        Policy("both", undecided_ms, by_sound=True, by_words=True),
    ]


Heard = tuple[Turn, Sequence[bool]]
"""A turn, and whether the detector heard speech in each of its frames."""


def hear(turn: Turn, model: silero.SileroModel) -> Heard:
    """Have the detector hear ``turn``."""
    detector, decision = SileroDetector(model), SpeechDecision()
    frames = (turn.pcm[at : at + FRAME_BYTES] for at in range(0, len(turn.pcm) - FRAME_BYTES + 1, FRAME_BYTES))
    return turn, [decision.push(detector.speech_probability(frame)) for frame in frames]


def end_of(heard: Heard, policy: Policy, pauses: Pauses) -> End | None:
    """Return where ``policy`` ends the utterance; None where it never does."""
    turn, frames = heard
    weighed = policy.by_sound or policy.by_words
    endpointer = Endpointer(silence_ms=policy.silence_ms, pause_ms=WEIGHED_PAUSE_MS if weighed else MAYBE_END_MS)
    begun, pause, noticed = 0, None, 0
    for speech in frames:
        silent_from = endpointer.voiced_through or 0
        for event in endpointer.push(speech):
            match event:
                case Onset(sample):
                    begun = max(sample - ms_to_samples(PRE_ROLL_MS), 0)
                case MaybeEnd(voiced_through):
                    noticed = endpointer.position
                    pause = turn.pcm[2 * begun : 2 * (voiced_through + ms_to_samples(JUDGED_AFTER_MS))]
                case Resumed(sample):
                    pause = None
                    pauses.push(samples_to_ms(sample - silent_from))
                case End():
                    return event
        if pause is not None and weighed and endpointer.position - noticed == ms_to_samples(KNOWN_AFTER_MS):
            endpointer.wait(policy.window(pause, pauses.usual_ms))
    return None


@dataclass(frozen=True)
class Score:
    """What came of a policy, over all turns of a voice."""

    turns: int
    early: int
    missed: int
    gaps_ms: Sequence[float]

    def __str__(self) -> str:
        gaps = sorted(self.gaps_ms)
        median = statistics.median(gaps) if gaps else float("nan")
        slowest = gaps[int(0.95 * len(gaps))] if gaps else float("nan")
        return f"{100 * self.early / self.turns:5.1f} %{median:8.0f}{slowest:8.0f}{self.missed:8}"


def score(heard: Sequence[Heard], policy: Policy) -> Score:
    """Return what comes of ``policy`` for turns of one voice."""
    pauses = Pauses()
    early, missed, gaps = 0, 0, []
    for one in heard:
        end, over = end_of(one, policy, pauses), one[0].over
        if end is None:
            missed += 1
        elif end.at < over:
            early += 1
        else:
            gaps.append((end.at - over) * 1000 / SAMPLE_RATE)
    return Score(len(heard), early, missed, gaps)


@click.command()
@click.option("--noise", "noises", multiple=True, type=click.Choice([*utterances.NOISES]), help="Also under noise.")
@click.option("--variants", default=6, show_default=True, help="Turns of each sentence.")
@click.option("--undecided", default=700, show_default=True, help="STREAM_VAD_SILENCE_MS.")
@click.option("--seed", default=1, show_default=True)
def main(noises: Sequence[str], variants: int, undecided: int, seed: int) -> None:
    """Compare fixed windows of silence with weighed pauses."""
    print(f"{machine()}; {variants} turns of each sentence, seed {seed}")
    model = silero.load()
    for kind, snr_db in [(None, 0), *((kind, snr_db) for kind in noises for snr_db in SNRS_DB)]:
        heard = [hear(turn, model) for turn in turns(seed, variants, kind, snr_db)]
        _report("quiet" if kind is None else f"{kind} at {snr_db} dB", heard, policies(undecided))


def _report(where: str, heard: Sequence[Heard], compared: Sequence[Policy]) -> None:
    voices: dict[str, Callable[[Turn], bool]] = {
        "people": lambda turn: turn.voice == "human",
        "neural voice": lambda turn: turn.voice == "hibari",
        "both voices": lambda turn: True,
    }
    for voice, spoken_by in voices.items():
        of_voice = [one for one in heard if spoken_by(one[0])]
        print(f"\n{where}, {voice}, {len(of_voice)} turns\n{'':<14}{'early':>7}{'median':>8}{'p95':>8}{'missed':>8}")
        for policy in compared:
            print(f"{policy.name:<14}{score(of_voice, policy)}")


if __name__ == "__main__":
    main()
