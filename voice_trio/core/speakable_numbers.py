"""How a person says what is written in figures: money, units, times, dates, ranges, fractions.

Plain numbers stay in figures, without their thousands separators: a voice reads those well. Figures are handled as
text, never as numbers, so that a million of them in a row are no burden.
"""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable_draft import Draft
from voice_trio.core.speakable_units import ATTACHED, DETACHED, MONEY_NAMES, SCALES, UNITS

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
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
_POWERS = {"2": "squared", "3": "cubed"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ", "0123456789n")
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"


def _either(words: set[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_FIGURES = r"(?:\d{1,3}(?:,\d{3})+(?!\d|,\d{3})|\d++)(?:\.\d++)?"
_LOOSE = _either(UNITS.keys() - ATTACHED - DETACHED)
_PER = r"(?:/(?P<{}>[a-zA-Z]{{2,12}}|[hs])(?!\w))?"

DATE = r"(?<![\w/-])(?P<year>\d{4})[-/](?P<month>0[1-9]|1[0-2])[-/](?P<day>0[1-9]|[12]\d|3[01])(?![\d/-])"
SLASHED_DATE = r"(?<![\w/])\d{1,2}/\d{1,2}/\d{2,4}(?![\w/])"
PHONE = r"(?<![\w.-])(?:\(\d{3}\)[ -]?\d{3}-\d{4}|\d{3}([-.])\d{3}[-.]\d{4})(?![\w-])"
SERIAL = r"(?<![\w.-])\d++(?:-\d++){2,}(?!\w|-\d)"
CLOCK = (
    r"(?<![\w:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b(?:(?<=\.[Mm])\.)?)?(?![\w:])"
)
HOUR = r"(?<![\w:.])(?P<bare_hour>1?\d)\s?(?P<bare_half>[AaPp])\.?[Mm]\b(?:(?<=\.[Mm])\.)?"
RATIO = r"(?<![\w:.])\d{1,3}:\d{1,3}(?![\w:])"
MONEY = (
    rf"(?P<money_sign>US\$|[$€£¥₹])\s?(?P<money>{_FIGURES})"
    r"(?:\s?(?P<money_scale>thousand|[mbtMBT](?:illion|rillion)?|[mMbB]n|[kK])(?!\w))?" + _PER.format("money_per")
)
FRACTION = r"(?<![\w/.,])(?P<share>\d{1,3})/(?P<shares>\d{1,3})(?!\w|/|[.,]\d)"
VULGAR = f"[{_VULGAR}]"
NUMBER = (
    rf"(?<![\w.])(?P<number>{_FIGURES}|\.\d++)"
    rf"(?:(?:(?P<joint>[ \u00a0\u202f-]?)(?P<unit>{_LOOSE})|[ \u00a0\u202f](?P<unit_apart>s)|(?<=\.\d)(?P<unit_after>s)"
    rf"|(?P<unit_close>{_either(ATTACHED)}))(?!\w))?" + _PER.format("number_per")
)
HEIGHT = r"(?<![\w.'])(?P<feet>\d)['’′](?P<inches>1[01]|\d)(?:[\"”″]|(?![\w'’]))"
POWER = r"(?<=[\w)])\^(?:\{(?P<braced>[^{}\s]{1,20})\}|(?P<power>-?[\w.]{1,20}))|[⁰¹²³⁴-⁹ⁿ]+"
BY = r"(?<=\d)(?<!\b0)x(?=\d)"


def ordinal(figures: str) -> str:
    """Return ``figures`` (at most two) as an ordinal number: "1st"."""
    plain = figures.lstrip("0")
    if plain in ("11", "12", "13"):
        return plain + "th"
    return plain + {"1": "st", "2": "nd", "3": "rd"}.get(plain[-1:], "th")


def date(m: re.Match[str], draft: Draft) -> None:
    """2024-05-01: "May 1st, 2024"."""
    draft.say(f"{MONTHS[int(m['month']) - 1]} {ordinal(m['day'])}, {m['year']}", m.start())


def slashed_date(m: re.Match[str], draft: Draft) -> None:
    """05/01/2024: figure by figure, since no one knows which is the month."""
    at = m.start()
    for index, part in enumerate(m[0].split("/")):
        if index:
            draft.say(" slash ", at - 1)
        draft.copy(part, at)
        at += len(part) + 1


def phone(m: re.Match[str], draft: Draft) -> None:
    """800-555-0100: each figure by itself, with a pause between the groups."""
    for offset, char in enumerate(m[0]):
        if char.isdigit():
            draft.copy(char, m.start() + offset)
            draft.space(m.start() + offset)
        elif offset:
            draft.pause(",", m.start() + offset)


def serial(m: re.Match[str], draft: Draft) -> None:
    """12-345-67: what hangs together like this is no range."""
    for offset, char in enumerate(m[0]):
        if char == "-":
            draft.space(m.start() + offset)
        else:
            draft.copy(char, m.start() + offset)


def clock(m: re.Match[str], draft: Draft) -> None:
    """7:30 pm: "7 30 PM"; 14:05: "14 oh 5"; 9:00: "9 o'clock"."""
    hour, minute = m["hour"].lstrip("0") or "0", m["minute"]
    draft.copy(hour, m.end("hour") - len(hour))
    if minute != "00" or m["second"]:
        draft.say(" oh " if minute[0] == "0" else " ", m.start("minute") - 1)
        draft.copy(minute.lstrip("0") or "0", m.start("minute"))
    elif not m["half"]:
        draft.say(" o'clock", m.start("minute"))
    if m["second"]:
        draft.say(f" and {m['second'].lstrip('0') or '0'} seconds", m.start("second"))
    if m["half"]:
        draft.say(f" {m['half'].upper()}M", m.start("half"))
    draft.number_end = m.end()


def hour(m: re.Match[str], draft: Draft) -> None:
    """7pm: "7 PM"."""
    draft.copy(m["bare_hour"], m.start())
    draft.say(f" {m['bare_half'].upper()}M", m.start("bare_half"))
    draft.number_end = m.end()


def ratio(m: re.Match[str], draft: Draft) -> None:
    """16:9: "16 to 9"."""
    first, second = m[0].split(":")
    draft.copy(first, m.start())
    draft.say(" to ", m.start() + len(first))
    draft.copy(second, m.start() + len(first) + 1)


def money(m: re.Match[str], draft: Draft) -> None:
    """$3.50: "3 dollars and 50 cents"; $5M: "5 million dollars"."""
    one, many, parts = MONEY_NAMES[m["money_sign"]]
    whole, _, part = m["money"].partition(".")
    at = m.start("money")
    part_at = at + len(whole) + 1
    scale = m["money_scale"]
    if scale:
        _figures(m["money"], at, draft)
        draft.say(f" {SCALES.get(scale.lower(), scale)} {many}", m.start("money_scale"))
    elif len(part) != 2:
        _figures(m["money"], at, draft)
        draft.say(" " + (one if m["money"] == "1" else many), at)
    else:
        cents = part.lstrip("0")
        if whole.strip("0,") or not cents:
            _figures(whole, at, draft)
            draft.say(" " + (one if whole == "1" else many), at)
            if cents:
                draft.say(" and ", part_at - 1)
        if cents:
            draft.copy(cents, m.end("money") - len(cents))
            draft.say(" " + (parts.removesuffix("s") if cents == "1" else parts), part_at)
    _per(m, "money_per", draft)
    draft.number_end = m.end()


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


def vulgar(m: re.Match[str], draft: Draft) -> None:
    """½: "1 half"; 2½: "2 and 1 half"."""
    share, _, shares = unicodedata.normalize("NFKC", m[0]).partition("\u2044")
    if draft.number_end >= 0 and m.string[draft.number_end : m.start()] in ("", " "):
        draft.word("and", m.start())
    draft.say(share, m.start())
    _share(share, shares, m.start(), draft)


def number(m: re.Match[str], draft: Draft) -> None:
    """1,234.5 km: "1234.5 kilometres"."""
    figures = m["number"]
    if figures[0] == ".":
        draft.say("0", m.start())
    _figures(figures, m.start(), draft)
    for group in ("unit", "unit_apart", "unit_after", "unit_close"):
        if m[group]:
            one, many = UNITS[m[group]]
            draft.say(" " + (one if figures == "1" or m["joint"] == "-" else many), m.start(group))
    _per(m, "number_per", draft)
    draft.number_end = m.end()


def power(m: re.Match[str], draft: Draft) -> None:
    """x^2: "x squared"; 10⁶: "10 to the power 6"."""
    exponent = m["braced"] or m["power"] or m[0].translate(_SUPERSCRIPTS)
    words = "".join(char if char.isalnum() or char == "." else " minus " if char in "-−" else " " for char in exponent)
    draft.space(m.start())
    draft.say(_POWERS.get(exponent) or " ".join(["to the power", *words.split()]), m.start())


def by(m: re.Match[str], draft: Draft) -> None:
    """1920x1080: "1920 by 1080"."""
    draft.word("by", m.start())


def _figures(figures: str, at: int, draft: Draft) -> None:
    for offset, char in enumerate(figures):
        if char != ",":
            draft.copy(char, at + offset)


def _per(m: re.Match[str], group: str, draft: Draft) -> None:
    if m[group]:
        draft.say(" per ", m.start(group) - 1)
        if m[group] in UNITS:
            draft.say(UNITS[m[group]][0], m.start(group))
        else:
            draft.copy(m[group], m.start(group))


def _share(share: str, shares: str, at: int, draft: Draft) -> None:
    if shares in _SHARES and int(share) < int(shares):
        draft.say(" " + _SHARES[shares][share != "1"], at)
    elif (share, shares) in (("24", "7"), ("9", "11")):
        draft.say(" " + shares, at)
    else:
        draft.say((" out of " if shares in ("10", "100") else " over ") + shares, at)
