"""How a person says what is no letter and no figure: operators, dashes, punctuation, and the signs with no sound."""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.math import is_minus
from voice_trio.core.speakable.money import MONEY_SIGN
from voice_trio.core.speakable.words import plain

SIGNS = {
    "&": "and",
    "&&": "and",
    "+": "plus",
    "=": "equals",
    "==": "equals",
    "≡": "equals",
    "!=": "is not",
    "≠": "is not equal to",
    "<=": "at most",
    "≤": "at most",
    ">=": "at least",
    "≥": "at least",
    "->": "to",
    "=>": "to",
    "→": "to",
    "⇒": "to",
    "➜": "to",
    "➡": "to",
    "<-": "from",
    "←": "from",
    "↔": "and",
    "↑": "up",
    "↓": "down",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "≈": "about",
    "∞": "infinity",
    "∑": "sum of",
    "∈": "in",
    "%": "percent",
    "°": "degrees",
    "€": "euros",
    "£": "pounds",
    "@": "at",
    "§": "section",
    "№": "number",
    "Ω": "ohm",
    "∓": "minus or plus",
    "≪": "much less than",
    "≫": "much greater than",
    "≅": "is congruent to",
    "∼": "about",
    "≃": "about",
    "∝": "is proportional to",
    "∫": "integral of",
    "∏": "product of",
    "∂": "partial",
    "∇": "nabla",
    "∉": "not in",
    "⊂": "is a subset of",
    "⊆": "is a subset of",
    "∪": "union",
    "∩": "intersection",
    "∅": "the empty set",
    "∀": "for all",
    "∃": "there exists",
    "∧": "and",
    "∨": "or",
    "¬": "not",
    "∴": "therefore",
    "⟹": "implies",
    "⟺": "if and only if",
    "⟶": "to",
    "⇔": "if and only if",
    "⇌": "in balance with",
    "⋅": "times",
    "∙": "times",
    "‰": "per mille",
    "¢": "cents",
}
"""Signs that have a name of their own."""
_WIDE = str.maketrans("。．，、：；！？", "..,,:;!?")
_AT_WORDS = "\"'‘’“”„«»`*[]{}\\"
"""Dropped without a trace: these stand at words, not between them."""
_SUM_BEHIND = re.compile(r"\d[\d.,]{0,12}\s?[+=*×÷^]")
_SUM_BEFORE = re.compile(r"[=+*×÷^]\s?\d[\d.,]{0,12}\Z")
_HALVES = re.compile(r"\D*(\d+)[-–](\d+)(?!\d)")
_FIGURES_NEXT = re.compile(rf"\s?(?:{MONEY_SIGN}\s?)?\.?\d")

EMOTICON = r"(?<!\w)[:;]-?[)(DP](?!\w)|(?<!\w):[a-z0-9_+-]{2,30}:(?!\w)"
PLURAL = r"(?<=[a-z])\((?P<plural>e?s)\)"
INDEX = r"(?<=\w)\[(?=\w)"
SHARP = r"(?<=(?<!\w)[A-G])#(?!\w)"
HASH = r"#(?=(?P<hash>\w))"
ELLIPSIS = r"(?:\.\s?){2,}\.|\.\.|…+"
SCOPE = r"(?<=\w)::(?=\w)|(?<!\w)\.{1,2}/(?=\w)"
DOT_INSIDE = r"\.(?=\w)"
RUN = r"(?P<run>[=+*#~<>^|&%$@/\\])(?P=run){2,}"
SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
PUNCTUATION = r"[.,;:!?。．，、：；！？]+"
MENU = r"(?<=[a-z]) [>›»→] (?=[A-Z][a-z])"
COMPARISON = r"[<>](?=\s?[-−+]?[\d$€£])|(?<=\s)[<>](?=\s)|(?<=[\w)])[<>](?=[\w(\\])|(?<=\w\s)<(?=\w)"
MIDDLE_DOT = r"(?<=[\d)])\s?·\s?(?=[\d(a-zA-Z])|(?<=(?<![^\W\d])[a-zA-Z])\s?·\s?(?=[a-zA-Z\d(](?![^\W\d]))"
DASH = r"[-‐‑–—―−]+"
ABOUT = r"~(?=[\d$€£])"
UNDERSCORE = r"_+"
SLASH = r"/+"
PAUSES = r"[()|•·‣]+"


def nothing(m: re.Match[str], draft: Draft) -> None:
    """Signs of layout, which have no sound."""


def gap(m: re.Match[str], draft: Draft) -> None:
    """White space, and signs that keep words apart."""
    draft.space(m.start())


def pause(m: re.Match[str], draft: Draft) -> None:
    """Brackets and the edges of table cells."""
    if m.start() == draft.bracket_end:
        draft.space(m.start())
    else:
        draft.pause(",", m.start())


def plural(m: re.Match[str], draft: Draft) -> None:
    """word(s): "words"."""
    draft.copy(m["plural"], m.start("plural"))


