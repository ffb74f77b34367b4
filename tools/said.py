"""Words as they are compared: without case and punctuation, and everything that is written short as it is said.

One recognizer writes "ten thirty" and another "10:30", and both heard the same.
"""

from __future__ import annotations

import re
from itertools import groupby

from voice_trio.core.speakable import Speakable
from voice_trio.engines.whisper.context import spoken

_UNITS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"} | {
    "twelve": "twelfth"
}
_LARGE = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_DAY = re.compile(
    r"\b((?:jan|febr)uary|march|april|may|june|july|august|(?:septem|octo|novem|decem)ber) (\d{1,2})\b", re.IGNORECASE
)
_YEARS = range(1100, 2100)


def said(text: str) -> list[str]:
    """Return the words of ``text`` as a person says them; letters that are said one by one are one word."""
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", Speakable().speak(text).text)
    plain = _DAY.sub(lambda found: f"{found[1]} {' '.join(_ordinal(int(found[2])))}", plain)
    plain = re.sub(r"(\d+)\.(\d+)", lambda found: f"{found[1]} point {' '.join(found[2])}", plain)
    plain = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", lambda found: " ".join(_ordinal(int(found[1]))), plain)
    plain = re.sub(r"\d+", lambda found: " " + " ".join(_read(found[0])) + " ", plain)
    # "One hundred and five" and "one hundred five" are the same.
    words = re.sub(r"\b(hundred|thousand) and\b", r"\1", " ".join(spoken(plain))).split()
    joined: list[str] = []
    for single, run in groupby(words, lambda word: len(word) == 1):
        together = list(run)
        joined += ["".join(together)] if single else together
    return joined


def number(value: int) -> list[str]:
    """Return ``value``, at least 0 and under a thousand million, as it is said."""
    if value < len(_UNITS):
        return [_UNITS[value]]
    for size, name in _LARGE:
        if value >= size:
            return [*number(value // size), name, *(number(value % size) if value % size else [])]
    return [_TENS[value // 10 - 2], *(number(value % 10) if value % 10 else [])]


def _read(digits: str) -> list[str]:
    """Return figures as they are said: a year in pairs, what begins with a nought or is very long one by one."""
    value = int(digits)
    if len(digits) > 9 or (len(digits) > 1 and digits[0] == "0"):
        return [_UNITS[int(digit)] for digit in digits]
    if value not in _YEARS or value % 1000 < 10 or not value % 100:
        return number(value)
    last = value % 100
    return [*number(value // 100), *(["oh"] if last < 10 else []), *number(last)]


def _ordinal(value: int) -> list[str]:
    *before, last = number(value)
    if last.endswith("y"):
        return [*before, last[:-1] + "ieth"]
    return [*before, _ORDINALS.get(last, last.removesuffix("t") + "th")]
