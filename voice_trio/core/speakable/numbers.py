"""How a person says numbers: with their units, as shares of others, beside others.

Plain numbers stay in figures, without what groups their thousands: a voice reads those well.
"""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.figures import FIGURES, NO_LETTER_BEFORE, SPACE, say_figures
from voice_trio.core.speakable.units import ATTACHED, DETACHED, UNITS, either, per, per_pattern

_SHARES = {
    "2": ("half", "halves"),
    "3": ("third", "thirds"),
    "4": ("quarter", "quarters"),
    "5": ("fifth", "fifths"),
    "6": ("sixth", "sixths"),
    "7": ("seventh", "sevenths"),
    "8": ("eighth", "eighths"),
    "9": ("ninth", "ninths"),
}
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_LOOSE = either(UNITS.keys() - ATTACHED - DETACHED)
_JOINT = rf"[ {SPACE}-]?"
_ALGEBRA = r"\s?[+=^]|\s?[-−*]\s?\d|\("
"""What shows that the letter before it is a variable: "2k + 1", "3m - 4 = 5"."""


def _unit_behind(group: str) -> str:
    return rf"(?:[ {SPACE}](?P<{group}>{_LOOSE})(?!\w))?"


RATIO = r"(?<![\w:.])\d{1,3}:\d{1,3}(?![\w:])"
FRACTION = r"(?<![\w/.,])(?P<share>\d{1,3})/(?P<shares>\d{1,3})(?!\w|/|[.,]\d)" + _unit_behind("shares_unit")
VULGAR = f"[{_VULGAR}]" + _unit_behind("vulgar_unit")
NUMBER = (
    rf"{NO_LETTER_BEFORE}(?<!\.)(?P<number>\d++,\d{{1,2}}(?={_JOINT}(?:{_LOOSE})(?!\w))|{FIGURES}|\.\d++)"
    rf"(?:(?:(?P<joint>{_JOINT})(?P<unit>(?:{_LOOSE})(?!(?<=\d[mghtLVW])(?:{_ALGEBRA}))"
    r"(?!(?<= %) \d)(?:(?<=[a-z])\.(?= [a-z]))?)"
    rf"|[ {SPACE}](?P<unit_apart>s)|(?<=\.\d)(?P<unit_after>s)"
    rf"|(?P<unit_close>(?:{either(ATTACHED)})(?!{_ALGEBRA})))(?!\w))?" + per_pattern("number_per")
)
SCIENTIFIC = (
    r"(?<![\w.])(?P<mantissa>\d++(?:\.\d++)?)[eE](?P<e_sign>[-+−]?)(?P<e>\d{1,4})(?![\w.]\w|\w)"
    + _unit_behind("e_unit")
)
HEX = r"(?<!\w)0[xX](?P<hex>[0-9a-fA-F]{1,16})(?!\w)"
HEIGHT = r"(?<![\w.'])(?P<feet>\d)['’′](?P<inches>1[01]|\d)(?:[\"”″]|(?![\w'’]))"


INCHES = r"(?<=\d)(?:″|[\"”](?=\s?(?:wide|tall|long|deep|thick|high|screen|display|monitor|TV|tv|pipe|[x×]|by\b)))"
MODULO = r"(?<=[\d\w)]) % (?=\d)"


def inches(m: re.Match[str], draft: Draft) -> None:
    """6" wide: "6 inches wide"."""
    draft.word("inches", m.start())


def modulo(m: re.Match[str], draft: Draft) -> None:
    """7 % 2: "7 mod 2"."""
    draft.word("mod", m.start())


def ratio(m: re.Match[str], draft: Draft) -> None:
    """16:9: "16 to 9"."""
    first, second = m[0].split(":")
    draft.copy(first, m.start())
    draft.say(" to ", m.start() + len(first))
    draft.copy(second, m.start() + len(first) + 1)


def height(m: re.Match[str], draft: Draft) -> None:
    """5'10": "5 foot 10"."""
    draft.copy(m["feet"], m.start())
    draft.word("foot", m.end("feet"))
    draft.copy(m["inches"], m.start("inches"))


def fraction(m: re.Match[str], draft: Draft) -> None:
    """3/4: "3 quarters"; 9/10: "9 out of 10"; 22/7: "22 over 7"; 2 1/2: "2 and 1 half"."""
    if draft.number_end >= 0 and m.string[draft.number_end : m.start()] == " ":
        draft.word("and", m.start())
    draft.copy(m["share"], m.start())
    _share(m["share"], m["shares"], m.start("shares"), draft)
    _unit(m, "shares_unit", draft)


def vulgar(m: re.Match[str], draft: Draft) -> None:
    """½: "1 half"; 2½: "2 and 1 half"."""
    share, _, shares = unicodedata.normalize("NFKC", m[0][0]).partition("\u2044")
    if draft.number_end >= 0 and m.string[draft.number_end : m.start()] in ("", " "):
        draft.word("and", m.start())
    draft.say(share, m.start())
    _share(share, shares, m.start(), draft)
    draft.space(m.start())
    _unit(m, "vulgar_unit", draft)


def number(m: re.Match[str], draft: Draft) -> None:
    """1,234.5 km: "1234.5 kilometres"."""
    figures = m["number"]
    if figures[0] == ".":
        draft.say("0", m.start())
    say_figures(figures, m.start(), draft)
    for group in ("unit", "unit_apart", "unit_after", "unit_close"):
        if m[group]:
            one, many = UNITS[m[group].rstrip(".")]
            draft.say(" " + (one if figures == "1" or m["joint"] == "-" else many), m.start(group))
    per(m, "number_per", draft)
    draft.number_end = m.end()


def scientific(m: re.Match[str], draft: Draft) -> None:
    """1.5e-3: "1.5 times 10 to the power minus 3"."""
    draft.copy(m["mantissa"], m.start())
    draft.word("times 10 to the power", m.end("mantissa"))
    if m["e_sign"] in ("-", "−"):
        draft.word("minus", m.start("e_sign"))
    draft.copy(m["e"], m.start("e"))
    if m["e_unit"]:
        draft.word(UNITS[m["e_unit"]][1], m.start("e_unit"))
    draft.number_end = m.end()


def hexadecimal(m: re.Match[str], draft: Draft) -> None:
    """0x1F: "hex 1F"."""
    draft.word("hex", m.start())
    draft.copy(m["hex"], m.start("hex"))


def _unit(m: re.Match[str], group: str, draft: Draft) -> None:
    if m[group]:
        one, many = UNITS[m[group]]
        draft.word(many if draft.number_end >= m.start() - 1 else one, m.start(group))


def _share(share: str, shares: str, at: int, draft: Draft) -> None:
    if shares in _SHARES and int(share) < int(shares):
        draft.say(" " + _SHARES[shares][share != "1"], at)
    elif (share, shares) in (("24", "7"), ("9", "11")) or share == shares:
        draft.say(" " + shares, at)
    else:
        draft.say((" out of " if shares in ("10", "100") else " over ") + shares, at)
