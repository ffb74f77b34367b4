"""Where in a recording each of its words is said: forced alignment by pocketsphinx, whose frames are 10 ms long."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tools.duplex_bench.script import Word
from voice_trio.core.audio import SAMPLE_RATE

_FRAME_S = 0.01
_VARIANT = re.compile(r"\(\d+\)$")


class NotAligned(Exception):
    """The words cannot be found in the recording; the message says which."""


def spelled(text: str) -> list[str]:
    """Return the words of ``text`` as dictionaries and comparisons take them: small letters, digits and apostrophes."""
    return re.findall(r"[a-z0-9']+", text.lower().replace("’", "'").replace("-", " "))


def align(text: str, pcm: bytes) -> tuple[Word, ...]:
    """Return where each word of ``text`` is said in 16 kHz s16le ``pcm``. Raises `NotAligned`."""
    decoder, words = _decoder(), spelled(text)
    unknown = [word for word in words if decoder.lookup_word(word) is None]
    if unknown or not words:
        raise NotAligned(f"the dictionary does not have {', '.join(unknown) or 'nothing'}")
    try:
        decoder.set_align_text(" ".join(words))
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        found = [segment for segment in decoder.seg() or () if not segment.word.startswith(("<", "["))]
    except RuntimeError as error:
        raise NotAligned(f"{text!r}: {error}") from error
    if [_VARIANT.sub("", segment.word) for segment in found] != words:
        raise NotAligned(f"{text!r} is not what is said in {len(pcm) // 2 / SAMPLE_RATE:.1f} s of sound")
    return tuple(
        Word(word, segment.start_frame * _FRAME_S, (segment.end_frame + 1) * _FRAME_S)
        for word, segment in zip(words, found, strict=True)
    )


@cache
def _decoder() -> Any:
    from pocketsphinx import Decoder

    return Decoder(lm=None, bestpath=False, loglevel="FATAL")
