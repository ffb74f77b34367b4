"""Measures the echo canceller: its own voice in an open microphone, with nobody and with somebody speaking.

    python tools/bench_echo.py                              all of it, some minutes
    python tools/bench_echo.py --db -20 --minutes 30        at one level only, half an hour of sound in each row

Rooms are computed (see tests/echo_room.py), the voice is hibari, the people are those of tests/utterances. No clock has
a part in it, so a busy machine changes nothing but the computing time.

A frame counts as speech where two of the last three have a probability over 0.5 in Silero; an onset is the first such
frame after 0.3 s without. A hold is what the product takes for somebody's beginning to speak, and it is committed where
the words that Moonshine finds in it are meant for us; in a session the voice would stand still until then, here it goes
on. A person is as loud as the voice before the echo's loss, and begins 110 ms before Silero notices them in silence.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
import numpy as np
from hibari import Hibari

from tests import noise
from tests.echo_room import SPEECH_RMS, TURN, Scene, frames, play
from tests.noise import Signal
from tools import utterances
from tools.proc import machine
from voice_trio.core.audio import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, ms_to_samples
from voice_trio.core.endpointer import PRE_ROLL_MS, SPEECH_ON, End, Endpointer, ListenerState, Onset, SpeechDecision
from voice_trio.core.interruption import is_meant
from voice_trio.engines import silero
from voice_trio.engines.echo.canceller import EchoCanceller
from voice_trio.engines.moonshine import model as moonshine

RATE = 24_000
LEVELS_DB = (-10, -20)
DELAYS_MS = (20, 120, 400)
CLOCKS_PPM = (0, 100)
STUMBLE_MS = 30
STUMBLE_EVERY_S = 10
LEAD_S = 0.4
PERSON_S = 1.5
BETWEEN_S = 4
ALONE_MS = 110
NOTICED_MS = 600
_APART_FRAMES = 10
_SILENCE_MS = 700
_LONGEST_S = 20
_SHOWN = 5


@dataclass(slots=True)
class Counted:
    """What came of some scenes."""

    seconds: float = 0.0
    onsets: int = 0
    holds: int = 0
    committed: list[str] = field(default_factory=list)
    """The words of each hold that were taken for somebody's."""
    noticed_ms: list[float] = field(default_factory=list)
    """From a person's onset to when they were noticed; infinity if they were not within 1.5 s."""
    cpu_ms: list[float] = field(default_factory=list)
    """Of each call for a frame."""


@cache
def reply() -> Signal:
    """Return all of the sentences in our own voice, at `RATE`."""
    voice = Hibari()
    sound = np.concatenate([voice(words, speed=1.0, seed=1) for words in utterances.SENTENCES]).astype(float)
    loud: Signal = sound / np.sqrt(np.mean(sound**2)) * SPEECH_RMS
    return loud


@cache
def people(model: silero.SileroModel) -> Sequence[Signal]:
    """Return beginnings of what people say."""
    found = []
    for one in utterances.human():
        sound = np.frombuffer(one.pcm, "<i2").astype(float) / 32768
        sound = sound / noise.active_rms(sound) * SPEECH_RMS
        quiet = np.random.default_rng(1).normal(0, 3e-4, ms_to_samples(600))
        heard = voiced(probabilities(model, _cut(noise.to_pcm(np.concatenate([quiet, sound])))))
        noticed = (heard.index(True) + 1) * FRAME_SAMPLES - len(quiet)
        begin = max(0, noticed - ms_to_samples(ALONE_MS))
        found.append(sound[begin : begin + round(PERSON_S * SAMPLE_RATE)])
    return found


def _cut(pcm: bytes) -> Sequence[bytes]:
    step = 2 * FRAME_SAMPLES
    return [pcm[at : at + step] for at in range(0, len(pcm) - step + 1, step)]


def probabilities(model: silero.SileroModel, heard: Sequence[bytes]) -> list[float]:
    """Return for each frame how likely it is speech."""
    detector = silero.SileroDetector(model)
    return [detector.speech_probability(frame) for frame in heard]


