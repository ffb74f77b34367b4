"""What a text is guessed to be, so that one step of the decoder may tell of many tokens at once.

Somebody who is still speaking is decoded again and again, and most of what they say is what it was the last time. Given
those tokens, the decoder says for each what it would have said there, in little more time than for one: this is
speculative decoding, with the last decode in the place of a smaller model ("Fast Inference from Transformers via
Speculative Decoding", Leviathan et al., 2023). Where it says something else, that counts, and not what was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_NEAR: Final = 6
"""So far behind a wrong token the right one is looked for: the rest of a guess that lacks a word, or has one too many,
is as good as before. What differs by more than that is lost with all that follows."""
_WARY: Final = 4
"""So many tokens are tried after one was wrong, and twice as many with each try that was right altogether: a guess that
is of something else costs little."""


class Guess:
    """Follows a decode through the guess at its tokens."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._rest = tokens
        """From the first token on that was not right yet."""
        self._tried: Sequence[int] = ()
        self._fits = True
        """Whether what comes next is thought to be the first of the rest."""
        self._most = len(tokens)

    def next_try(self, most: int) -> Sequence[int]:
        """Return what to give the decoder in the next step, besides the last token: at most so many, often none."""
        self._tried = self._rest[: min(most, self._most)] if self._fits else ()
        return self._tried

    def follow(self, said: Sequence[int]) -> int:
        """Return how many of the tokens that were tried are right, from the first on.

        ``said`` is what the decoder says in the place of each of them, and behind the last: one more than were tried.
        """
        right = next((place for place, token in enumerate(self._tried) if said[place] != token), len(self._tried))
        self._most = _WARY if right < len(self._tried) else self._most + right
        self._rest = self._rest[right:]
        near = list(self._rest[:_NEAR])
        self._fits = said[right] in near
        if self._fits:
            self._rest = self._rest[near.index(said[right]) + 1 :]
        return right
