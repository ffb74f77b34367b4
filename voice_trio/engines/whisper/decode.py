"""One decode: audio in, words out, straight through CTranslate2's encoder and decoder.

faster-whisper's own `transcribe` pads whatever it is given to 30 s, which is most of what a short utterance costs. Here
the encoder gets the audio that there is, silence behind it up to a floor, and no more. Weights that were trained on
30 s alone may loop, or say a sentence twice, on a context so cut: they trip. A partial that tripped is shown as far as
it did not loop, since the next one is on its way. A final is decoded again in 10 s, and then padded; what loops even so
is no speech.

Several may be decoded at once: each step of the decoder reads all of its weights, and two rows of one step cost hardly
more than one.

Everything in this file runs in a thread of the scheduler's; nothing of Trio is in it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.repetition import without_echo, without_loops
from voice_trio.core.tail_window import TimedWord
from voice_trio.engines.base import SURE_LANGUAGE_PROBABILITY
from voice_trio.engines.whisper.batches import max_length, prompts_of, stacked

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel

PADDED_S: Final = 30.0
"""What Whisper was trained on, and the longest audio that one decode takes."""

FLOOR_S: Final = 10.0
"""Stock weights loop in less, in every fourth utterance of under 4 s, and hardly ever in this much."""

_FRAMES_PER_S = 100
_PADDED_FRAMES = 3000
_FEWEST_FRAMES = 2
"""Of which the encoder makes one position."""

_BEAMS = 5
"""Readings that a final follows, as Whisper's authors have it: fewer words are wrong than with the likeliest token of
each step, for 9 % more work, since most of a decode is the encoder's."""

_TOKENS_PER_S = 12
_TOKENS_SPARE = 16
_TOKENS_MOST = 220
"""Of 30 s. Fast speech is about 6 tokens a second, and up to 12 in scripts that are spelt in bytes."""
_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my"})
"""Languages that are written without spaces between words."""

_NO_SPEECH = 0.6
_DOUBTFUL = -1.0
_CERTAINLY_NO_SPEECH = 0.9
"""Whisper's own rule is a probability of silence over 0.6 and a mean log-probability of the tokens under -1; a
probability over 0.9 is believed as it is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be decoded, and how."""

    audio: np.ndarray
    """float32 at 16 kHz, at most `PADDED_S` seconds of it."""
    language: str | None
    """None has it found out."""
    least_s: float
    """The shortest context that the encoder is given, 0 to 30 s."""
    context: str = ""
    """What was said just before."""
    timed: Callable[[Sequence[TimedWord]], bool] = lambda words: False
    """Given the words with guessed places: whether their true ones are wanted, at a tenth of the cost again. Called in
    the decode's thread."""
    likely: str | None = None
    """The language where none is given and the one that is found is not sure; None leaves it to the decoder."""
    again: bool = True
    """Whether it is a final: several readings are followed, and what trips is decoded again in more context. A partial
    is to be quick, and the next one is on its way."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one decode made of its audio."""

    text: str
    language: str | None
    language_probability: float
    """0.0 to 1.0; 1.0 where the language was given."""
    words: tuple[TimedWord, ...]
    """With their places in the audio: found where that was asked for, else guessed. Empty where they were asked for and
    cannot be had, and where the words are doubtful."""
    padded: bool
    """Whether the encoder was given 30 s."""
    compute_s: float
    """Seconds that its thread took; of several decoded at once, its share."""
    tripped: bool = False
    """Whether it looped, or said the same twice, in the context that was asked for."""


