"""A final of an utterance of any length: its pieces decoded one after the other, each with the words before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from voice_trio.engines.decoding.pieces import pieces
from voice_trio.engines.whisper.decode import PADDED_S, Decoded

if TYPE_CHECKING:
    import numpy as np

    from voice_trio.engines.whisper.decode import WhisperDecoder


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
    )
