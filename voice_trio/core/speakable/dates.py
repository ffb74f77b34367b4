"""How a person says dates and times of day."""

from __future__ import annotations

import re

from voice_trio.core.speakable.draft import Draft

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

DATE = (
    r"(?<![\w/-])(?P<year>\d{4})[-/](?P<month>0[1-9]|1[0-2])[-/](?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:(?P<at>T)(?=\d\d:)|(?![\d/-]))"
)
DOTTED_DATE = (
    r"(?<![\w.])(?P<dotted_day>0?[1-9]|[12]\d|3[01])\.(?P<dotted_month>0?[1-9]|1[0-2])\.(?P<dotted_year>(?:19|20)\d\d)"
    r"(?![\w]|\.\d)"
)
SLASHED_DATE = r"(?<![\w/])\d{1,2}/\d{1,2}/\d{2,4}(?![\w/])"
CLOCK = (
    r"(?:(?<![\w:.])|(?<=\dT))(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d{1,9}+)?)?"
    r"(?:(?P<zulu>Z)|\s?(?P<half>[AaPp])\.?[Mm]\b(?:(?<=\.[Mm])\.)?)?(?![\w:])"
)
HOUR = r"(?<![\w:.])(?P<bare_hour>1?\d)\s?(?P<bare_half>[AaPp])\.?[Mm]\b(?:(?<=\.[Mm])\.)?"


def ordinal(figures: str) -> str:
    """Return ``figures`` (at most two) as an ordinal number: "1st"."""
    plain = figures.lstrip("0")
    if plain in ("11", "12", "13"):
        return plain + "th"
    return plain + {"1": "st", "2": "nd", "3": "rd"}.get(plain[-1:], "th")


def date(m: re.Match[str], draft: Draft) -> None:
    """2024-05-01: "May 1st, 2024"."""
    draft.say(f"{MONTHS[int(m['month']) - 1]} {ordinal(m['day'])}, {m['year']}", m.start())
    if m["at"]:
        draft.pause(",", m.start("at"))


def dotted_date(m: re.Match[str], draft: Draft) -> None:
    """25.11.2026, where the day always comes first: "November 25th, 2026"."""
    draft.say(f"{MONTHS[int(m['dotted_month']) - 1]} {ordinal(m['dotted_day'])}, {m['dotted_year']}", m.start())


def slashed_date(m: re.Match[str], draft: Draft) -> None:
    """05/01/2024: figure by figure, since no one knows which is the month."""
    at = m.start()
    for index, part in enumerate(m[0].split("/")):
        if index:
            draft.say(" slash ", at - 1)
        draft.copy(part, at)
        at += len(part) + 1


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
    if m["zulu"]:
        draft.say(" UTC", m.start("zulu"))
    if m["half"]:
        draft.say(f" {m['half'].upper()}M", m.start("half"))
    draft.number_end = m.end()


def hour(m: re.Match[str], draft: Draft) -> None:
    """7pm: "7 PM"."""
    draft.copy(m["bare_hour"], m.start())
    draft.say(f" {m['bare_half'].upper()}M", m.start("bare_half"))
    draft.number_end = m.end()