class WhisperDecoder:
    """A loaded model, as decodes need it. Thread-safe, as the model is."""

    def __init__(self, model: WhisperModel, *, margin_s: float, likely: str | None = None) -> None:
        """``likely`` is the language of speech whose language is not sure to be any, before English: short speech is
        often taken for another.
        """
        from faster_whisper.tokenizer import Tokenizer

        # The library names all that any Whisper knows, and those before large-v3 know no Cantonese.
        self.languages: Sequence[str] = tuple(
            language
            for language in model.supported_languages
            if not model.model.is_multilingual or model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None
        )
        self._model = model
        self._bands: int = model.feature_extractor.mel_filters.shape[0]
        self._margin_s = margin_s
        self._likely = likely
        self._tokenizers: dict[str | None, Tokenizer] = {}

    def decode(
        self,
        audio: np.ndarray,
        *,
        language: str | None,
        least_s: float,
        context: str = "",
        timed: bool = False,
        likely: str | None = None,
    ) -> Decoded:
        """Return the words of ``audio``, as one that is `Asked`. Raises as `decode_batch` does."""
        return self.decode_batch([Asked(audio, language, least_s, context, lambda words: timed, likely)])[0]

    def decode_batch(self, asked: Sequence[Asked]) -> list[Decoded]:
        """Return the words of each. Raises what CTranslate2 raises: RuntimeError, ValueError."""
        found: dict[int, Decoded] = {}
        # All or none of one batch have a context, as the library wants it; and nobody is to lose theirs.
        for has_context in (False, True):
            places = [place for place, one in enumerate(asked) if bool(one.context) is has_context]
            if places:
                found |= zip(places, self._decode_alike([asked[place] for place in places]), strict=True)
        return [found[place] for place in range(len(asked))]

    def _decode_alike(self, asked: Sequence[Asked]) -> Iterator[Decoded]:
        began = time.perf_counter()
        length = max(max(len(one.audio) / SAMPLE_RATE + self._margin_s, one.least_s) for one in asked)
        all_tried = self._try(asked, length)
        share = (time.perf_counter() - began) / len(asked)
        for one, tried in zip(asked, all_tried, strict=True):
            began = time.perf_counter()
            tripped = tried.tripped
            if one.again:
                # The language that a cut context led to may be as wrong as the words, and what was said before is what
                # a loop often goes on with.
                for longer in (FLOOR_S, PADDED_S):
                    if tried.tripped and (longer > length or (one.context and longer == PADDED_S)):
                        (tried,) = self._try([replace(one, context="")], longer)
            yield Decoded(
                text=tried.believable if one.again else tried.text,
                language=tried.language,
                language_probability=tried.language_probability,
                words=tried.words,
                padded=tried.padded,
                compute_s=share + time.perf_counter() - began,
                tripped=tripped,
            )

    def _try(self, asked: Sequence[Asked], length_s: float) -> list[_Try]:
        """Decode each in a context of ``length_s``."""
        all_features = [self._features(one.audio, length_s) for one in asked]
        frames = all_features[0].shape[1]
        memories = [self._model.encode(features) for features in all_features]
        tokenizers, probabilities = [], []
        for one, memory in zip(asked, memories, strict=True):
            language, probability = one.language, 1.0
            if language is None and self._model.model.is_multilingual:
                mark, probability = self._model.model.detect_language(memory)[0][0]
                language = mark[2:-2]
                if probability < SURE_LANGUAGE_PROBABILITY:
                    language = self._likeliest(one.likely) or language
            tokenizers.append(self._tokenizer(language))
            probabilities.append(probability)
        prompts = prompts_of([one.context for one in asked], tokenizers)
        most = [min(_TOKENS_SPARE + round(len(one.audio) / SAMPLE_RATE * _TOKENS_PER_S), _TOKENS_MOST) for one in asked]
        results = self._model.model.generate(
            stacked(memories),
            prompts,
            beam_size=_BEAMS if all(one.again for one in asked) else 1,
            max_length=max_length(max(most), prompts[0]),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed(tokenizers[0]),
        )
        tried = []
        for at, (one, tokenizer, result) in enumerate(zip(asked, tokenizers, results, strict=True)):
            ids = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
            text = tokenizer.decode(ids).strip()
            if _is_no_speech(result):
                ids, text = [], ""
            kept = without_loops(text, spaced=tokenizer.language_code not in _UNSPACED)
            looped = kept != text or len(ids) >= most[at]
            once = without_echo(kept)
            tripped = looped or once != kept
            words: tuple[TimedWord, ...] = ()
            if ids and not tripped:
                words = _spread(tokenizer, ids, len(one.audio))
                if one.timed(words):
                    words = self._placed(tokenizer, ids, memories[at], frames, len(one.audio))
            padded = frames == _PADDED_FRAMES
            # At the last, padded, nothing is heard twice in the silence: who says a sentence twice is believed.
            believable = "" if looped else kept
            language, probability = tokenizer.language_code, probabilities[at]
            tried.append(_Try(once, language, probability, words, padded, tripped, believable))
        return tried

    def _likeliest(self, asked: str | None) -> str | None:
        """Return the first of the likely languages that the model knows, the one that was ``asked`` for before ours."""
        return next((one for one in (asked, self._likely, "en") if one in self.languages), None)

    def _features(self, audio: np.ndarray, length_s: float) -> np.ndarray:
        """Return (bands, frames) of ``audio`` and the silence behind it."""
        frames = max(_FEWEST_FRAMES, min(round(length_s * _FRAMES_PER_S), _PADDED_FRAMES))
        # The encoder makes a position of two frames. Where there are as many positions as bands, 80 or 128, CTranslate2
        # takes what it made for features, encodes it again, and gives other words without a warning.
        if -(-frames // 2) == self._bands:
            frames = 2 * self._bands + 1
        samples = frames * SAMPLE_RATE // _FRAMES_PER_S
        features: np.ndarray = self._model.feature_extractor(audio[:samples], padding=max(0, samples - len(audio)))
        return features

    def _placed(self, tokenizer: Any, ids: list[int], memory: Any, frames: int, samples: int) -> tuple[TimedWord, ...]:
        """Return the words of ``ids`` with their places, by the decoder's attention to the encoder's positions."""
        try:
            found = self._model.find_alignment(tokenizer, [ids], memory, frames)[0]
        except (RuntimeError, ValueError, IndexError):
            # A model converted without `alignment_heads` has none, and the words are no worse for it.
            return ()

        def place(seconds: float) -> int:
            # A last word seems to go on into the margin, where nothing was said yet.
            return min(int(seconds * SAMPLE_RATE), samples)

        return tuple(
            TimedWord(word["word"], place(word["start"]), place(word["end"])) for word in found if word["word"].strip()
        )

    def _tokenizer(self, language: str | None) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            multilingual = self._model.model.is_multilingual
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, multilingual, task="transcribe", language=language or "en"
            )
        return self._tokenizers[language]

    @staticmethod
    def _suppressed(tokenizer: Any) -> list[int]:
        special = [tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm]
        return sorted({*tokenizer.non_speech_tokens, *special, tokenizer.no_speech} - {None})


