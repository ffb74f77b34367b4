"""One decode of Moonshine's: audio in, words out, straight through onnxruntime.

The model ("Moonshine: Speech Recognition for Live Transcription and Voice Commands", Jeffries et al., 2024) takes audio
as it is, of any length, and costs as much as that is long: no padding. It writes case and punctuation. What is silence
or noise it takes for words all the same ("You"), so quiet pieces are not given to it; and where it loses the audio, it
repeats itself until its tokens run out.

Everything in this file runs in a thread of the scheduler's; nothing of Trio is in it.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.repetition import without_loops
from voice_trio.engines.decoding.pieces import pieces
from voice_trio.engines.moonshine.tokens import read_tokens, spelt
from voice_trio.engines.moonshine.weights import DECODER, ENCODER, TOKENS

if TYPE_CHECKING:
    import numpy as np

_START: Final = 1
_END: Final = 2
_HEADS: Final = 8
_HEAD_SIZE: Final = 36
_TOKENS_PER_S: Final = 6.5
"""The limit of Moonshine's own library: on 2 s of noise a loop ends after 13 tokens."""
_HOP: Final = 512
"""Its library gives the model whole hops of its speech detector, in samples; so that the words are the same."""
_LEAST: Final = SAMPLE_RATE // 10
_FRAME: Final = SAMPLE_RATE // 32
_QUIET: Final = 1 / 30
"""Of the loudest frame of the utterance: a piece without any louder one is no speech of the same person."""
_DOUBLED = re.compile(r"([,;:])(?:\s*\1)+")


class Part(NamedTuple):
    """A piece of an utterance, and its words."""

    begin: int
    end: int
    """Samples of the utterance."""
    text: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was made of an utterance, or of its end."""

    parts: tuple[Part, ...]
    compute_s: float
    """Seconds that its thread took."""
    language: str | None = "en"
    language_probability: float = 1.0

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(part.text for part in self.parts if part.text)


class MoonshineDecoder:
    """The loaded model. Any number of threads may call it at once; each computes alone."""

    def __init__(self, folder: Path) -> None:
        """Load the weights in ``folder``: 0.2 to 1 s, 150 MB. Raises what onnxruntime raises, and `ValueError`."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        self._encoder, self._decoder = (
            onnxruntime.InferenceSession(str(folder / name), sess_options=options, providers=["CPUExecutionProvider"])
            for name in (ENCODER, DECODER)
        )
        self._tokens = read_tokens((folder / TOKENS).read_bytes())
        self._past = [one.name for one in self._decoder.get_inputs() if one.name.startswith("past_key_values")]
        outputs = [one.name for one in self._decoder.get_outputs()]
        self._first_outputs = outputs
        # What the decoder made of the encoder's output stays as the first step made it.
        self._later_outputs = [name for name in outputs if ".encoder." not in name]

    def decode(
        self,
        audio: np.ndarray,
        *,
        begin: int = 0,
        most_s: float,
        known: dict[tuple[int, int], Part],
        wanted: Callable[[], bool] = lambda: True,
    ) -> Decoded:
        """Return the words of ``audio`` (float32, 16 kHz) from sample ``begin`` on, for as long as they are ``wanted``.

        It is decoded in pieces of at most ``most_s`` seconds, cut where it is quiet. All but the last are looked up in
        ``known``, and kept there. Raises what onnxruntime raises: RuntimeError, ValueError.
        """
        began = time.perf_counter()
        loudest = _loudness(audio)
        parts: list[Part] = []
        for piece in pieces(audio[begin:], most_s):
            end = begin + len(piece)
            part = known.get((begin, end))
            if part is None:
                text = self._words(piece, wanted) if _loudness(piece) > loudest * _QUIET else ""
                part = Part(begin, end, text)
                if end < len(audio) and wanted():
                    known[begin, end] = part
            parts.append(part)
            begin = end
            if not wanted():
                break
        return Decoded(tuple(parts), time.perf_counter() - began)

    def _words(self, audio: np.ndarray, wanted: Callable[[], bool]) -> str:
        audio = audio[: len(audio) // _HOP * _HOP]
        if len(audio) < _LEAST:
            return ""
        text = _DOUBLED.sub(r"\1", spelt(self._choose(audio, wanted), self._tokens))
        return without_loops(text)

    def _choose(self, audio: np.ndarray, wanted: Callable[[], bool]) -> Iterator[int]:
        """Yield the likeliest token each time."""
        import numpy as np

        mask = np.ones((1, len(audio)), np.int64)
        heard = self._encoder.run(None, {"input_values": audio[np.newaxis], "attention_mask": mask})[0]
        fed: dict[str, Any] = {"encoder_hidden_states": heard, "encoder_attention_mask": mask}
        fed |= dict.fromkeys(self._past, np.zeros((1, _HEADS, 1, _HEAD_SIZE), np.float32))
        token, outputs = _START, self._first_outputs
        for step in range(math.ceil(len(audio) / SAMPLE_RATE * _TOKENS_PER_S)):
            if not wanted():
                return
            fed |= {"input_ids": np.array([[token]], np.int64), "use_cache_branch": np.array([step > 0])}
            logits, *present = self._decoder.run(outputs, fed)
            fed |= zip((name.replace("present", "past_key_values") for name in outputs[1:]), present, strict=True)
            token, outputs = int(logits[0, -1].argmax()), self._later_outputs
            if token == _END:
                return
            yield token


def _loudness(audio: np.ndarray) -> float:
    """Return the loudest frame's root mean square, or 0.0 of what is shorter than a frame."""
    import numpy as np

    frames = audio[: len(audio) // _FRAME * _FRAME].reshape(-1, _FRAME)
    return float(np.sqrt((frames**2).mean(axis=1).max())) if len(frames) else 0.0
