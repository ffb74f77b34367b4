"""Random weights that say as much as a person would: what makes their costs comparable.

Random words end elsewhere in each context, and loop by chance: each decode would cost another number of tokens, and
some would be done twice.
"""

from __future__ import annotations

import threading
from typing import Any

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines import whisper_decode
from voice_trio.engines.whisper_decode import WhisperDecoder

TOKENS_PER_S = 4
"""English at 150 words a minute and 1.4 tokens a word has 3.5."""
_END = "<|endoftext|>"


def speaking(decoder: WhisperDecoder) -> WhisperDecoder:
    """Have ``decoder`` give `TOKENS_PER_S` tokens for each second of audio, loops and all, and return it."""
    here = threading.local()
    try_it = decoder._try

    def tried(audio, *args):
        here.tokens = max(1, round(len(audio) / SAMPLE_RATE * TOKENS_PER_S))
        return try_it(audio, *args)

    whisper_decode.without_loops = lambda text, spaced: text  # type: ignore[assignment]
    decoder._try = tried  # type: ignore[method-assign]
    decoder._model.model = _Speaking(decoder._model.model, decoder._model.hf_tokenizer.token_to_id(_END), here)
    return decoder


class _Speaking:
    """CTranslate2's model, but for the length of what it generates."""

    def __init__(self, model: Any, end: int, here: threading.local) -> None:
        self._model = model
        self._end = end
        self._here = here

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, memory: Any, prompts: list[list[int]], *, suppress_tokens: list[int], **options: Any) -> Any:
        tokens = self._here.tokens
        # As `WhisperDecoder` explains it.
        options["max_length"] = max(2 * tokens, tokens + len(prompts[0]) - 1)
        result = self._model.generate(memory, prompts, suppress_tokens=[*suppress_tokens, self._end], **options)
        assert len(result[0].sequences_ids[0]) == tokens
        return result
