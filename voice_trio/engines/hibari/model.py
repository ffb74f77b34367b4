"""hibari's acoustic model: phonemes in, the parts of a spectrum out, and how long each phoneme takes.

The graph computes the durations and keeps them to itself: frames of 25 ms, behind the division by the speed and the
rounding, before the sum by which phonemes are spread over frames. A model's file is a protobuf, in which fields that
are appended are merged with those before (protobuf.dev, "Encoding", "Last One Wins"); so a piece of a graph that holds
nothing but one more output, put behind the file's bytes, makes them an output like the others.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, NamedTuple

from voice_trio.engines.onnx import session_options

KNOWN: Final = {"5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8": "/Cast_32_output_0"}
"""SHA-256 of a model -> the name of its durations."""
FRAME: Final = 600
"""Samples in a frame of a duration, at 24 kHz: two frames of the spectrum."""
LATE: Final = 2 * FRAME
"""By so much a sound is ahead of where the durations before it end: 50 ms, the median at 53 words behind a pause."""
LONGEST: Final = 150
"""Phonemes given to the model at once: some 8 s of speech, for which it and the vocoder take 30 MB."""
_OUTPUTS: Final = ("lh", "theta", "ln", "lr", "phi", "f0")

_GRAPH, _OUTPUT, _NAME = 7, 12, 1
"""Numbers of fields: of the graph in a model, of an output in a graph, of a name in an output."""
_BYTES: Final = 2
"""The wire type of what has a length before it."""


class Spectrum(NamedTuple):
    """What the model makes of phonemes."""

    parts: list[Any]
    """Arrays, as `hibari.dsp.synth` takes them."""
    starts: list[int] | None
    """For every phoneme the frame in which it begins, and the number of frames last; None where it is not known."""


def with_output(model: bytes, name: str) -> bytes:
    """Return the serialised ``model`` with its inner tensor ``name`` among its outputs."""
    return model + _field(_GRAPH, _field(_OUTPUT, _field(_NAME, name.encode())))


class Model:
    """The model in onnxruntime: one thread, which never spins, and no memory kept for later."""

    def __init__(self, path: Path) -> None:
        """Load the model; one that is not `KNOWN` speaks without telling when it says what."""
        import onnxruntime

        serialised = path.read_bytes()
        self._durations = KNOWN.get(hashlib.sha256(serialised).hexdigest())
        if self._durations is not None:
            serialised = with_output(serialised, self._durations)
        self._session = onnxruntime.InferenceSession(serialised, worker_options(), providers=["CPUExecutionProvider"])

    @property
    def tells_times(self) -> bool:
        """Whether it says how long each phoneme takes."""
        return self._durations is not None

    def __call__(self, ids: list[int], speed: float) -> Spectrum:
        """Return what ``ids`` (phonemes, a pad of 0 at either end) sound like at ``speed`` times the usual rate."""
        import numpy as np

        given = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        if self._durations is None:
            return Spectrum([part[0] for part in self._session.run(_OUTPUTS, given)], None)
        *parts, durations = self._session.run([*_OUTPUTS, self._durations], given)
        starts = [0, *np.cumsum(durations.reshape(-1)).tolist()]
        return Spectrum([part[0] for part in parts], starts)


def worker_options() -> Any:
    """Return the options of a session of onnxruntime in a worker, which keeps no plan of its memory either.

    The last of the optimisations takes 0.1 s of each start, and what it finds saves no time.
    """
    import onnxruntime

    options = session_options()
    options.enable_mem_pattern = False
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    return options


def _field(number: int, value: bytes) -> bytes:
    """Return a protobuf field of bytes, at most 16,383 of them."""
    low, high = len(value) & 0x7F, len(value) >> 7
    length = bytes([low | 0x80, high]) if high else bytes([low])
    return bytes([number << 3 | _BYTES]) + length + value
