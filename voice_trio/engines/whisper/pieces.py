"""An utterance that is longer than one decode can take, in pieces cut where it is quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.engines.whisper.decode import PADDED_S, Decoded

if TYPE_CHECKING:
    import numpy as np

    from voice_trio.engines.whisper.decode import WhisperDecoder

_STEP = SAMPLE_RATE // 10
_SEARCHED = 1 / 3
"""Of the longest piece, from its end backward."""


class Piece(NamedTuple):
    """A part of an utterance, and how it was decoded."""

    begin: int
    end: int
    """Samples of the utterance."""
    language: str | None
    least_s: float


def decode_all(
    decoder: WhisperDecoder,
    audio: np.ndarray,
    language: str | None,
    least_s: float,
    known: dict[Piece, Decoded],
    wanted: Callable[[], bool],
) -> Decoded:
    """Decode ``audio`` of any length, in pieces that Whisper can take, for as long as it is ``wanted``.

    All pieces but the last are the same however long the utterance gets: they are looked up in ``known``, and kept
    there. The cost is that of the pieces that were not.
    """
    parts: list[Decoded] = []
    compute_s = 0.0
    begin = 0
    for samples in pieces(audio, PADDED_S):
        piece = Piece(begin, begin + len(samples), language, least_s)
        begin = piece.end
        part = known.get(piece)
        if part is None:
            said = " ".join(part.text for part in parts)
            part = decoder.decode(samples, language=language, least_s=least_s, context=said)
            compute_s += part.compute_s
            if begin < len(audio):
                known[piece] = part
        parts.append(part)
        language = parts[0].language
        if not wanted():
            break
    return Decoded(
        text=" ".join(part.text for part in parts if part.text),
        language=parts[0].language,
        language_probability=parts[0].language_probability,
        words=(),
        padded=all(part.padded for part in parts),
        compute_s=compute_s,
        tripped=any(part.tripped for part in parts),
    )


def pieces(audio: np.ndarray, most_s: float) -> Iterator[np.ndarray]:
    """Yield ``audio`` (float32, 16 kHz) in pieces of at most ``most_s`` seconds, each cut at the quietest tenth of a
    second in the last third of what it may have.
    """
    most = round(most_s * SAMPLE_RATE)
    while len(audio) > most:
        first = most - round(most * _SEARCHED)
        steps = audio[first : first + (most - first) // _STEP * _STEP].reshape(-1, _STEP)
        cut = first + int((steps**2).mean(axis=1).argmin()) * _STEP + _STEP // 2
        yield audio[:cut]
        audio = audio[cut:]
    yield audio
