"""One decode: audio in, words out, straight through onnxruntime.

Moonshine ("Moonshine: Speech Recognition for Live Transcription and Voice Commands", Jeffries et al., 2024) takes audio
as it is, of any length, and its encoder's work grows with it: a command of a second costs a second's work. The decoder
is greedy, a token a step, and keeps its attention's keys and values from step to step.

It may be given a guess of the tokens (`guess`), which saves it steps: what it would not have said is replaced by what
it says. Only near ties may fall otherwise, since the weights are of 8 bits, and how numbers are rounded then depends on
how many go through the model together: 6 of 88 texts differed by a word or a sign, as often for the better.

A decoder that has lost the audio goes on until something stops it. So a text has at most 6.5 tokens a second, which is
the bound that Moonshine's authors give (the fastest speech has about 5), and what is said too often is kept once.

Everything in this file runs in a thread of the scheduler's; nothing of Trio is in it.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.repetition import without_loops
from voice_trio.engines.moonshine.guess import Guess
from voice_trio.engines.moonshine.tokenizer import END, START, Tokenizer

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime as ort

TOKENS_PER_S: Final = 6.5
_LEAST_SAMPLES: Final = SAMPLE_RATE // 10
"""The encoder's convolutions need 60 ms; so little has no word in it."""
_WHOLE: Final = 512
"""The model was tuned behind a detector of so many samples a step; what is behind the last whole one is left out."""

_DOUBTFUL: Final = -1.0
"""Whisper's own threshold. 90 recordings of speech had -0.85 and more, a sixth of noises of a few seconds had less; for
most noise it writes a short word that it is fairly sure of, or signs of music."""

_OF_NOISE: Final = frozenset({"you", "mm-h"})
"""What it writes, without a sign behind it and often quite sure, where nobody speaks: the first for nearly every noise
there is, the second for some coughs. Somebody who says no more than "you" is written with a sign."""

_OLD_SPELLING: Final = re.compile(r"(?<![\w-])(to)(?:[- ](?=morrow\b)|-(?=(?:day|night)\b))", re.IGNORECASE)
"""As books wrote it a hundred years ago, from which many of the voices that the model learnt from read."""

_LOGITS = "logits"
_CACHED, _KEPT = "past_key_values", "present"


class Unwanted(RuntimeError):
    """Nobody waits for the words any more."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one decode made of its audio."""

    text: str
    ids: tuple[int, ...]
    """Its tokens, as they came."""
    mean_log_probability: float
    """Of its tokens and of its end, each as the model saw it; 0.0 where there was nothing to decode."""
    compute_s: float
    """Seconds that its thread took."""


class MoonshineDecoder:
    """A loaded model. Thread-safe, as the model is; the GIL is free while it computes."""

    def __init__(self, encoder: ort.InferenceSession, decoder: ort.InferenceSession, tokenizer: Tokenizer) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._tokenizer = tokenizer
        self._outputs = [one.name for one in decoder.get_outputs()]
        # What it made of the encoder's output stays as the first step made it.
        self._later_outputs = [name for name in self._outputs if ".encoder." not in name]
        self._cache_shapes = {
            one.name: (1, one.shape[1], 1, one.shape[3]) for one in decoder.get_inputs() if one.name.startswith(_CACHED)
        }

    def decode(
        self, audio: np.ndarray, wanted: Callable[[], bool] = lambda: True, guess: Sequence[int] = ()
    ) -> Decoded:
        """Return the words of ``audio`` (int16, 16 kHz), the sooner the more of its tokens are those of ``guess``.

        Raises `Unwanted` at the next step once it is not ``wanted`` any more, and `RuntimeError` for whatever
        onnxruntime raises.
        """
        began = time.perf_counter()
        audio = audio[: len(audio) // _WHOLE * _WHOLE]
        if len(audio) < _LEAST_SAMPLES:
            return Decoded("", (), 0.0, time.perf_counter() - began)
        try:
            ids, log_probability = self._tokens(audio, wanted, guess)
        except Unwanted:
            raise
        except Exception as error:  # onnxruntime's have no other class in common
            raise RuntimeError(f"onnxruntime failed: {error}") from error
        text = words_of(self._tokenizer.decode(ids), log_probability)
        return Decoded(text, tuple(ids), log_probability, time.perf_counter() - began)

    def _tokens(self, audio: np.ndarray, wanted: Callable[[], bool], guessed: Sequence[int]) -> tuple[list[int], float]:
        """Return the tokens of ``audio``, and the mean log-probability of them and their end."""
        import numpy as np
        from onnxruntime import OrtValue

        def value(array: Any) -> OrtValue:
            return OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))

        mask = value(np.ones((1, len(audio)), np.int64))
        heard = {"input_values": value(audio[None].astype(np.float32) / 32768), "attention_mask": mask}
        (memory,) = self._encoder.run_with_ort_values(None, heard)
        feed = {"encoder_hidden_states": memory, "encoder_attention_mask": mask}
        feed |= {name: value(np.zeros(shape, np.float32)) for name, shape in self._cache_shapes.items()}
        most = most_tokens(len(audio))
        ids: list[int] = []
        log_probabilities: list[float] = []
        token, guess = START, Guess(guessed)
        # The step that finds the end is one more.
        while len(ids) <= most:
            tried = guess.next_try(most - len(ids))
            feed["input_ids"] = value(np.array([[token, *tried]], np.int64))
            feed["use_cache_branch"] = value(np.array([bool(ids)]))
            names = self._later_outputs if ids else self._outputs
            found = dict(zip(names, self._decoder.run_with_ort_values(names, feed), strict=True))
            logits = found.pop(_LOGITS).numpy()[0]
            right = guess.follow(logits.argmax(axis=-1).tolist())
            for token, log_probability in map(best, logits[: right + 1]):
                log_probabilities.append(log_probability)
                if token == END:
                    return ids, fmean(log_probabilities)
                ids.append(token)
            if not wanted():
                raise Unwanted
            for name, kept in found.items():
                # Nothing is kept of what was guessed wrongly, nor of what stood behind it.
                whole = right == len(tried) or ".encoder." in name
                feed[name.replace(_KEPT, _CACHED)] = kept if whole else value(kept.numpy()[:, :, : len(ids)])
        return ids[:most], fmean(log_probabilities)


def words_of(text: str, mean_log_probability: float) -> str:
    """Return ``text`` in today's spelling, without what is said too often.

    Return nothing where it has no word, is too unlikely to be speech, or is what noise is taken for.
    """
    if mean_log_probability < _DOUBTFUL or text.casefold() in _OF_NOISE or not any(map(str.isalnum, text)):
        return ""
    return without_loops(_OLD_SPELLING.sub(r"\1", text))


def most_tokens(samples: int) -> int:
    """Return how many tokens so much audio may have."""
    return math.ceil(samples / SAMPLE_RATE * TOKENS_PER_S)


def best(logits: np.ndarray) -> tuple[int, float]:
    """Return the likeliest token of ``logits``, one number for each there is, and its log-probability."""
    import numpy as np

    token = int(logits.argmax())
    return token, -float(np.log(np.exp(logits - logits[token]).sum()))
