"""Speech that spells its words, and a recognizer that reads them: what becomes of each word that was said can be told.

A word is heard wherever a piece of its sound is, however the audio was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voice_trio.core.audio import ms_to_samples
from voice_trio.testing.scripted import ScriptedRecognizer, ScriptedUtterance, silent

_MARK = b"\xff\x7f"
"""A sample between two spellings of a word. A letter is a sample, too, with a second byte of zero."""


def spoken(*words: str, word_ms: int = 240, gap_ms: int = 60) -> bytes:
    """Return audio (s16, 16 kHz, mono) of ``words``, each of so much sound and so much silence after it."""
    return b"".join(_sound(word, ms_to_samples(word_ms)) + silent(gap_ms) for word in words)


def _sound(word: str, samples: int) -> bytes:
    spelling = _MARK + word.encode("utf-16-le")
    return (spelling * (2 * samples // len(spelling) + 1))[: 2 * samples]


def words_in(pcm: bytes) -> Iterator[str]:
    """Yield the words that are spoken in ``pcm``: they are in ASCII."""
    at = pcm.find(_MARK)
    while at >= 0:
        silence = pcm.find(b"\0\0", at) % (len(pcm) + 1)
        end = pcm.find(_MARK, at + len(_MARK), silence)
        if end > 0:
            yield pcm[at + len(_MARK) : end].decode("utf-16-le")
        at = pcm.find(_MARK, silence)


class LiteralUtterance(ScriptedUtterance):
    """One utterance of a `LiteralRecognizer`."""

    def __init__(self, recognizer: ScriptedRecognizer, language: str | None) -> None:
        super().__init__(recognizer, language)
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> None:
        """Add audio."""
        super().feed(pcm)
        self._pcm += pcm

    def _words(self, samples: int) -> str:
        return " ".join(words_in(bytes(self._pcm[: 2 * samples])))


@dataclass
class LiteralRecognizer(ScriptedRecognizer):
    """Hears the words that `spoken` says, in the times of a `ScriptedRecognizer`."""

    utterance: type[ScriptedUtterance] | None = LiteralUtterance
