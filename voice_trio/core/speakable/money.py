"""How a person says sums of money: the figures first, then what they are called, then the parts."""

from __future__ import annotations

import re

from voice_trio.core.speakable.currencies import BEFORE, BEHIND, CODES, DOTS_GROUP, SCALES
from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.figures import AMOUNT, SPACE, decimal_at, say_figures
from voice_trio.core.speakable.units import either, per, per_pattern

_GAP = rf"[ {SPACE}]?"
_LETTERED = {sign for sign in BEFORE if sign.isalpha()} | CODES.keys()
_NAMED = {code + dollar for code in (*CODES, "US") for dollar in ("$", " $")}
_SIGNS_BEFORE = rf"(?<![\w/])(?:{either(_LETTERED | _NAMED)})\.?|(?<!\w)(?:{either(BEFORE.keys() - _LETTERED)})|[$€£¥₹]"


def _scale(name: str) -> str:
    return (
        rf"(?:{_GAP}(?P<{name}>thousand|lakh crore|lakhs?|crores?|[mbtMBT](?:illion|rillion)?"
        r"|[mMbBtT]n|Mio|Mrd|[kK]|[cC]r)(?!\w)(?:(?<=Mio|Mrd)\.)?)?"
    )


def _up_to(name: str) -> str:
    return rf"(?:(?:[-–—−]| [–—] )(?P<{name}>{AMOUNT})(?!(?![kKmMbBtT]n?(?!\w))[\w%°]|-\d))?"


MONEY = (
    rf"(?P<money_sign>{_SIGNS_BEFORE}){_GAP}(?P<money_minus>[-−])?(?P<money>{AMOUNT}|\.\d++)(?:\.?[–-]{{1,2}}(?=\s|\Z))?"
    rf"{_up_to('money_up_to')}{_scale('money_scale')}(?: (?P<money_code>{either(CODES)})(?!\w))?"
    + per_pattern("money_per")
)
_SPACED = r"[1-9]\d{0,2}(?: \d{3}){1,8}(?! ?\d)"
CASH = (
    rf"(?<![\w.])(?P<cash>{_SPACED}|{AMOUNT}|\d++,\d(?!\d|,\d))(?:,[-–]{{1,2}})?"
    rf"{_up_to('cash_up_to')}{_scale('cash_scale')}{_GAP}(?P<cash_sign>{either(BEHIND)})(?!\w|\$?\d)"
    + per_pattern("cash_per")
)
MONEY_SIGN = rf"(?:{either(BEFORE)})"


def money(m: re.Match[str], draft: Draft) -> None:
    """$3.50: "3 dollars and 50 cents"; $5M: "5 million dollars"; $5-10: "5 to 10 dollars"."""
    if m["money_minus"]:
        draft.word("minus", m.start("money_minus"))
    sign = m["money_sign"].removesuffix(".")
    if sign[-1] == "$" and sign not in BEFORE:
        sign = sign.rstrip(" $")
    _say(m, "money", m["money_code"] or ("USD" if sign == "US" else sign), draft)


def cash(m: re.Match[str], draft: Draft) -> None:
    """3,50 €: "3 euros and 50 cents"; 100 kr: "100 kroner"."""
    _say(m, "cash", m["cash_sign"], draft)


def _say(m: re.Match[str], name: str, sign: str, draft: Draft) -> None:
    one, many, part_name, part_names = BEHIND.get(sign) or BEFORE[sign]
    figures, at = m[name], m.start(name)
    up_to, scale = m[name + "_up_to"], m[name + "_scale"]
    dots = sign in DOTS_GROUP
    decimal = decimal_at(figures, thousands_dot=dots)
    part = figures[decimal + 1 :]
    if up_to or scale or len(part) != 2:
        if figures[0] == ".":
            draft.say("0", at)
        say_figures(figures, at, draft, thousands_dot=dots)
        if up_to:
            draft.word("to", m.end(name))
            say_figures(up_to, m.start(name + "_up_to"), draft, thousands_dot=dots)
        if scale:
            draft.word(SCALES.get(scale.lower(), scale), m.start(name + "_scale"))
        last = m.end(name + "_up_to") if up_to else m.end(name)
        draft.word(one if figures == "1" and not up_to and not scale else many, last - 1)
    else:
        whole, cents = figures[:decimal], part.lstrip("0")
        if whole.strip("0,. ") or not cents:
            say_figures(whole, at, draft, thousands_dot=figures[decimal] == ",")
            draft.say(" " + (one if whole == "1" else many), at)
            if cents:
                draft.say(" and ", at + decimal)
        if cents:
            draft.copy(cents, m.end(name) - len(cents))
            draft.say(" " + (part_name if cents == "1" else part_names), at + decimal + 1)
    per(m, name + "_per", draft)
    draft.number_end = m.end()