def voiced(likely: Sequence[float]) -> list[bool]:
    """Return for each frame whether two of the last three are speech."""
    over = [one > SPEECH_ON for one in likely]
    return [sum(over[max(0, n - 2) : n + 1]) >= 2 for n in range(len(over))]


def holds(likely: Sequence[float], heard: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield the sound of each utterance that a session would find, and how many ms of it are voiced."""
    decision, endpointer = SpeechDecision(), Endpointer(silence_ms=_SILENCE_MS)
    begin, voiced_frames, through = 0, 0, None
    for number, probability in enumerate(likely):
        events = endpointer.push(decision.push(probability))
        voiced_frames += endpointer.voiced_through != through
        through = endpointer.voiced_through
        for event in events:
            match event:
                case Onset(sample):
                    begin, voiced_frames = max(0, sample - ms_to_samples(PRE_ROLL_MS)) // FRAME_SAMPLES, 1
                case End():
                    yield b"".join(heard[begin : number + 1]), voiced_frames * FRAME_MS
    if endpointer.state in (ListenerState.SPEECH, ListenerState.MAYBE_END):
        yield b"".join(heard[begin:]), voiced_frames * FRAME_MS


@cache
def _moonshine() -> Any:
    return moonshine.load(moonshine.find(), 1)


def clean(scene: Scene, cpu_ms: list[float]) -> list[bytes]:
    """Return the scene's frames as a session would have them cleaned."""
    canceller = EchoCanceller()
    reports, sent, chunk, cleaned = list(scene.reports), 0, RATE // 10, []
    for position, frame in frames(scene):
        while 2 * sent < len(scene.reply) and sent / RATE < position / SAMPLE_RATE + LEAD_S:
            canceller.played_audio(TURN, sent, scene.reply[2 * sent : 2 * (sent + chunk)], RATE)
            sent += chunk
        while reports and reports[0][0] < position + FRAME_SAMPLES:
            at, turn, sample = reports.pop(0)
            canceller.sounding(turn, sample, at)
        began = time.thread_time()
        cleaned.append(canceller.clean(frame, position))
        cpu_ms.append((time.thread_time() - began) * 1000)
    return cleaned


def count(model: silero.SileroModel, scene: Scene, into: Counted, *, cancelled: bool) -> None:
    """Add what is heard of ``scene``: nobody speaks in it, or somebody at each of its times."""
    heard = clean(scene, into.cpu_ms) if cancelled else [frame for _, frame in frames(scene)]
    likely = probabilities(model, heard)
    speech = voiced(likely)
    into.seconds += len(speech) * FRAME_MS / 1000
    if scene.person_at:
        for begin in scene.person_at:
            first = begin // FRAME_SAMPLES
            after = speech[first : first + round(PERSON_S * 1000) // FRAME_MS]
            into.noticed_ms.append((after.index(True) + 1) * FRAME_MS if True in after else np.inf)
        return
    quiet = _APART_FRAMES
    for one in speech:
        into.onsets += one and quiet >= _APART_FRAMES
        quiet = 0 if one else quiet + 1
    for pcm, voiced_ms in holds(likely, heard):
        into.holds += 1
        # Without the canceller all of it is one, longer than Moonshine takes.
        sound = np.frombuffer(pcm, "<i2")[: _LONGEST_S * SAMPLE_RATE]
        words = _moonshine().decode(sound, lambda: True).text
        if is_meant(words, voiced_ms, over=True):
            into.committed.append(words)


def alone(
    model: silero.SileroModel,
    row: str,
    rooms: Sequence[dict[str, Any]],
    db: int,
    minutes: float,
    *,
    cancelled: bool = True,
) -> None:
    """Print how often the assistant hears itself in ``rooms``, in ``minutes`` of sound at least."""
    counted = Counted()
    for number, room in enumerate(cycle(rooms)):
        if number >= len(rooms) and counted.seconds >= 60 * minutes:
            break
        count(model, play(reply(), RATE, db=db, seed=number, **room), counted, cancelled=cancelled)
    heard = counted.seconds / 60
    cost = f"{np.mean(counted.cpu_ms):.2f} ms" if cancelled else ""
    rates = f"{counted.onsets / heard:>8.1f}{3 * counted.holds / heard:>8.1f}{len(counted.committed):>11}"
    click.echo(f"{row:<34}{heard:>6.1f} min{rates}{cost:>10}")
    for words in counted.committed[:_SHOWN] if cancelled else ():
        click.echo(f"    heard: {words}")


def interrupted(model: silero.SileroModel, db: float, *, cancelled: bool = True) -> None:
    """Print how soon people are noticed who speak into the reply."""
    counted = Counted()
    everybody = people(model)
    for number, delay_ms in enumerate(DELAYS_MS):
        times = range(3 * SAMPLE_RATE, len(reply()) * SAMPLE_RATE // RATE - 2 * SAMPLE_RATE, BETWEEN_S * SAMPLE_RATE)
        track = np.zeros(times[-1] + 2 * SAMPLE_RATE)
        for at, place in enumerate(times):
            one = everybody[(at + number * len(times)) % len(everybody)]
            track[place : place + len(one)] += one
        scene = play(reply(), RATE, db=db, delay_ms=delay_ms, seed=number, person=track)
        count(model, replace(scene, person_at=times), counted, cancelled=cancelled)
    ms = np.array(counted.noticed_ms)
    spread = " / ".join(f"{value:.0f}" for value in np.percentile(ms, [50, 95], method="lower"))
    name = f"own voice at {db:g} dB" if np.isfinite(db) else "in silence"
    noticed = f"{np.mean(ms <= NOTICED_MS):>8.0%}{np.mean(np.isfinite(ms)):>8.0%}"
    click.echo(f"{name:<34}{len(ms):>6} people{noticed}   {spread} ms")


@click.command()
@click.option("--db", "levels", type=int, multiple=True, default=LEVELS_DB, help="Level of its own voice, in dB.")
@click.option("--minutes", default=0.0, help="Sound in each row, at least; all delays are in it once in any case.")
def main(levels: Sequence[int], minutes: float) -> None:
    """Print the figures."""
    model = silero.load()
    click.echo(machine())
    stumbles = [(float(at), STUMBLE_MS) for at in range(5, round(len(reply()) / RATE), STUMBLE_EVERY_S)]
    kinds: dict[str, dict[str, Any]] = {
        **{f"clocks {ppm} ppm apart": {"skew_ppm": ppm} for ppm in CLOCKS_PPM},
        "30 ms of silence, told": {"stumbles": stumbles},
        "the same, clocks 100 ppm apart": {"stumbles": stumbles, "skew_ppm": 100},
        "30 ms of silence, not told": {"stumbles": stumbles, "told": False},
        "reports 5 ms off": {"jitter_ms": 5.0},
    }
    click.echo(f"\n{'nobody speaks':<44}{'onsets':>8}{'holds':>8}{'committed':>11}{'a frame':>10}")
    click.echo(f"{'':<44}{'a min':>8}{'in 3':>8}{'in all':>11}{'CPU':>10}")
    for db in levels:
        alone(model, f"{db} dB, no canceller", [{"delay_ms": DELAYS_MS[0]}], db, 0, cancelled=False)
        for kind, room in kinds.items():
            alone(model, f"{db} dB, {kind}", [{"delay_ms": ms, **room} for ms in DELAYS_MS], db, minutes)
    click.echo(f"\n{'somebody speaks':<34}{'':>13}{'0.6 s':>8}{'1.5 s':>8}   p50 / p95")
    interrupted(model, -np.inf, cancelled=False)
    for db in levels:
        interrupted(model, db)


if __name__ == "__main__":
    main()
