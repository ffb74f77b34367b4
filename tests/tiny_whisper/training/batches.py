"""Batches for the trainer: recordings set into rooms and silences, with the token sequences they should become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from . import recordings
from .recordings import FRAMES_PER_S, Recording

SIZE = 16
_SORTED = 16
"""Batches that are drawn together and made of examples of like lengths, or most of them would be padding."""
PADDED_FRAMES = 3000
_CONTEXT_TOKENS = 100
MOST_FRAMES = 2998
"""The encoder takes fewer than 3,000 where it is not given all of them."""
IGNORED = -100


Example = tuple[np.ndarray, list[int], list[int], list[tuple[float, float, list[int]]]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples that are learnt from at once."""

    features: Tensor
    """(batch, 80, frames)."""
    tokens: Tensor
    """(batch, places): what the decoder is given."""
    wanted: Tensor
    """(batch, places): what it should say next; `IGNORED` where that does not count."""
    words: Tensor
    """All text tokens of the batch in a row, for CTC."""
    lengths: Tensor
    """How many of them each example has."""


def _token(tokenizer: Tokenizer, text: str) -> int:
    found = tokenizer.token_to_id(text)
    assert found is not None, text
    return found


class Batches:
    """Draws batches without end, each in ``parts`` of like lengths; the same seed draws the same ones.

    With ``long``, sentences are joined too, and some batches are padded to the 30 s that Whisper is used to: with 3 %
    of them a model had twice as many errors on padded audio as on short.
    """

    def __init__(
        self,
        speech: list[Recording],
        sounds: list[Recording],
        tokenizer: Tokenizer,
        seed: int,
        *,
        long: bool,
        parts: int = 1,
    ) -> None:
        self._speech, self._sounds, self._tokenizer = speech, sounds, tokenizer
        self._long = long
        self._parts = parts
        self._random = np.random.default_rng(seed)
        self._noises = [recordings.power(sound.features) for sound in sounds if sound.voice != "silence"]
        self._ids = [tokenizer.encode(" " + one.text).ids for one in speech]
        self._end = _token(tokenizer, "<|endoftext|>")
        self._start = _token(tokenizer, "<|startoftranscript|>")
        self._previous = _token(tokenizer, "<|startofprev|>")
        self._no_speech = _token(tokenizer, "<|nospeech|>")
        self._no_times = _token(tokenizer, "<|notimestamps|>")
        self._zero = _token(tokenizer, "<|0.00|>")

    def __iter__(self) -> Iterator[list[Batch]]:
        size = SIZE * self._parts
        while True:
            drawn = sorted((self._example() for _ in range(_SORTED * size)), key=lambda example: len(example[0]))
            for at in self._random.permutation(_SORTED):
                whole = drawn[at * size : at * size + size]
                if self._long and self._random.random() < 0.15:
                    whole, frames = whole[::2], PADDED_FRAMES
                else:
                    frames = min(len(whole[-1][0]) + int(self._random.integers(2, 160)), MOST_FRAMES)
                yield [self._batch(whole[part :: self._parts], frames) for part in range(self._parts)]

    def _example(self) -> Example:
        """Return power (frames, 80), previous context, text tokens, and the same as segments with their times in
        seconds.
        """
        random = self._random
        noise = self._noises[random.integers(len(self._noises))]
        if random.random() < 0.07:
            sound = self._sounds[random.integers(len(self._sounds))]
            return recordings.power(sound.features), self._context(), [], []
        parts: list[np.ndarray] = []
        segments: list[tuple[float, float, list[int]]] = []
        frames = 0

        def hush(seconds: float) -> None:
            nonlocal frames
            parts.append(np.full((max(1, round(seconds * FRAMES_PER_S)), 80), 1e-10, np.float32))
            frames += len(parts[-1])

        hush(random.uniform(0, 0.6) if random.random() < 0.8 else random.uniform(0, 2.5))
        for _ in range(random.choice([1, 2, 3, 5], p=[0.62, 0.2, 0.12, 0.06] if self._long else [1, 0, 0, 0])):
            at = int(random.integers(len(self._speech)))
            # Every part in a voice and at a level of its own would teach that joined sentences have two speakers.
            spoken = recordings.vary(recordings.power(self._speech[at].features), noise, random)
            if frames + len(spoken) > MOST_FRAMES - 80:
                break
            segments.append((frames / FRAMES_PER_S, (frames + len(spoken)) / FRAMES_PER_S, self._ids[at]))
            parts.append(spoken / max(float(spoken.mean()), 1e-12))
            frames += len(spoken)
            hush(random.uniform(0.05, 0.8))
        whole = np.concatenate(parts)
        # A room's own noise, under everything.
        start = int(random.integers(0, len(noise)))
        floor = np.take(noise, range(start, start + len(whole)), axis=0, mode="wrap")
        whole = whole + floor * (10 ** -random.uniform(2.0, 6.0) / max(float(floor.mean()), 1e-12))
        words = [token for _, _, ids in segments for token in ids]
        return whole[:MOST_FRAMES], self._context(), words, segments

    def _context(self) -> list[int]:
        if self._random.random() > 0.3:
            return []
        drawn = self._random.integers(len(self._ids), size=self._random.integers(1, 6))
        return [self._previous, *(token for at in drawn for token in self._ids[at])][:_CONTEXT_TOKENS]

    def _batch(self, examples: list[Example], frames: int) -> Batch:
        features = np.empty((len(examples), frames, 80), np.float32)
        # OpenAI pads the audio, and silence lies 80 dB under the loudest; faster-whisper pads the features, with zeros.
        zeros = frames == PADDED_FRAMES and self._random.random() < 0.5
        sequences, wanted = [], []
        for row, (power, context, words, segments) in enumerate(examples):
            logs = recordings.log_features(power)
            features[row] = 0 if zeros else logs.max() - 2
            features[row, : len(logs)] = logs[:frames]
            if not words:
                said = [self._no_times]
                first = self._no_speech
            elif self._random.random() < 0.12:
                said = []
                for start, end, ids in segments:
                    said += [self._zero + round(start / 0.02), *ids, self._zero + round(min(end, 30) / 0.02)]
                first = said[0]
            else:
                said = [self._no_times, *words]
                first = self._no_times
            sequences.append([*context, self._start, *said])
            # Whether anybody speaks is asked at the place after <|startoftranscript|>, whatever is given there next.
            wanted.append([IGNORED] * len(context) + [first, *said[1:], self._end])
        places = max(len(sequence) for sequence in sequences)
        tokens = torch.full((len(examples), places), self._end)
        targets = torch.full((len(examples), places), IGNORED)
        for row, (sequence, target) in enumerate(zip(sequences, wanted, strict=True)):
            tokens[row, : len(sequence)] = torch.tensor(sequence)
            targets[row, : len(target)] = torch.tensor(target)
        spoken = [words for _, _, words, _ in examples]
        return Batch(
            torch.from_numpy(features).transpose(1, 2),
            tokens,
            targets,
            torch.tensor([token for words in spoken for token in words], dtype=torch.long),
            torch.tensor([len(words) for words in spoken]),
        )