def sharp(m: re.Match[str], draft: Draft) -> None:
    """C#, the language or the note."""
    draft.word("sharp", m.start())


def hash_(m: re.Match[str], draft: Draft) -> None:
    """#1: "number 1"; #python: "hashtag python"."""
    draft.word("number" if m["hash"].isdigit() else "hashtag", m.start())


def ellipsis(m: re.Match[str], draft: Draft) -> None:
    """... is a pause, and yields to a mark that follows."""
    if m.string[m.end() : m.end() + 1] not in ("?", "!") and draft.mark(".", m.start()):
        draft.say("..", m.start())


def dot_inside(m: re.Match[str], draft: Draft) -> None:
    """The dot of example.com, main.py, 1.2.3."""
    draft.copy(".", m.start())


def sign(m: re.Match[str], draft: Draft) -> None:
    """A sign that has a name."""
    draft.word(SIGNS[m[0]], m.start())


def punctuation(m: re.Match[str], draft: Draft) -> None:
    """One mark for many: !!! is "!", and ?! is "?"."""
    marks = m[0].translate(_WIDE)
    draft.mark(next((mark for mark in "?!.:;," if mark in marks), ","), m.start())


def menu(m: re.Match[str], draft: Draft) -> None:
    """File > Open: a path through menus."""
    draft.pause(",", m.start())


def middle_dot(m: re.Match[str], draft: Draft) -> None:
    """2 · 3: "2 times 3"."""
    draft.word("times", m.start())


def comparison(m: re.Match[str], draft: Draft) -> None:
    """< or >, unless it closes a bracket."""
    if m.start() == draft.bracket_end:
        draft.space(m.start())
        return
    draft.word("less than" if m[0] == "<" else "greater than", m.start())


def dash(m: re.Match[str], draft: Draft) -> None:
    """3-5: "3 to 5"; -5: "minus 5"; 5 - 3: "5 minus 3"; a hyphen stays; all else is a pause."""
    at, end, text = m.start(), m.end(), m.string
    before, after = text[at - 1 : at] or " ", text[end : end + 1] or " "
    figures = _FIGURES_NEXT.match(text, end) is not None
    single, hyphen = len(m[0]) == 1, m[0] in ("-", "‐", "‑")
    if single and (hyphen or m[0] == "−") and (m[0] == "−" or draft.number_end != at) and is_minus(text, at, end):
        draft.word("minus", at)
    elif single and figures and draft.number_end == at and not after.isspace():
        halves = _HALVES.match(text, max(0, at - 3), end + 4)
        sums = _SUM_BEHIND.match(text, end) or _SUM_BEFORE.search(text, max(0, at - 16), at)
        if halves and halves[1] == halves[2]:
            draft.space(at)  # a 50-50 chance
        else:
            draft.word("minus" if hyphen and sums else "to", at)
    elif single and figures and before.isspace() and after.isspace() and draft.number_end == at - 1:
        draft.word("to" if m[0] == "–" else "minus", at)
    elif single and figures and not after.isspace() and (before.isspace() or before in "(=[^{,*/+<>×·"):
        draft.word("minus", at)
    elif hyphen and before.isalnum() and after.isalnum():
        draft.copy("-", at)
    elif hyphen or (before.isspace() and not after.isspace()):
        # Half of "pre- and post-", or a command's --option.
        if before.isspace() and after.isspace():
            draft.pause(",", at)
        else:
            draft.space(at)
    else:
        draft.pause(",", at)


def about(m: re.Match[str], draft: Draft) -> None:
    """~5: "about 5"."""
    draft.word("about", m.start())


def slash(m: re.Match[str], draft: Draft) -> None:
    """and/or: "and or"; 6 / 2: "6 divided by 2"; 1/x: "1 over x"."""
    at, end, text = m.start(), m.end(), m.string
    before, after = text[max(0, at - 3) : at], text[end : end + 2]
    quotient = re.search(r"(?:[²³)]|(?<![\w.@/])[a-z])\s?\Z", before) and re.match(r"\s?(?:\d|\()", after)
    if quotient and before[-1:].isspace() == after[:1].isspace():
        draft.word("over", at)
    elif draft.number_end == at - 1 and text[at - 1].isspace() and _FIGURES_NEXT.match(text, end):
        draft.word("divided by", at)
    elif draft.number_end == at and text[end : end + 1].isalnum():
        draft.word("per" if text[at - 1].isalpha() and text[end].isdigit() else "over", at)
    else:
        draft.space(at)


def other(m: re.Match[str], draft: Draft) -> None:
    """What no rule knows: letters and figures of all scripts are said, control signs go, other signs part words."""
    char = m[0]
    category = unicodedata.category(char)
    if category[0] in "LN":
        draft.say(plain(char), m.start())
    elif category in ("Mn", "Mc"):
        if not ("\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"):  # emoji's variation selectors
            draft.copy(char, m.start())
    elif category[0] in "SP" and char not in _AT_WORDS:
        draft.space(m.start())
