"""Numbers in words and figures, as recognizers write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from voice_trio.core.grammar.tokens import Token

_WORDS: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS_WORDS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS: Final = """
zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth
"""
ONES: Final = {word: number for number, word in enumerate(_WORDS.split())}
"""Word -> number, 0 to 19."""
TENS: Final = {word: 10 * number for number, word in enumerate(_TENS_WORDS.split(), start=2)}
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS: Final = {word: number for number, word in enumerate(_ORDINAL_WORDS.split())} | {
    f"{word[:-1]}ieth": number for word, number in TENS.items()
}
_FRACTIONS: Final = {"half": Fraction(1, 2), "halves": Fraction(1, 2)} | {
    word + ending: Fraction(1, parts)
    for parts, word in ((3, "third"), (4, "quarter"), (5, "fifth"), (8, "eighth"), (10, "tenth"))
    for ending in ("", "s")
}
_FIGURES: Final = re.compile(r"\d{1,30}(?:\.\d{1,30})?|\.\d{1,30}")
"""More of them are no number that anybody says."""

Parses = Iterator[tuple[int, Fraction]]


def word_at(tokens: Sequence[Token], at: int) -> str:
    """Return the word at ``at``; the empty one behind the last."""
    return tokens[at].word if at < len(tokens) else ""


def figures_at(tokens: Sequence[Token], at: int) -> Fraction | None:
    """Return the number in figures that stands there."""
    word = word_at(tokens, at)
    return Fraction(word) if word.isascii() and _FIGURES.fullmatch(word) else None


def below_hundred(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """Return where the number of 0 to 99 in words that begins there ends, and it."""
    word = word_at(tokens, at)
    if word in TENS:
        after = ONES.get(word_at(tokens, at + 1), 0)
        return (at + 2, TENS[word] + after) if 1 <= after <= 9 else (at + 1, TENS[word])
    return (at + 1, ONES[word]) if word in ONES else None


def cardinal(tokens: Sequence[Token], at: int) -> tuple[int, Fraction] | None:
    """Return where the longest whole number in words, or number in figures, that begins there ends, and it.

    Figures may have scales ("2.5 million"), words hundreds and scales ("two thousand and five").
    """
    total, end = Fraction(0), at
    limit = 10**15
    while (group := _group(tokens, end)) is not None:
        behind, number = group
        scale = _SCALES.get(word_at(tokens, behind), 1)
        if scale >= limit and end != at:
            break
        total, end, limit = total + number * scale, behind + (scale > 1), scale
        if scale == 1:
            break
        # "two thousand and five"
        joined = end + (word_at(tokens, end) == "and")
        follows = _group(tokens, joined)
        if follows is None or _SCALES.get(word_at(tokens, follows[0]), 1) >= limit or follows[1] >= limit:
            break
        end = joined
    return None if end == at else (end, total)


def _group(tokens: Sequence[Token], at: int) -> tuple[int, Fraction] | None:
    """Return a number below a thousand in words, or whatever figures stand there."""
    figures = figures_at(tokens, at)
    if figures is not None:
        return at + 1, figures
    one = word_at(tokens, at) in ("a", "an")
    if one and word_at(tokens, at + 1) not in ("hundred", *_SCALES):
        return None
    small = (at + 1, 1) if one else below_hundred(tokens, at)
    if small is None:
        return None
    end, number = small
    if word_at(tokens, end) != "hundred" or not number:
        return end, Fraction(number)
    number, end = number * 100, end + 1
    rest = below_hundred(tokens, end + (word_at(tokens, end) == "and"))
    if rest is not None and rest[1]:
        return rest[0], Fraction(number + rest[1])
    return end, Fraction(number)


def numbers(tokens: Sequence[Token], at: int) -> Parses:
    """Yield each number that begins there, with where it ends: "two", and "two and a half", of the latter."""
    if word_at(tokens, at) in ("minus", "negative", "-"):
        yield from ((end, -number) for end, number in numbers_from_zero(tokens, at + 1))
    else:
        yield from numbers_from_zero(tokens, at)


def numbers_from_zero(tokens: Sequence[Token], at: int) -> Parses:
    """Yield each number without a sign that begins there, with where it ends."""
    match word_at(tokens, at), word_at(tokens, at + 1), word_at(tokens, at + 2):
        case ("a", "dozen", _):
            yield at + 2, Fraction(12)
        case ("a", "couple", "of"):
            yield at + 3, Fraction(2)
        case ("half", "a", "dozen"):
            yield at + 3, Fraction(6)
    part = fraction(tokens, at)
    if part is not None:
        yield part
    whole = cardinal(tokens, at)
    if whole is None:
        if word_at(tokens, at) == "point":
            yield from _decimals(tokens, at + 1, Fraction(0))
        return
    end, number = whole
    yield whole
    if word_at(tokens, end) == "point" and number.denominator == 1:
        yield from _decimals(tokens, end + 1, number)
    # "two and a half", "2 1/2" is left to arithmetic
    if word_at(tokens, end) == "and" and number.denominator == 1:
        part = fraction(tokens, end + 1)
        if part is not None:
            yield part[0], number + part[1]


def fraction(tokens: Sequence[Token], at: int) -> tuple[int, Fraction] | None:
    """Return where "a half", "half", "three quarters" and the like end, and what they are."""
    word = word_at(tokens, at)
    if word in ("half", "quarter"):
        return at + 1, _FRACTIONS[word]
    count = {"a": 1, "an": 1, **ONES}.get(word, 0)
    figures = figures_at(tokens, at)
    if figures is not None and figures.denominator == 1 and figures < 20:
        count = int(figures)
    part = _FRACTIONS.get(word_at(tokens, at + 1))
    return (at + 2, count * part) if count and part else None


def _decimals(tokens: Sequence[Token], at: int, whole: Fraction) -> Parses:
    """Yield ``whole`` with the digits that are said behind the point."""
    digits, end = "", at
    while len(digits) < 12:
        word = word_at(tokens, end)
        if word in ("oh", "o"):
            digits += "0"
        elif word in ONES and ONES[word] < 10:
            digits += str(ONES[word])
        elif word.isascii() and word.isdigit():
            digits += word[:12]
        elif not digits and (small := below_hundred(tokens, end)) is not None:
            digits, end = str(small[1]), small[0] - 1
        else:
            break
        end += 1
    if digits:
        yield end, whole + (-1 if whole < 0 else 1) * Fraction(int(digits), 10 ** len(digits))


def ordinal(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """Return where "third", "twenty first", "3rd" and the like end, and which they are, 1 to 99."""
    word, after = word_at(tokens, at), word_at(tokens, at + 1)
    if word in _ORDINALS:
        return at + 1, _ORDINALS[word]
    if word in TENS and 1 <= _ORDINALS.get(after, 0) <= 9:
        return at + 2, TENS[word] + _ORDINALS[after]
    if word.isascii() and word.isdigit() and len(word) <= 2 and after in ("st", "nd", "rd", "th"):
        return at + 2, int(word)
    return None
