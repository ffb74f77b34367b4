"""An utterance of Whisper's: partials over a tail window of bounded length, a final in pieces, and its language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.tail_window import TailWindow, TimedWord
from voice_trio.engines.base import SURE_LANGUAGE_PROBABILITY, SURE_LANGUAGE_S, Transcript
from voice_trio.engines.decoding.pieces import Cut, Piece, decode_pieces
from voice_trio.engines.decoding.scheduler import Batch, Job
from voice_trio.engines.decoding.utterance import DecodedUtterance, Draft, Partial
from voice_trio.engines.whisper.decode import PADDED_S, Asked, Decoded, WhisperDecoder, floats

if TYPE_CHECKING:
    import numpy as np

    from voice_trio.engines.whisper.recognizer import WhisperRecognizer

_CUT = Cut(PADDED_S)


@dataclass(frozen=True, slots=True)
class _Draft(Draft[Decoded]):
    least_s: float
    """The context that it was asked for with."""


class WhisperUtterance(DecodedUtterance[Decoded]):
    """One utterance: its audio so far, and what was last made of it."""

    def __init__(
        self, recognizer: WhisperRecognizer, language: str | None, likely: str | None, window: TailWindow
    ) -> None:
        super().__init__(recognizer, language)
        self._likely = likely
        self._whisper = recognizer
        self._window = window

    def partial_batch(self) -> Batch[Any, Decoded]:
        """Return those with a context, or those without."""
        return self._whisper.partials[bool(self._window.before)]

    def begin_partial(self, through: int, wanted: Callable[[], bool]) -> Partial[Decoded]:
        """Begin a partial of the window. A decode of CTranslate2's cannot be stopped."""
        self._window.make_room(through)
        begin, context = self._window.begin, self._window.before
        audio, language = self.audio(begin, through), self.language
        if begin and language is None and self.draft is not None:
            language = _sure_of(self.draft.decoded, self.draft.through)
        least_s = self._whisper.context.partial_s

        def placed(words: Sequence[TimedWord]) -> list[TimedWord]:
            return [TimedWord(word.text, begin + word.begin, begin + word.end) for word in words]

        def ask() -> Asked:
            return Asked(
                floats(audio),
                language,
                least_s,
                context,
                lambda words: self._window.wants_places(placed(words), through),
                self._likely,
                again=False,
            )

        def words(decoded: Decoded) -> str:
            self._whisper.learn(decoded)
            if not decoded.words:
                # Nothing is heard, or what is heard cannot be trusted so far as to cut by it.
                return f"{context} {decoded.text}".strip()
            if not begin and not context:
                self.draft = _Draft(decoded, through, least_s)
            return self._window.push(placed(decoded.words), through)

        return Partial(ask, words)

    def final_job(self, end: int, wanted: Callable[[], bool]) -> Job[Decoded]:
        """Return what decodes it in pieces."""
        audio, language, least_s = self.audio(0, end), self.language, self._whisper.context.final_s
        decoder, likely = self._whisper.decoder, self._likely
        return lambda: decode_all(decoder, floats(audio), language, least_s, self.pieces, wanted, likely)

    def transcript(self, decoded: Decoded) -> Transcript:
        """Return its words and their language."""
        return Transcript(decoded.text, decoded.language, decoded.language_probability)

    def good_enough(self, draft: Draft[Decoded]) -> bool:
        """Return whether its context was the final's."""
        assert isinstance(draft, _Draft)
        return draft.decoded.padded or self._whisper.context.final_s <= draft.least_s

    def learn(self, decoded: Decoded, end: int) -> None:
        """Take the language, if it is sure, and whether it tripped."""
        self._whisper.learn(decoded)
        # Finding the language costs a pass of the decoder, and may turn out differently each time.
        self.language = self.language or _sure_of(decoded, end)


def decode_all(
    decoder: WhisperDecoder,
    audio: np.ndarray,
    language: str | None,
    least_s: float,
    known: dict[Piece, Decoded],
    wanted: Callable[[], bool],
    likely: str | None = None,
) -> Decoded:
    """Decode ``audio`` of any length, in pieces that Whisper can take, for as long as it is ``wanted``.

    ``language`` and ``likely`` are what `Asked` has, the latter the same as for all that is ``known``. The cost is that
    of the pieces that were not.
    """

    def language_after(parts: Sequence[Decoded]) -> str | None:
        return parts[0].language if parts else language

    def decode(samples: np.ndarray, parts: Sequence[Decoded]) -> Decoded:
        said = " ".join(part.text for part in parts)
        return decoder.decode(samples, language=language_after(parts), least_s=least_s, context=said, likely=likely)

    found = decode_pieces(audio, _CUT, known, wanted, lambda parts: (language_after(parts), least_s), decode)
    parts = [part for part, _ in found]
    return Decoded(
        text=" ".join(part.text for part in parts if part.text),
        language=parts[0].language,
        language_probability=parts[0].language_probability,
        words=(),
        padded=all(part.padded for part in parts),
        compute_s=sum(part.compute_s for part, fresh in found if fresh),
        tripped=any(part.tripped for part in parts),
    )


def _sure_of(decoded: Decoded, samples: int) -> str | None:
    """Return the language of ``decoded``, if that much audio and a probability so high make it sure."""
    sure = (
        samples >= SURE_LANGUAGE_S * SAMPLE_RATE
        and decoded.language_probability >= SURE_LANGUAGE_PROBABILITY
        and decoded.text
    )
    return decoded.language if sure else None
