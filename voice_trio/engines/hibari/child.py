"""The child of the neural voice: hibari, one phrase at a time.

A request ``{"text", "voice", "speed"}`` is answered with ``{"marks": [[sample, char], ...], "phonemes": [[sample,
symbol], ...]}`` and s16le mono audio in the body. Both are empty where the model is one whose inner tensors are not
known.

Only what hibari has of reading and of signal processing is used: its own front door fetches voices from a network.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from voice_trio.engines.espeak.child import ends_sentence, word_starts
from voice_trio.engines.espeak.text import survivable
from voice_trio.engines.hibari.phonemes import PAUSES
from voice_trio.installation import package_folder
from voice_trio.workers import confinement
from voice_trio.workers.main import Fields, Handler, serve

VOICES: Final = ("heart",)
"""What is in the package, the usual one first."""
SEED: Final = 0
"""Of the noise in the sound: the same text is always the same audio."""
STRESS: Final = frozenset("ˈˌ")

_BETWEEN: Final = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=\S)")
_SHORTENED: Final = re.compile(r"(?:^|[\s(\"'“])(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|[A-Z])\.$")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each sentence of ``text`` begins and ends."""
    begin = 0
    for gap in _BETWEEN.finditer(text):
        if not text[gap.end()].islower() and not _SHORTENED.search(text[begin : gap.start()]):
            yield begin, gap.end()
            begin = gap.end()
    if text[begin:].strip():
        yield begin, len(text)


def begins(signs: str, starts: list[int], frame: int, late: int) -> list[int]:
    """Return the sample at which each of ``signs`` is heard to begin, where it has ``starts``, in frames of ``frame``.

    A stress sign stands for the beginning of the sound behind it, and so does a space between two words: the second
    begins where the first ends, unless there is a pause.
    """
    heard = [max(0, start * frame - late) for start in starts[: len(signs)]]
    for at in range(len(signs) - 1):
        if signs[at] in STRESS or (signs[at] == " " and signs[at - 1] not in PAUSES):
            heard[at + 1] = heard[at]
    return heard


def load() -> tuple[Fields, Handler]:
    """Load hibari. What it takes in memory is kept small: there is one such process for each phrase at once."""
    # A library's threads would outlive what `confine` gives up.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"
    import numpy as np
    from hibari import dsp

    from voice_trio.engines.hibari import sound
    from voice_trio.engines.hibari.model import FRAME, LATE, LONGEST, Model
    from voice_trio.engines.hibari.phonemes import Reader, Word

    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda keep: 0)
    assets = _assets()
    reader = Reader(assets)
    model = Model(assets / "hibari.onnx")

    def chunks(words: list[Word]) -> Iterator[list[Word]]:
        """Cut a sentence into what the model takes at once, behind a sign where there is one in the second half."""
        chunk: list[Word] = []
        size = last = 0
        for word in words:
            for start in range(0, len(word.phonemes), LONGEST):
                part = Word(word.phonemes[start : start + LONGEST], word.place if start == 0 else None)
                if size + len(part.phonemes) > LONGEST:
                    cut = last or len(chunk)
                    yield chunk[:cut]
                    chunk = chunk[cut:]
                    size, last = sum(len(one.phonemes) for one in chunk), 0
                chunk.append(part)
                size += len(part.phonemes)
                if part.place is None and size > LONGEST // 2:
                    last = len(chunk)
        if chunk:
            yield chunk

    def say(words: list[Word], speed: float) -> tuple[Any, list[tuple[int, int]], list[tuple[int, str]]]:
        """Return the sound of ``words``, where the places of words begin in it, and where its phonemes do."""
        signs = "".join(word.phonemes for word in words).rstrip()
        spectrum = model([0, *(reader.vocabulary[sign] for sign in signs), 0], speed)
        wave = sound.levelled(dsp.synth(*spectrum.parts, np.random.default_rng(SEED)))
        left_out = sound.cuts(wave)
        marks: list[tuple[int, int]] = []
        phonemes: list[tuple[int, str]] = []
        if spectrum.starts is not None:
            starts = [sound.moved(at, left_out) for at in begins(signs, spectrum.starts[1:], FRAME, LATE)]
            phonemes = [
                (at, sign) for at, sign in zip(starts, signs, strict=False) if sign not in STRESS and sign != " "
            ]
            first = 0
            for word in words:
                if word.place is not None and first < len(signs):
                    marks.append((starts[first], word.place))
                first += len(word.phonemes)
        return sound.without(wave, left_out), marks, phonemes

    def handle(fields: Fields, body: bytes) -> tuple[Fields, bytes]:
        text: str = fields["text"]
        spoken = survivable(text)
        waves: list[Any] = []
        marks: list[tuple[int, int]] = []
        phonemes: list[tuple[int, str]] = []
        length = 0
        for begin, end in sentences(spoken.text):
            sentence = spoken.text[begin:end]
            made = 0
            for words in chunks(reader.read(sentence, begin)):
                if not any(word.place is not None for word in words):
                    continue
                wave, at_words, at_phonemes = say(words, fields["speed"])
                marks += [(length + made + sample, spoken.places[place]) for sample, place in at_words]
                phonemes += [(length + made + sample, sign) for sample, sign in at_phonemes]
                waves.append(wave)
                made += len(wave)
            if made and ends_sentence(sentence):
                waves.append(np.zeros(sound.SENTENCE - sound.TAIL, np.float32))
                made += len(waves[-1])
            length += made
        pcm = b"".join(map(sound.pcm, waves))
        # Of the 30 MB that a phrase took, the C library would keep most for the next one.
        waves.clear()
        trim(0)
        return {"marks": word_starts(marks, text), "phonemes": phonemes}, pcm

    # The first phrase is to take no longer than the others.
    handle({"text": "Ready.", "speed": 1.0}, b"")
    belts = confinement.confine(confinement.NOTHING)
    return {"voices": VOICES, "times": model.tells_times, "belts": belts}, handle


def _assets() -> Path:
    """Return hibari's folder of data, without importing it."""
    package = package_folder("hibari")
    assert package is not None
    return package / "assets"


if __name__ == "__main__":
    serve(load)
