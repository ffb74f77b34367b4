"""Measures the echo canceller: its own voice in an open microphone, with nobody and with somebody speaking.

    python tools/bench_echo.py                  all of it, some minutes
    python tools/bench_echo.py --db -20         at one level only

Rooms are computed (see tests/echo_room.py), the voice is hibari, the people are those of tests/utterances. A frame
counts as speech as in the product: two of the last three have a probability over 0.5 in Silero. An onset is the first
of such frames after 0.3 s without; a run is 0.6 s of them, as would interrupt a reply. A person is as loud as the voice
before the echo's loss, and begins 110 ms before Silero notices them in silence.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
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
from voice_trio.engines import silero
from voice_trio.engines.echo.canceller import EchoCanceller

RATE = 24_000
LEVELS_DB = (-10, -20)
DELAYS_MS = (20, 60, 150, 400)
CLOCKS_PPM = (0, 100)
STUMBLE_MS = 30
STUMBLE_EVERY_S = 10
LEAD_S = 0.4
PERSON_S = 1.5
BETWEEN_S = 4
ALONE_MS = 110
NOTICED_MS = 600
_APART_FRAMES = 10
_RUN_FRAMES = 600 // FRAME_MS


@dataclass(slots=True)
class Counted:
    """What came of some scenes."""

    seconds: float = 0.0
    onsets: int = 0
    runs: int = 0
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
        heard = voiced(model, _cut(noise.to_pcm(np.concatenate([quiet, sound]))))
        noticed = (heard.index(True) + 1) * FRAME_SAMPLES - len(quiet)
        begin = max(0, noticed - ms_to_samples(ALONE_MS))
        found.append(sound[begin : begin + round(PERSON_S * SAMPLE_RATE)])
    return found


def _cut(pcm: bytes) -> Sequence[bytes]:
    step = 2 * FRAME_SAMPLES
    return [pcm[at : at + step] for at in range(0, len(pcm) - step + 1, step)]


def voiced(model: silero.SileroModel, heard: Sequence[bytes]) -> list[bool]:
    """Return for each frame whether two of the last three are speech."""
    detector = silero.SileroDetector(model)
    over = [detector.speech_probability(frame) > 0.5 for frame in heard]
    return [sum(over[max(0, n - 2) : n + 1]) >= 2 for n in range(len(over))]


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
    speech = voiced(model, heard)
    into.seconds += len(speech) * FRAME_MS / 1000
    if scene.person_at:
        for begin in scene.person_at:
            first = begin // FRAME_SAMPLES
            after = speech[first : first + round(PERSON_S * 1000) // FRAME_MS]
            into.noticed_ms.append((after.index(True) + 1) * FRAME_MS if True in after else np.inf)
        return
    quiet, run = _APART_FRAMES, 0
    for one in speech:
        into.onsets += one and quiet >= _APART_FRAMES
        quiet, run = (0, run + 1) if one else (quiet + 1, 0)
        into.runs += run == _RUN_FRAMES


def alone(
    model: silero.SileroModel, row: str, rooms: Sequence[dict[str, Any]], db: int, *, cancelled: bool = True
) -> None:
    """Print how often the assistant hears itself in ``rooms``."""
    counted = Counted()
    for number, room in enumerate(rooms):
        count(model, play(reply(), RATE, db=db, seed=number, **room), counted, cancelled=cancelled)
    minutes = counted.seconds / 60
    cost = f"{np.mean(counted.cpu_ms):.2f} ms" if cancelled else ""
    click.echo(f"{row:<34}{minutes:>6.1f} min{counted.onsets / minutes:>8.1f}{counted.runs / minutes:>8.1f}{cost:>10}")


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
    click.echo(f"{name:<34}{len(ms):>6} people{np.mean(ms <= NOTICED_MS):>8.0%}   {spread} ms")


@click.command()
@click.option("--db", "levels", type=int, multiple=True, default=LEVELS_DB, help="Level of its own voice, in dB.")
def main(levels: Sequence[int]) -> None:
    """Print the figures."""
    model = silero.load()
    click.echo(machine())
    stumbles = [(float(at), STUMBLE_MS) for at in range(5, round(len(reply()) / RATE), STUMBLE_EVERY_S)]
    kinds: dict[str, dict[str, Any]] = {
        **{f"clocks {ppm} ppm apart": {"skew_ppm": ppm} for ppm in CLOCKS_PPM},
        "30 ms of silence, told": {"stumbles": stumbles},
        "30 ms of silence, not told": {"stumbles": stumbles, "told": False},
        "reports 5 ms off": {"jitter_ms": 5.0},
    }
    click.echo(f"\n{'nobody speaks':<34}{'':>10}{'onsets':>8}{'runs':>8}{'a frame':>10}   (a minute; CPU)")
    for db in levels:
        alone(model, f"{db} dB, no canceller", [{"delay_ms": DELAYS_MS[0]}], db, cancelled=False)
        for kind, room in kinds.items():
            alone(model, f"{db} dB, {kind}", [{"delay_ms": ms, **room} for ms in DELAYS_MS], db)
    click.echo(f"\n{'somebody speaks':<34}{'':>13}{'0.6 s':>8}   p50 / p95")
    interrupted(model, -np.inf, cancelled=False)
    for db in levels:
        interrupted(model, db)


if __name__ == "__main__":
    main()
