"""Silero as a detector, with webrtcvad as the gate before it.

Silero decides; the gate only spares it the quiet. webrtcvad's most generous mode calls hardly any speech silence, so
while it has heard nothing for `HANGOVER_FRAMES`, the probability is 0 and no model runs. The model is recurrent and
would wake with a memory from before the quiet, or with none; both cost it the first word's beginning. So each time the
gate opens, the model starts afresh and first hears the last `REPLAY_CHUNKS` again, in the same call.

Over 19 minutes of speech in three kinds of noise, at three levels, the gated model differed from the one that hears
everything in about 1 chunk of 1,000; without the replay in 4, without replay and hangover in 21.

The model takes chunks of 512 samples, each behind the 64 samples before it, while frames have 480. A frame has the
probability of the last whole chunk, which ended less than 30 ms before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import trio
import webrtcvad

from voice_trio.config import Settings
from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from voice_trio.engines.base import CannotLoad, Detector
from voice_trio.engines.onnx import session_options
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind
from voice_trio.installation import package_folder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MODEL_FILE: Final = "silero_vad_v6.onnx"
"""The version is part of the name; another one would take other inputs."""

CHUNK_SAMPLES: Final = 512
CONTEXT_SAMPLES: Final = 64
STATE_SHAPE: Final = (1, 1, 128)

GATE_MODE: Final = 0
"""The mode of webrtcvad that misses least; from 2 on it misses whole words in noise."""

HANGOVER_FRAMES: Final = 10
REPLAY_CHUNKS: Final = 8

_CHUNK_BYTES: Final = CHUNK_SAMPLES * BYTES_PER_SAMPLE
_CONTEXT_BYTES: Final = CONTEXT_SAMPLES * BYTES_PER_SAMPLE
_PAST_BYTES: Final = _CONTEXT_BYTES + REPLAY_CHUNKS * _CHUNK_BYTES


class _Memory(NamedTuple):
    """What the recurrent model carries from one chunk to the next."""

    h: npt.NDArray[np.float32]
    c: npt.NDArray[np.float32]


class SileroModel:
    """The loaded model. It keeps nothing between calls, so one serves every session, and any thread may call it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def hear(self, pcm: bytes, memory: _Memory | None) -> tuple[float, _Memory]:
        """Return the probability of speech in the last chunk of ``pcm``, and what to carry on from there.

        ``pcm`` holds `CONTEXT_SAMPLES`, then one chunk or more; without ``memory`` the model starts afresh.
        """
        import numpy as np  # heavy, but loaded already with the session

        audio = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        chunks = np.lib.stride_tricks.sliding_window_view(audio, CONTEXT_SAMPLES + CHUNK_SAMPLES)[::CHUNK_SAMPLES]
        h, c = memory or _Memory(np.zeros(STATE_SHAPE, np.float32), np.zeros(STATE_SHAPE, np.float32))
        probabilities, h, c = self._session.run(None, {"input": np.ascontiguousarray(chunks), "h": h, "c": c})
        return float(probabilities[-1]), _Memory(h, c)


class SileroDetector:
    """One session's hearing: the gate, the cutting into chunks, and the model's memory."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self.reset()

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._gate = webrtcvad.Vad(GATE_MODE)
        self._past = bytes(_CONTEXT_BYTES)
        self._rest = b""
        self._quiet_frames = HANGOVER_FRAMES + 1
        self._memory: _Memory | None = None
        self._probability = 0.0

    def speech_probability(self, frame: bytes) -> float:
        """Return how likely ``frame`` (`audio.FRAME_BYTES` bytes) holds speech: 3 us in quiet, else 0.1 ms."""
        self._quiet_frames = 0 if self._gate.is_speech(frame, SAMPLE_RATE) else self._quiet_frames + 1
        self._rest += frame
        if len(self._rest) >= _CHUNK_BYTES:
            chunk, self._rest = self._rest[:_CHUNK_BYTES], self._rest[_CHUNK_BYTES:]
            self._judge(chunk)
            self._past = (self._past + chunk)[-_PAST_BYTES:]
        return self._probability

    def _judge(self, chunk: bytes) -> None:
        if self._quiet_frames > HANGOVER_FRAMES:
            self._probability, self._memory = 0.0, None
            return
        before = self._past if self._memory is None else self._past[-_CONTEXT_BYTES:]
        self._probability, self._memory = self._model.hear(before + chunk, self._memory)


def load() -> SileroModel:
    """Load the model that faster-whisper brings along: about 0.2 s, most of it the import of onnxruntime.

    Raises `RuntimeError` with one sentence that says what is missing.
    """
    path = model_path()
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeError("Silero needs the onnxruntime package, which faster-whisper depends on.") from error

    # A chunk is too little work to share, and every session's detector would wake the same threads.
    options = session_options(threads=1)
    options.log_severity_level = 4
    return SileroModel(
        onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    )


def model_path() -> Path:
    """Return where faster-whisper keeps its Silero model, without importing it. Raises `RuntimeError`."""
    package = package_folder("faster_whisper")
    if package is None:
        raise RuntimeError("Silero's model comes with the faster-whisper package, which is not installed.")
    path = package / "assets" / MODEL_FILE
    if not path.is_file():
        raise RuntimeError(f"Silero's model is missing: this faster-whisper has no {path}.")
    return path


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Callable[[], Detector]]:
    try:
        model = await trio.to_thread.run_sync(load)
    except RuntimeError as error:
        raise CannotLoad(f"{error} {_WITHOUT}.") from error
    yield lambda: SileroDetector(model)


def _missing(settings: Settings) -> str | None:
    try:
        model_path()
    except RuntimeError as error:
        return f"{error} {_WITHOUT}"
    return None


_WITHOUT = "STREAM_VAD=webrtc does without it"

PLUG = Plug(kind=Kind.DETECTOR, name="silero", settings=Settings, open=_open, missing=_missing, quality=50)
