"""What a text is guessed to be, so that one step of the decoder may tell of many tokens at once.

Somebody who is still speaking is decoded again and again, and most of what they say is what it was the last time. Given
those tokens, the decoder tells for each what it would have said there, in little more time than for one: this is
speculative decoding, with the last decode in the place of a smaller model ("Fast Inference from Transformers via
Speculative Decoding", Leviathan et al., 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_NEAR: Final = 6
"""So far behind a wrong token the right one is looked for: the rest of a guess that lacks a word, or has one too many,
is as good as before."""


class Guess:
    """Follows a decode through the guess at its tokens."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tried = self._rest = tokens
        """What is tried with the next step, and what is behind the last token that was right."""

    def tries(self, most: int) -> Sequence[int]:
        """Return what to try with the next step: at most so many tokens, and often none."""
        self._tried = self._tried[:most]
        return self._tried

    def follow(self, told: Sequence[int]) -> int:
        """Return how many of the tokens that were tried are right, from the first on.

        ``told`` is what the decoder says in the place of each of them, and behind the last: one more than were tried.
        """
        right = next((place for place, token in enumerate(self._tried) if told[place] != token), len(self._tried))
        self._rest = self._rest[right:]
        near = list(self._rest[:_NEAR])
        self._tried = ()
        if told[right] in near:
            self._rest = self._tried = self._rest[near.index(told[right]) + 1 :]
        return right
