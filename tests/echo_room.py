"""A room in which a microphone hears the assistant's own voice, and perhaps a person: made on the spot, seeded.

The microphone's clock is the true one. The player may run faster than it says, and stumble, with or without telling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr

from tests.noise import Signal, at_rms, pink, to_pcm
from voice_trio.core.audio import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE, ms_to_samples

MESSAGE_SAMPLES = ms_to_samples(60)
TURN = 1
SPEECH_RMS = 0.06
"""How loud a person is in the microphone, and the assistant before the echo's loss."""
ROOM_RMS = 0.0006


@dataclass(frozen=True, slots=True)
class Scene:
    """What a microphone hears, and what the client says of it."""

    heard: bytes
    """16 kHz s16le."""
    reports: Sequence[tuple[int, int | None, int]]
    """Position in the microphone's samples, turn, sample of it."""
    reply: bytes
    rate: int
    person_at: Sequence[int] = ()
    """Samples of the microphone at which a person begins to speak."""


def play(
    reply: Signal,
    rate: int,
    *,
    db: float,
    delay_ms: float,
    skew_ppm: float = 0.0,
    stumbles: Sequence[tuple[float, float]] = (),
    told: bool = True,
    jitter_ms: float = 0.0,
    person: Signal | None = None,
    person_at: Sequence[int] = (0,),
    seed: int = 1,
) -> Scene:
    """Play ``reply`` (``rate`` Hz, at `SPEECH_RMS`) into the room, ``db`` louder than that in the microphone.

    ``stumbles`` are seconds at which the player is silent for so many ms, and the client tells of it, or not.
    ``jitter_ms`` is the error of its reports, at most. ``person`` is heard from each sample of ``person_at`` on.
    """
    chance = np.random.default_rng(seed)
    sound = soxr.resample(reply, rate * (1 + skew_ppm / 1e6), SAMPLE_RATE)
    late = np.zeros(len(sound), np.int64)
    pieces, at = [], 0
    for second, ms in stumbles:
        where = min(len(sound), round(second * SAMPLE_RATE))
        pieces += [sound[at:where], np.zeros(ms_to_samples(round(ms)))]
        late[where:] += ms_to_samples(round(ms))
        at = where
    played = np.concatenate([*pieces, sound[at:]])
    heard = _through(played, room(delay_ms, seed) * 10 ** (db / 20))[: len(played)]
    heard += at_rms(pink(len(played), seed), ROOM_RMS)
    if person is not None:
        for begin in person_at:
            heard[begin : begin + len(person)] += person[: len(heard[begin:])]
    reports: list[tuple[int, int | None, int]] = []
    sounded = np.arange(len(sound)) + (late if told else 0)
    for position in range(0, len(played), MESSAGE_SAMPLES):
        source = int(np.searchsorted(sounded, position))
        if source >= len(sounded):
            reports.append((position, None, 0))
        elif sounded[source] - position > 0:
            reports += [(position, None, 0), (int(sounded[source]), TURN, _sample(source, rate, skew_ppm))]
        else:
            off = round(chance.uniform(-jitter_ms, jitter_ms) * rate / 1000)
            reports.append((position, TURN, max(0, _sample(source, rate, skew_ppm) + off)))
        for here in np.flatnonzero(np.diff(sounded[source : source + MESSAGE_SAMPLES]) > 1) if told else ():
            reports.append((int(sounded[source + here]) + 1, None, 0))
            reports.append((int(sounded[source + here + 1]), TURN, _sample(source + int(here) + 1, rate, skew_ppm)))
    return Scene(to_pcm(heard), reports, to_pcm(reply), rate, () if person is None else tuple(person_at))


def frames(scene: Scene) -> Sequence[tuple[int, bytes]]:
    """Return the microphone's frames, each with its position."""
    return [
        (at // 2, scene.heard[at : at + FRAME_BYTES])
        for at in range(0, len(scene.heard) - FRAME_BYTES + 1, 2 * FRAME_SAMPLES)
    ]


def _sample(source: int, rate: int, skew_ppm: float) -> int:
    return int(source / SAMPLE_RATE * rate * (1 + skew_ppm / 1e6))


@cache
def room(delay_ms: float, seed: int, decay_s: float = 0.3) -> Signal:
    """Return an impulse response of unit power: the direct sound ``delay_ms`` late, then a tail 60 dB down in 0.3 s."""
    chance = np.random.default_rng(seed + 1000)
    samples = round(decay_s * SAMPLE_RATE)
    tail = chance.standard_normal(samples) * 10 ** (-3 * np.arange(samples) / samples)
    tail *= np.random.default_rng(seed).random(samples) < 0.05  # single reflections, denser than ears tell apart
    tail[0] = 1.5 * np.sqrt(np.sum(tail**2))
    whole = np.concatenate([np.zeros(round(delay_ms * SAMPLE_RATE / 1000)), tail])
    response: Signal = whole / np.sqrt(np.sum(whole**2))
    return response


def _through(sound: Signal, response: Signal) -> Signal:
    size = len(sound) + len(response) - 1
    heard: Signal = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)
    return heard
