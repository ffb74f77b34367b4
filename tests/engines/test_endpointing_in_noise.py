"""An utterance ends in a room that is not quiet. Time is counted in samples; noise is mixed in here, seeded.

Where the words begin and end is read off the clean recording's level, never asked of the detector.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.noise import KINDS, Signal, active_rms, at_rms, mix, read_wav, to_pcm, voiced_span
from voice_trio.core.audio import FRAME_BYTES, SAMPLE_RATE, ms_to_samples, samples_to_ms
from voice_trio.core.endpointer import PRE_ROLL_MS, End, Endpointer, ListenerEvent, Onset, SpeechDecision
from voice_trio.engines import silero
from voice_trio.engines.silero import SileroDetector, SileroModel

CLIPS = sorted((Path(__file__).parent.parent / "clips").glob("*.wav"))
SILENCE_MS = 700
LEAD_MS = 600
TAIL_MS = 2000


@dataclass(frozen=True)
class Heard:
    """What the listener said of a clip, in ms relative to its first and last word."""

    onsets: list[int]
    ends: list[int]


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return silero.load()


def listen(model: SileroModel, signal: Signal) -> list[ListenerEvent]:
    detector, decision, endpointer = SileroDetector(model), SpeechDecision(), Endpointer(silence_ms=SILENCE_MS)
    pcm = to_pcm(signal)
    events: list[ListenerEvent] = []
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        probability = detector.speech_probability(pcm[at : at + FRAME_BYTES])
        events += endpointer.push(decision.push(probability))
    return events


def heard(model: SileroModel, clean: Signal, signal: Signal) -> Heard:
    first, last = (ms_to_samples(LEAD_MS) + sample for sample in voiced_span(clean))
    events = listen(model, signal)
    return Heard(
        [samples_to_ms(event.sample - first) for event in events if isinstance(event, Onset)],
        [samples_to_ms(event.at - last) for event in events if isinstance(event, End)],
    )


def check(result: Heard) -> None:
    (onset,), (end,) = result.onsets, result.ends
    # The pre-roll is there for what comes before the onset; half of it has to do for these clips.
    assert -PRE_ROLL_MS < onset <= PRE_ROLL_MS // 2
    assert 0 < end <= 1200


def test_there_are_clips() -> None:
    assert len(CLIPS) == 5


@pytest.mark.real
@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.stem)
def test_clean(model: SileroModel, clip: Path) -> None:
    clean = read_wav(clip)
    check(heard(model, clean, np.pad(clean, (ms_to_samples(LEAD_MS), ms_to_samples(TAIL_MS)))))


@pytest.mark.real
@pytest.mark.parametrize("snr_db", [20, 10])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.stem)
def test_noise_under_and_after_the_speech(model: SileroModel, clip: Path, kind: str, snr_db: int) -> None:
    clean = read_wav(clip)
    noisy = mix(clean, kind, snr_db=snr_db, lead_ms=LEAD_MS, tail_ms=TAIL_MS, seed=1)
    check(heard(model, clean, noisy))


@pytest.mark.real
@pytest.mark.parametrize("below_speech_db", [20, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_noise_alone_is_no_onset(model: SileroModel, kind: str, below_speech_db: int) -> None:
    loudest = max(active_rms(read_wav(clip)) for clip in CLIPS)
    noise = at_rms(KINDS[kind](30 * SAMPLE_RATE, 2), loudest / 10 ** (below_speech_db / 20))
    assert listen(model, noise) == []


@pytest.mark.real
@pytest.mark.parametrize("level", [0.0, 1e-4], ids=["digital", "room"])
def test_silence_is_no_onset(model: SileroModel, level: float) -> None:
    assert listen(model, np.random.default_rng(3).standard_normal(30 * SAMPLE_RATE) * level) == []


def test_noise_sets_in_as_loud_as_asked() -> None:
    clean = read_wav(CLIPS[0])
    for kind in KINDS:
        noise = mix(clean, kind, snr_db=20, lead_ms=0, tail_ms=TAIL_MS, seed=1) - np.pad(
            clean, (0, ms_to_samples(TAIL_MS))
        )
        assert 20 * np.log10(active_rms(clean) / np.sqrt(np.mean(np.square(noise)))) == pytest.approx(20)
