"""The detectors: their interface, the gate, and what they cost in model runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.noise import Signal, pink, read_wav, to_pcm
from voice_trio.core.audio import FRAME_BYTES, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from voice_trio.core.endpointer import PRE_ROLL_MS
from voice_trio.engines import silero
from voice_trio.engines.base import Detector
from voice_trio.engines.silero import CHUNK_SAMPLES, CONTEXT_SAMPLES, SileroDetector, SileroModel
from voice_trio.engines.webrtc import SETTLING_MS, WebRtcDetector

CLIPS = Path(__file__).parent.parent / "clips"


class CountingModel(SileroModel):
    """The real model, noting how many chunks each call brought it."""

    def __init__(self, model: SileroModel) -> None:
        super().__init__(model._session)
        self.chunks: list[int] = []

    def hear(self, pcm: bytes, memory: silero._Memory | None) -> tuple[float, silero._Memory]:
        self.chunks.append((len(pcm) // 2 - CONTEXT_SAMPLES) // CHUNK_SAMPLES)
        return super().hear(pcm, memory)


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return silero.load()


@pytest.fixture(scope="module")
def question() -> Signal:
    return np.pad(read_wav(CLIPS / "question.wav"), (SAMPLE_RATE, 2 * SAMPLE_RATE))


def frames_of(signal: Signal) -> list[bytes]:
    pcm = to_pcm(signal)
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


def judge(detector: Detector, signal: Signal) -> list[float]:
    return [detector.speech_probability(frame) for frame in frames_of(signal)]


def ungated(model: SileroModel, signal: Signal) -> list[float]:
    """Return the probability of each whole chunk, from a model that hears every one of them."""
    pcm = bytes(2 * CONTEXT_SAMPLES) + to_pcm(signal)
    memory = None
    probabilities = []
    for at in range(0, len(signal) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES):
        probability, memory = model.hear(pcm[2 * at : 2 * (at + CONTEXT_SAMPLES + CHUNK_SAMPLES)], memory)
        probabilities.append(probability)
    return probabilities


@pytest.mark.real
def test_webrtc_hears_speech_and_silence(question: Signal) -> None:
    heard = judge(WebRtcDetector(), question)
    assert set(heard) == {0.0, 1.0}
    assert not any(heard[: SAMPLE_RATE // FRAME_SAMPLES - 1])
    assert not any(heard[-SAMPLE_RATE // FRAME_SAMPLES :])


@pytest.mark.real
def test_webrtc_is_not_taken_in_by_the_hiss_it_begins_with() -> None:
    assert not any(judge(WebRtcDetector(), pink(SAMPLE_RATE, 1) * 0.005))


@pytest.mark.real
def test_webrtc_hears_who_speaks_at_once_within_the_pre_roll(question: Signal) -> None:
    heard = judge(WebRtcDetector(), question[SAMPLE_RATE + SAMPLE_RATE // 5 :])
    assert all(heard[SETTLING_MS // FRAME_MS : 20])
    assert SETTLING_MS < PRE_ROLL_MS


@pytest.mark.real
def test_silero_hears_speech_and_silence(model: SileroModel, question: Signal) -> None:
    heard = judge(SileroDetector(model), question)
    assert all(0.0 <= probability <= 1.0 for probability in heard)
    assert max(heard) > 0.95
    assert max(heard[: SAMPLE_RATE // FRAME_SAMPLES - 1]) < 0.1
    assert max(heard[-SAMPLE_RATE // FRAME_SAMPLES :]) < 0.1


@pytest.mark.real
@pytest.mark.parametrize("level", [1.0, 0.03], ids=["near", "faint"])
def test_the_gate_hides_no_speech_from_the_model(model: SileroModel, question: Signal, level: float) -> None:
    noisy = question * level + pink(len(question), 5) * 0.003 * level
    reference = ungated(model, noisy)
    heard = judge(SileroDetector(model), noisy)
    # Frame n has the probability of the last chunk that is whole by its end.
    at_frame = [(number + 1) * FRAME_SAMPLES // CHUNK_SAMPLES - 1 for number in range(len(heard))]
    differing = sum((reference[chunk] > 0.5) != (heard[n] > 0.5) for n, chunk in enumerate(at_frame) if chunk >= 0)
    assert sum(probability > 0.5 for probability in reference) > 60
    assert differing <= 3


@pytest.mark.real
def test_in_quiet_the_model_does_not_run(model: SileroModel) -> None:
    counting = CountingModel(model)
    hiss = np.random.default_rng(1).standard_normal(30 * SAMPLE_RATE) * 1e-3
    detector = SileroDetector(counting)
    judge(detector, hiss[:SAMPLE_RATE])
    counting.chunks.clear()
    assert set(judge(detector, hiss[SAMPLE_RATE:])) == {0.0}
    assert counting.chunks == []


@pytest.mark.real
def test_when_the_gate_opens_the_model_hears_what_came_before(model: SileroModel, question: Signal) -> None:
    counting = CountingModel(model)
    judge(SileroDetector(counting), np.concatenate([question, question]))
    assert counting.chunks.count(1 + silero.REPLAY_CHUNKS) == 2
    assert set(counting.chunks) == {1, 1 + silero.REPLAY_CHUNKS}


@pytest.mark.real
@pytest.mark.parametrize("kind", ["webrtc", "silero"])
def test_after_a_reset_a_detector_is_as_new(kind: str, model: SileroModel, question: Signal) -> None:
    detector: Detector = WebRtcDetector() if kind == "webrtc" else SileroDetector(model)
    first = judge(detector, question)
    judge(detector, question[: 2 * SAMPLE_RATE])
    detector.reset()
    assert judge(detector, question) == first


@pytest.mark.real
def test_sessions_share_a_model_and_nothing_else(model: SileroModel, question: Signal) -> None:
    alone = judge(SileroDetector(model), question)
    one, other = SileroDetector(model), SileroDetector(model)
    noise = frames_of(pink(len(question), 2) * 0.1)
    together = []
    for frame, noisy in zip(frames_of(question), noise, strict=True):
        together.append(one.speech_probability(frame))
        other.speech_probability(noisy)
    assert together == alone


def test_a_missing_model_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "MODEL_FILE", "silero_vad_v99.onnx")
    with pytest.raises(RuntimeError, match=r"^Silero's model is missing: this faster-whisper has no .*v99\.onnx\.$"):
        silero.load()


def test_a_missing_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "package_folder", lambda name: None)
    with pytest.raises(RuntimeError, match=r"^Silero's model comes with the faster-whisper package, .*\.$"):
        silero.load()


@pytest.mark.real
def test_nothing_is_reported_to_the_maker_of_onnxruntime(tmp_path) -> None:
    """It leaves a device id and a queue of events in the home folder as soon as it is imported with reporting on."""
    code = "import voice_trio, onnxruntime; from voice_trio.engines import silero; silero.load()"
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    env |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=env)
    assert [path for path in tmp_path.rglob("*") if "onnx" in path.name.lower()] == []


@pytest.mark.real
def test_nothing_heavy_is_imported_before_the_model_is_loaded() -> None:
    code = (
        "import sys; import voice_trio.engines.silero as silero;"
        "heavy = {'numpy', 'onnxruntime'} & set(sys.modules); assert not heavy, heavy;"
        "silero.load(); assert 'faster_whisper' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
