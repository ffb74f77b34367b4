"""The ways in which the world groups figures, and the one in which a voice reads them: 1234567.89.

Western 1,234.5; Indian 12,34,567; continental 1.234,56; French 1 234,56 with any space; Swiss 1'234.50. Figures are
handled as text, never as numbers, so that a million of them in a row are no burden; and no run of groups is followed
further than eight, so that a longer one is not looked at twice.
"""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable.draft import Draft

SPACE = "\u00a0\u2007\u2009\u202f"
"""Spaces that hold figures together."""

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
NO_LETTER_BEFORE = rf"(?<![^\W{_UNSPACED}])"
"""No letter or figure stands before, but for scripts that set no spaces between words."""
NO_LETTER_BEHIND = rf"(?![^\W{_UNSPACED}])"

_WESTERN = r"\d{1,3}(?:,\d{3}){1,8}(?!\d|,\d{3})"
_INDIAN = r"\d{1,2}(?:,\d{2}){1,8},\d{3}(?!\d|,\d)"
_SWISS = r"[1-9]\d{0,2}(?:['’]\d{3}){1,8}(?!\d)"
_SPACED = rf"[1-9]\d{{0,2}}(?:[{SPACE}]\d{{3}}){{1,8}}(?!\d)"
_WIDE = r"[1-9]\d?(?: \d{3}){2,8}(?! ?\d)|[1-9]\d{0,2}(?: \d{3}){0,6} 000(?! ?\d)|\d{1,3}(?:_\d{3}){1,8}(?![\d_])"
_DOTTED = r"[1-9]\d{0,2}(?:\.\d{3}){2,8}(?!\d|\.\d)"
_CONTINENTAL = (
    rf"[1-9]\d{{0,2}}(?:(?:\.\d{{3}}){{1,8}}|(?:[ {SPACE}]\d{{3}}){{1,8}}|(?:['’]\d{{3}}){{1,8}}),\d{{1,2}}(?!\d|,\d)"
)

FIGURES = rf"(?:{_CONTINENTAL}|{_DOTTED}|(?:{_INDIAN}|{_WESTERN}|{_SWISS}|{_SPACED}|{_WIDE}|\d++)(?:\.\d++)?)"
"""A number in any convention that cannot be mistaken."""

AMOUNT = rf"(?:{_CONTINENTAL}|{_DOTTED}|\d++,\d{{2}}(?!\d|,\d)|{FIGURES})"
"""A sum of money: a comma before two figures parts the cents off."""

_GROUPED = re.compile(rf"(?:{_WESTERN}|{_INDIAN})\Z")


def _digits() -> dict[int, str]:
    """Return the figures of all scripts, and what stands between them, with their plain twins."""
    twins = {0x066B: ".", 0x066C: ",", 0x066A: "%"}
    for code in range(0x80, 0x20000):
        char = chr(code)
        if unicodedata.category(char) == "Nd":
            twins[code] = str(unicodedata.decimal(char))
    return twins | {code: chr(code - 0xFEE0) for code in map(ord, "＄％＋－．／：＜＝＞，")} | {ord("￥"): "¥"}


_PLAIN = _digits()


def plain_figures(text: str) -> str:
    """Return ``text`` with the figures of every script as 0 to 9, each in its place."""
    return text if text.isascii() else text.translate(_PLAIN)


def decimal_at(figures: str, *, thousands_dot: bool = False) -> int:
    """Return where in ``figures`` the decimal part's sign stands; its length if there is none.

    A lone dot before three figures is one, unless ``thousands_dot``.
    """
    comma, dot = figures.rfind(","), figures.rfind(".")
    if comma >= 0 and dot >= 0:
        return max(comma, dot)
    if comma >= 0:
        return len(figures) if _GROUPED.match(figures) else comma
    if dot >= 0 and (figures.count(".") > 1 or (thousands_dot and len(figures) - dot == 4 and 0 < dot < 4)):
        return len(figures)
    return dot if dot >= 0 else len(figures)


def say_figures(figures: str, at: int, draft: Draft, *, thousands_dot: bool = False) -> None:
    """Add ``figures``, which stand at ``at``, without what groups them."""
    decimal = decimal_at(figures, thousands_dot=thousands_dot)
    for offset, char in enumerate(figures):
        if char.isdigit():
            draft.copy(char, at + offset)
        elif offset == decimal:
            draft.say(".", at + offset)
