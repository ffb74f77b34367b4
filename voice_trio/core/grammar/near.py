"""Which fixed word a recognizer may have meant by what it wrote: one that sounds the same, or is a letter off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

SHORTEST: Final = 4
"""A shorter word that is a letter off is another word."""
_LONGEST: Final = 24

_ALIKE: Final = {
    "ad": "add",
    "at": "add",
    "canceled": "cancel",
    "cancelled": "cancel",
    "said": "set",
    "role": "roll",
    "row": "roll",
    "dye": "die",
    "dies": "dice",
    "hands": "heads",
    "tales": "tails",
    "tale": "tell",
    "red": "read",
    "or": "are",
    "lists": "list",
}
"""As it is written -> the fixed word that it is taken for besides."""


class Vocabulary:
    """The fixed words of a grammar.

    A word is a letter off another one (a letter more, less, other, or two of them swapped) where both have a form in
    common that lacks one letter: so all near words are found by as many look-ups as the word has letters (Garbe's
    symmetric deletes).
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._lacking: defaultdict[str, set[str]] = defaultdict(set)
        for word in self._words:
            if len(word) >= SHORTEST:
                for form in _forms(word):
                    self._lacking[form].add(word)

    def meant(self, written: str) -> dict[str, int]:
        """Return which fixed words ``written`` may be, and how many errors that takes: 0 or 1."""
        alike = _ALIKE.get(written)
        found = {word: 0 for word in (written, alike) if word in self._words}
        if not found and SHORTEST <= len(written) <= _LONGEST and written.isalpha():
            for form in _forms(written):
                for word in self._lacking.get(form, ()):
                    if _is_letter_off(written, word):
                        found[word] = 1
        return found


def _forms(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _is_letter_off(one: str, other: str) -> bool:
    """Return whether that is all that they differ by, for words that have a form in common."""
    if len(one) != len(other):
        return abs(len(one) - len(other)) == 1
    differ = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    swapped = len(differ) == 2 and one[differ[0] : differ[1] + 1] == other[differ[0] : differ[1] + 1][::-1]
    return len(differ) == 1 or (swapped and differ[1] - differ[0] == 1)
