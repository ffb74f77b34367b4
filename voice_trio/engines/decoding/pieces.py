"""An utterance that is longer than one decode can take, in pieces cut where it is quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from voice_trio.core.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np

D = TypeVar("D")
H = TypeVar("H")

_STEP = SAMPLE_RATE // 10


class Cut(NamedTuple):
    """Where a piece may end that is as long as it may be."""

    most_s: float
    """The longest piece, and how much audio there is before anything is cut."""
    first: float = 2 / 3
    last: float = 1.0
    """Between these two parts of ``most_s`` it is cut."""
    quiet_steps: int = 1
    """The quiet that is looked for, in tenths of a second."""


class Piece(NamedTuple):
    """A part of an utterance, and how it was decoded."""

    begin: int
    end: int
    """Samples of the utterance."""
    how: object
    """Whatever its words depend on besides the audio; it is hashable."""


def decode_pieces(
    audio: np.ndarray,
    cut: Cut,
    known: dict[Piece, D],
    wanted: Callable[[], bool],
    how: Callable[[Sequence[D]], object],
    decode: Callable[[np.ndarray, Sequence[D]], D],
) -> list[tuple[D, bool]]:
    """Decode ``audio`` of any length, cut as ``cut`` says, for as long as it is ``wanted``.

    ``decode`` is given a piece and what the pieces before it came to; ``how`` says what else a piece's words depend on.
    All pieces but the last are the same however long the utterance gets: they are looked up in ``known``, and kept
    there. Returns what each piece came to, and whether it was decoded now.
    """
    parts: list[D] = []
    fresh: list[bool] = []
    begin = 0
    for samples in pieces(audio, cut):
        piece = Piece(begin, begin + len(samples), how(parts))
        begin = piece.end
        fresh.append(piece not in known)
        part = known[piece] if piece in known else decode(samples, parts)
        if begin < len(audio):
            known[piece] = part
        parts.append(part)
        if not wanted():
            break
    return list(zip(parts, fresh, strict=True))


def pieces(audio: np.ndarray, cut: Cut) -> Iterator[np.ndarray]:
    """Yield ``audio`` (16 kHz, numbers of any kind) in pieces of at most ``cut.most_s`` seconds.

    Each is cut in the middle of the quietest stretch of the part in which it may be.
    """
    import numpy as np

    most = round(cut.most_s * SAMPLE_RATE)
    first = most - round(most * (1 - cut.first))
    steps = (round(most * cut.last) - first) // _STEP
    while len(audio) > most:
        searched = audio[first : first + steps * _STEP].astype(np.float32)
        loudness = (searched.reshape(-1, _STEP) ** 2).mean(axis=1)
        quiet = np.convolve(loudness, np.ones(cut.quiet_steps), "valid") if cut.quiet_steps > 1 else loudness
        at = first + int(quiet.argmin()) * _STEP + cut.quiet_steps * _STEP // 2
        yield audio[:at]
        audio = audio[at:]
    yield audio
