"""Moonshine as a recognizer: one model for every session, behind one scheduler.

What one decode is stands in `decode`, who decodes next in `decoding.scheduler`, an utterance's course in
`decoding.utterance`. Moonshine decodes so quickly that its partials come every 300 ms, but it gives no times of its
words: it has no timestamps, and its graph gives out no attention. So a window over the end of the utterance cannot be
moved to behind a word. It is moved in sound instead: once the window is as long as it may be, its first part is cut
off in the quietest stretch of the seconds in its middle, decoded for itself, once, and left with those words.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import trio

from voice_trio.core.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, ms_to_samples
from voice_trio.core.endpointer import PRE_ROLL_MS
from voice_trio.engines.base import Hypothesis, Transcript
from voice_trio.engines.decoding.pieces import Cut, Piece, decode_pieces
from voice_trio.engines.decoding.recognizer import DecodingRecognizer
from voice_trio.engines.decoding.scheduler import ALONE, Batch, Job, Scheduler
from voice_trio.engines.decoding.utterance import TAIL, DecodedUtterance, Draft, Partial
from voice_trio.engines.moonshine.decode import Decoded, MoonshineDecoder

if TYPE_CHECKING:
    import numpy as np

LANGUAGE = "en"

FIRST_SAMPLES = ms_to_samples(200 + PRE_ROLL_MS)
"""Audio of the first hypothesis. Of less there are no words, and a short one is there with the pause behind it."""

WINDOW = Cut(8.0, first=3 / 8, last=6 / 8, quiet_steps=3)
"""Of partials. At least two seconds are left to tell the next words by."""
PIECE = Cut(12.0, first=1 / 2, last=1.0, quiet_steps=3)
"""Of finals. Longer pieces have no fewer errors, and take the longer to decode when the person has stopped."""


class MoonshineRecognizer(DecodingRecognizer[Decoded]):
    """The recognizer over one loaded model."""

    partial_interval_ms = 300
    first_partial_ms = 1200 + PRE_ROLL_MS
    """Of less than 1.2 s of speech the words are often wrong, and would be taken back."""

    def __init__(self, decoder: MoonshineDecoder, scheduler: Scheduler) -> None:
        super().__init__("moonshine tiny-en", (LANGUAGE,), scheduler)
        self.decoder = decoder

    @asynccontextmanager
    async def open(self, language: str | None) -> AsyncIterator[MoonshineUtterance]:
        """Begin an utterance; speech in another language is taken for English."""
        utterance = MoonshineUtterance(self)
        try:
            yield utterance
        finally:
            utterance.close()


class MoonshineUtterance(DecodedUtterance[Decoded]):
    """One utterance: its audio so far, and what was last made of it."""

    draft_tail = TAIL

    def __init__(self, recognizer: MoonshineRecognizer) -> None:
        super().__init__(recognizer, LANGUAGE)
        self._decoder = recognizer.decoder
        self._left: dict[Piece, Decoded] = {}
        """Parts that partials have left behind."""
        self._latest: Sequence[int] = ()
        """All tokens of the latest decode: the next one's guess."""

    async def hypothesize(self) -> Hypothesis:
        """Return the words of the audio so far; none before there is enough of it. Raises `EngineError` (ASR_FAIL)."""
        if self.samples < FIRST_SAMPLES:
            await trio.lowlevel.checkpoint()
            return Hypothesis("", 0)
        return await super().hypothesize()

    def partial_batch(self) -> Batch[Any, Decoded]:
        """Return none: two at once take as long as one after the other."""
        return ALONE

    def begin_partial(self, through: int, wanted: Callable[[], bool]) -> Partial[Decoded]:
        """Begin a partial of the window, and of what has just been cut off it."""

        def words(decoded: Decoded) -> str:
            self._latest = decoded.ids
            if through <= WINDOW.most_s * SAMPLE_RATE:
                self.draft = Draft(decoded, through)
            return decoded.text

        return Partial(self._job(through, WINDOW, self._left, wanted), words)

    def final_job(self, end: int, wanted: Callable[[], bool]) -> Job[Decoded]:
        """Return what decodes it in pieces."""
        return self._job(end, PIECE, self.pieces, wanted)

    def learn(self, decoded: Decoded, end: int) -> None:
        """Take what a final came to as the next decode's guess: the person may go on."""
        self._latest = decoded.ids

    def transcript(self, decoded: Decoded) -> Transcript:
        """Return its words, which are English."""
        return Transcript(decoded.text, LANGUAGE, 1.0)

    def _job(self, end: int, cut: Cut, known: dict[Piece, Decoded], wanted: Callable[[], bool]) -> Job[Decoded]:
        # Without enough silence behind it, a sentence seems to be broken off.
        pcm, guess = self.audio(0, end).ljust(end * BYTES_PER_SAMPLE, b"\0"), self._latest

        def decode(samples: np.ndarray, parts: Sequence[Decoded]) -> Decoded:
            said = sum(len(part.ids) for part in parts)
            return self._decoder.decode(samples, wanted, guess[said:])

        def job() -> Decoded:
            import numpy as np

            audio = np.frombuffer(pcm, "<i2")
            found = decode_pieces(audio, cut, known, wanted, lambda parts: None, decode)
            return Decoded(
                text=joined([part.text for part, _ in found]),
                ids=tuple(token for part, _ in found for token in part.ids),
                mean_log_probability=min(part.mean_log_probability for part, _ in found),
                compute_s=sum(part.compute_s for part, fresh in found if fresh),
            )

        return job


def joined(texts: Sequence[str]) -> str:
    """Return the text of pieces that were decoded one by one.

    A piece that breaks off in a sentence may be given a full stop; where the next begins with a small letter, it goes.
    """
    said = [text for text in texts if text]
    open_ended = (
        re.sub(r"(?<!\.)\.$", "", text) if after[:1].islower() else text for text, after in pairwise([*said, ""])
    )
    return " ".join(open_ended)
