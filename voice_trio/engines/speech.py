"""What a synthesizer gives: a text as speech, in one piece or in several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import trio

from voice_trio.core.errors import EngineError
from voice_trio.core.messages import ErrorCode


class Mark(NamedTuple):
    """From ``sample`` of a `Speech` on, the voice says the word at ``char`` of the spoken text."""

    sample: int
    char: int


class Phoneme(NamedTuple):
    """From ``sample`` of a `Speech` on, the voice says ``symbol``."""

    sample: int
    symbol: str
    """As the voice writes it: a letter of the IPA or of its own, or a sign for the pause at a clause's end."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Synthesised speech, of a whole text or a piece of it: s16le mono at ``sample_rate``."""

    pcm: bytes
    sample_rate: int
    marks: tuple[Mark, ...] = ()
    """Rising in both fields; empty where the voice does not know its word positions. Samples count from the first of
    this piece, characters from the first of the whole text."""
    phonemes: tuple[Phoneme, ...] = ()
    """Rising; empty where the voice does not know them. Samples count from the first of this piece."""
    last: bool = False
    """The voice knows that nothing of the text comes after it; the caller need not ask for more."""

    @property
    def samples(self) -> int:
        """Length in samples."""
        return len(self.pcm) // 2


class Pieces(Protocol):
    """A text on its way out of a voice."""

    async def receive(self) -> Speech | None:
        """Return the next piece, in order; None after the last one.

        It may be cancelled at any moment, and asked again: nothing is lost, though what was being made may be begun
        anew. Raises `EngineError` (TTS_FAIL), after which nothing comes.
        """


class Speaking:
    """A text that a voice says, begun when it is entered and ended when that is left:

        async with voice.speak("Good morning.", seconds=5) as pieces:
            while (piece := await pieces.receive()) is not None:
                ...

    ``await voice.speak(...)`` gives all of it as one `Speech`. Neither can be had twice of one object.
    """

    def __init__(self, pieces: AbstractAsyncContextManager[Pieces]) -> None:
        """``pieces`` begins the work when it is entered, and ends it when it is left, whatever is still to come."""
        self._pieces = pieces

    async def __aenter__(self) -> Pieces:
        return await self._pieces.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._pieces.__aexit__(kind, error, trace)

    def __await__(self) -> Generator[Any, Any, Speech]:
        return self._all().__await__()

    async def _all(self) -> Speech:
        async with self as pieces:
            said: list[Speech] = []
            while not (said and said[-1].last) and (piece := await pieces.receive()) is not None:
                said.append(piece)
        if len(said) == 1 and said[0].last:
            return said[0]
        return joined(said)


def joined(pieces: list[Speech]) -> Speech:
    """Return ``pieces`` as one. Raises `EngineError` (TTS_FAIL) where they do not fit together, or are none."""
    if len({piece.sample_rate for piece in pieces}) != 1 or any(len(piece.pcm) % 2 for piece in pieces):
        raise unplayable()
    marks: list[Mark] = []
    phonemes: list[Phoneme] = []
    before = 0
    for piece in pieces:
        marks.extend(Mark(before + sample, char) for sample, char in piece.marks)
        phonemes.extend(Phoneme(before + sample, symbol) for sample, symbol in piece.phonemes)
        before += piece.samples
    pcm = b"".join(piece.pcm for piece in pieces)
    return Speech(pcm, pieces[0].sample_rate, tuple(marks), tuple(phonemes), last=True)


def at_rate(speech: Speech, rate: int) -> Speech:
    """Return ``speech`` at ``rate`` samples a second, its marks at their new samples. Takes milliseconds."""
    import numpy as np
    import soxr

    pcm = soxr.resample(np.frombuffer(speech.pcm, "<i2"), speech.sample_rate, rate)
    last = len(pcm)
    marks = (Mark(min(mark.sample * rate // speech.sample_rate, last), mark.char) for mark in speech.marks)
    return Speech(pcm.astype("<i2").tobytes(), rate, tuple(marks))


def unplayable() -> EngineError:
    """Return what is raised for speech that no player could play."""
    return EngineError(ErrorCode.TTS_FAIL, "The voice made no sound that can be played.")


def whole(make: Callable[[], Awaitable[Speech]]) -> Speaking:
    """Return what a voice says that makes one piece of every text: what ``make`` returns, or raises.

    It is not awaited before the piece is asked for; where that is cancelled, so is ``make``.
    """
    return Speaking(_Whole(make))


class _Whole:
    """The one piece, made when it is asked for. It adds no checkpoint to those of its making."""

    def __init__(self, make: Callable[[], Awaitable[Speech]]) -> None:
        self._make = make
        self._given = False

    async def __aenter__(self) -> _Whole:
        return self

    async def __aexit__(self, *raised: object) -> None:
        return None

    async def receive(self) -> Speech | None:
        if self._given:
            await trio.lowlevel.checkpoint()
            return None
        made = await self._make()
        self._given = True
        return replace(made, last=True)