@dataclass(frozen=True, slots=True)
class _Try:
    text: str
    language: str | None
    language_probability: float
    words: tuple[TimedWord, ...]
    padded: bool
    tripped: bool
    believable: str
    """What is left of ``text`` where no longer context can be tried."""


def _spread(tokenizer: Any, ids: list[int], samples: int) -> tuple[TimedWord, ...]:
    """Return the words of ``ids``, each as long as its tokens are many."""
    words, tokens = tokenizer.split_to_word_tokens(ids)
    ends = [samples * count // len(ids) for count in itertools.accumulate(map(len, tokens), initial=0)]
    return tuple(
        TimedWord(word, begin, end) for word, begin, end in zip(words, ends, ends[1:], strict=False) if word.strip()
    )


def floats(pcm: bytes) -> np.ndarray:
    """Return s16le ``pcm`` as `WhisperDecoder.decode` takes it."""
    import numpy as np

    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768


def _is_no_speech(result: Any) -> bool:
    probability: float = result.no_speech_prob
    # CTranslate2's score is the sum over the tokens and the end, by the number of tokens alone.
    tokens = len(result.sequences_ids[0])
    mean = result.scores[0] * tokens / (tokens + 1)
    return probability > _CERTAINLY_NO_SPEECH or (probability > _NO_SPEECH and bool(mean < _DOUBTFUL))
