"""A transcript that has fallen into a loop: how it is noticed, and what of it is worth keeping.

A Whisper decoder that loses the audio says its last words again until it runs out of tokens ("Robust Speech Recognition
via Large-Scale Weak Supervision", Radford et al., 2022, section 4.5, where the remedy is a compression ratio over a
whole window). In a short utterance that ratio says little, so the repeated words themselves are looked for: people say
a word three times ("no, no, no"), and hardly ever four; a phrase of several words twice, and hardly ever three times.

A text that is one group of three or more words said twice is the other way of losing the audio: a sentence that fits a
short context is heard again in the silence behind it. And a loop may stand inside one word: "1,5,5,5,5", "AHHHH".

In scripts that write no spaces signs are counted, of which a word has one to three; a number is one sign there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST_TIMES = {1: 4, 2: 3}
"""How often a group of so many words may be said in a row."""
_LONGEST = 12
_MOST_TIMES_SIGNS = {1: 4, 2: 4, 3: 4}
_LONGEST_SIGNS = 40
_MOST_TIMES_LONGER = 2

_LEAST_DOUBLED = 3
"""Words of a sentence that is said twice; less is said twice for emphasis."""

_IN_WORD = re.compile(
    # A letter: four times, or three times at the end of a word that begins with another; but Henry VIII is no cry.
    r"([^\W\d_])\1{3,}"
    r"|(?<=[^\W\d_])(?!\1)([^\W\d_iI])\2{2,}(?!\w)"
    # Digits with a sign between them: 1,5,5,5. Thousands have three digits each.
    r"|([^\w\s]\d{1,2})\3{2,}"
    # Anything longer, in laughter and the like.
    r"|([^\W\d_]{2,6}?)\4{3,}",
    re.IGNORECASE,
)

_SIGN = re.compile(r"\s*(?:[0-9A-Za-z][0-9A-Za-z.,]*|\S)")


def without_loops(text: str, *, spaced: bool = True) -> str:
    """Return ``text`` with what is repeated too often kept once; the same text where nothing is.

    It is repeated too often where people would hardly say it so often, in words or inside of one.

    ``spaced`` says whether its script writes spaces between words. Case and punctuation count, as a loop repeats them
    too.
    """
    if spaced:
        words = text.split()
        kept = [_IN_WORD.sub(_once, word) for word in _unlooped(words, _MOST_TIMES, _LONGEST)]
        return text if kept == words else " ".join(kept)
    signs = _SIGN.findall(text)
    kept = _unlooped(signs, _MOST_TIMES_SIGNS, _LONGEST_SIGNS)
    return text if kept == signs else "".join(kept)


def without_echo(text: str) -> str:
    """Return the first half of a text that is the same three or more words twice, case and punctuation aside; any other
    text as it is.
    """
    words = text.split()
    half, odd = divmod(len(words), 2)
    if odd or half < _LEAST_DOUBLED:
        return text
    plain = ["".join(filter(str.isalnum, word)).casefold() for word in words]
    return " ".join(words[:half]) if plain[:half] == plain[half:] else text


def _once(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _unlooped(words: Sequence[str], most_times: dict[int, int], longest: int) -> list[str]:
    kept: list[str] = []
    begin = 0
    while begin < len(words):
        size, times = _loop_at(words, begin, most_times, longest)
        kept += words[begin : begin + size]
        begin += size * times
        if times > 1 and words[begin:] == words[begin - size : begin][: len(words) - begin]:
            # The last round broke off where the tokens ran out.
            break
    return kept


def _loop_at(words: Sequence[str], begin: int, most_times: dict[int, int], longest: int) -> tuple[int, int]:
    """Return the size of the group that loops from ``begin`` on and how often it is said; (1, 1) where none does."""
    for size in range(1, min(longest, (len(words) - begin) // 2) + 1):
        group = words[begin : begin + size]
        times = 1
        while words[begin + times * size : begin + (times + 1) * size] == group:
            times += 1
        if times > most_times.get(size, _MOST_TIMES_LONGER):
            return size, times
    return 1, 1
