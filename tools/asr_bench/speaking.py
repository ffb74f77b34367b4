"""Random weights that say as much as a person would, and the same again: what makes their costs comparable.

Random words end elsewhere in each context, and loop by chance: each decode would cost another number of tokens, and
some would be done twice. And no partial would agree with the one before, so that windows would grow as they hardly do
with words that mean something. So each decode computes what it computes, for as many tokens as that much speech has,
and then gives the words of somebody who counts, 150 a minute, with a full stop after each six.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.tail_window import TimedWord
from voice_trio.engines.whisper import decode as whisper_decode
from voice_trio.engines.whisper.batches import max_length
from voice_trio.engines.whisper.decode import Asked, WhisperDecoder

_WORDS_PER_S = 2.5
_WORDS_A_PHRASE = 6
TOKENS_PER_WORD = 1.4
"""Of English."""
_END = "<|endoftext|>"


def speaking(decoder: WhisperDecoder) -> WhisperDecoder:
    """Have ``decoder`` speak, and return it."""
    here = threading.local()
    try_them = decoder._try

    def tried(asked: Sequence[Asked], length_s: float) -> list[Any]:
        counts = [max(1, round(len(one.audio) / SAMPLE_RATE * _WORDS_PER_S)) for one in asked]
        # A batch takes as long as its longest.
        here.tokens = round(max(counts) * TOKENS_PER_WORD)
        spoken = [_words(len(one.context.split()), count) for one, count in zip(asked, counts, strict=True)]
        wanted = [replace(one, timed=_saying(one, words)) for one, words in zip(asked, spoken, strict=True)]
        return [
            replace(was, text="".join(word.text for word in words).strip(), words=tuple(words), tripped=False)
            for words, was in zip(spoken, try_them(wanted, length_s), strict=True)
        ]

    whisper_decode.without_loops = _unchanged  # type: ignore[attr-defined]
    decoder._try = tried  # type: ignore[method-assign]
    decoder._model.model = _Speaking(decoder._model.model, decoder._model.hf_tokenizer.token_to_id(_END), here)
    return decoder


def _unchanged(text: str, *, spaced: bool = True) -> str:
    return text


def _saying(asked: Asked, words: list[TimedWord]) -> Callable[[Sequence[TimedWord]], Any]:
    return lambda _: asked.timed(words)


def _words(before: int, count: int) -> list[TimedWord]:
    """Return ``count`` words after so many others."""
    long = round(SAMPLE_RATE / _WORDS_PER_S)
    numbers = range(before + 1, before + count + 1)
    marks = ("." if number % _WORDS_A_PHRASE == 0 else "" for number in numbers)
    return [
        TimedWord(f" {number}{mark}", at * long, (at + 1) * long)
        for at, (number, mark) in enumerate(zip(numbers, marks, strict=True))
    ]


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
        options["max_length"] = max_length(tokens, prompts[0])
        result = self._model.generate(memory, prompts, suppress_tokens=[*suppress_tokens, self._end], **options)
        assert all(len(one.sequences_ids[0]) == tokens for one in result)
        return result
