"""Smart Turn's weights: whether they are whole, and in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.engines.onnx import session_options
from voice_trio.engines.smart_turn.features import log_mel

FILE: Final = Path(__file__).with_name("smart-turn-v3.2-cpu.onnx")
HEARD_SAMPLES: Final = SAMPLE_RATE * 8 // 5
"""How much of what was said is judged, the pause included. The model takes eight seconds, but tells ends from pauses
best by the last words alone. Of the pauses of 290 lines of `tools/duplex_bench` it finds 56 % of the ends, for 8 % of
those inside sentences, with 1.6 s, of which 120 ms are silence; 53 % with 1.75 s, and 40 % with all that was said."""
SHA256: Final = "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"


class ModelError(Exception):
    """The weights cannot be used; the message says why and what to do, as the end of a sentence."""


class SmartTurnModel:
    """The loaded model. It keeps nothing between calls, so one serves every session, and any thread may call it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def judge(self, pcm: bytes) -> float:
        """Return how likely who says ``pcm`` (16 kHz s16le) has finished, 0.0 to 1.0. The last 1.6 s count.

        Computes for 50 to 120 ms in one thread.
        """
        (probabilities,) = self._session.run(
            None, {"input_features": log_mel(pcm[-HEARD_SAMPLES * BYTES_PER_SAMPLE :])[None]}
        )
        return float(probabilities[0, 0])


def check() -> bytes:
    """Return the weights' bytes. Raises `ModelError` where they are not the ones they should be."""
    try:
        weights = FILE.read_bytes()
    except OSError as error:
        raise ModelError(f"{FILE} cannot be read: {error.strerror}; {_AGAIN}") from error
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise ModelError(f"{FILE} is damaged; {_AGAIN}")
    return weights


def load() -> SmartTurnModel:
    """Load the model and try it once; blocks for half a second. Raises `ModelError` where it cannot be used."""
    weights = check()
    try:
        import onnxruntime as ort

        model = SmartTurnModel(
            ort.InferenceSession(weights, session_options(threads=1), providers=["CPUExecutionProvider"])
        )
        model.judge(b"")
    except Exception as error:  # onnxruntime's have no other class in common
        raise ModelError(f"its weights in {FILE} cannot be loaded: {error}") from error
    return model


_AGAIN: Final = "install voice_trio again"
