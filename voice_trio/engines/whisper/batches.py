"""What CTranslate2 is given for several decodes at once: prompts of one length, memories in one array, one limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_CONTEXT_TOKENS = 100


def prompts_of(contexts: Sequence[str], tokenizers: Sequence[Any]) -> list[list[int]]:
    """Return what each decode begins with, all of one length as the library wants it: the least context is all that
    anybody has.
    """
    before = [
        tokenizer.encode(" " + context.strip())[-_CONTEXT_TOKENS:] if context else []
        for context, tokenizer in zip(contexts, tokenizers, strict=True)
    ]
    least = min(map(len, before))
    return [
        [*([tokenizer.sot_prev, *tokens[-least:]] if least else []), *tokenizer.sot_sequence, tokenizer.no_timestamps]
        for tokens, tokenizer in zip(before, tokenizers, strict=True)
    ]


def stacked(memories: Sequence[Any]) -> Any:
    """Return what the encoder made of several, as it would have made it of all at once."""
    if len(memories) == 1:
        return memories[0]
    import ctranslate2
    import numpy as np

    def plain(memory: Any) -> np.ndarray:
        # numpy knows no bfloat16, and nothing that is not in its own memory.
        return np.asarray(memory.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32))

    # Encoding is as quick one by one on a processor, and each keeps its own for its alignment.
    return ctranslate2.StorageView.from_array(np.concatenate([plain(memory) for memory in memories]))


def max_length(tokens: int, prompt: Sequence[int]) -> int:
    """Return the ``max_length`` for which `generate` gives at most ``tokens`` tokens after ``prompt``."""
    # Given are at most half of it, and at most what the prompt leaves of it, its last token aside.
    return max(2 * tokens, tokens + len(prompt) - 1)
