"""How a person says figures that name something and count nothing: telephone numbers, addresses, serial numbers.

Each figure of a telephone number is said by itself, with a pause between the groups.
"""

from __future__ import annotations

import re

from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.figures import NO_LETTER_BEFORE, NO_LETTER_BEHIND

_CALLED = re.compile(
    r"\b(?:call|phone|tel|telephone|dial|fax|mobile|cell|whatsapp|hotline|ring|reach|extension|ext|sms)\b[^\n]{0,24}\Z",
    re.IGNORECASE,
)

PHONE = (
    NO_LETTER_BEFORE + r"(?<![.-])(?:"
    r"(?:1[-. ]?)?\(\d{3}\)[ -]?\d{3}-\d{4}"
    r"|(?:1([-. ]))?\d{3}([-.])\d{3}[-.]\d{4}"
    r"|\+\d{1,4}(?=[\d ().-]{6,20})(?:[ .-]?\(\d{1,5}\)|[ .-]?\d{1,10}){1,6}"
    r"|0\d{1,5}(?=[\d ]{6,16})(?:[ ]\d{2,8}){1,5}"
    r"|1 \d{3} \d{3} \d{4}|\(0\d{2,5}\) ?\d{3,8}(?:[ -]\d{3,4})?"
    r"|0\d{1,5}[/-]\d{5,9}"
    r"|1-\d{3}-(?=[A-Z0-9-]*[A-Z])[A-Z0-9]{2,9}(?:-[A-Z0-9]{2,7})?"
    r"|0\d{1,4}-\d{1,4}-\d{3,4}"
    r")(?!-|\.\d)" + NO_LETTER_BEHIND
)
LOCAL_PHONE = r"(?<![\w.,/-])(?P<exchange>\d{3})[- ‑](?P<line>\d{4})(?![\w%°€£$-]|[.,]\d)"
SHORT_PHONE = r"(?<=[Cc]all )\d{3}(?!\w|[.,:-]\d|\s\w+s\b)|(?<=[Dd]ial )\d{2,4}(?!\w|[.,:-]\d)"
ADDRESS = (
    r"(?<![\w.])(?P<octets>(?:(?:25[0-5]|2[0-4]\d|1?\d{1,2})\.){3}(?:25[0-5]|2[0-4]\d|1?\d{1,2}))"
    r"(?:/(?P<mask>\d{1,2})|:(?P<port>\d{1,5}))?(?!\w|\.\d)"
)
HARDWARE = r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])"
SERIAL = r"(?<![\w.-])\d++(?:-\d++){2,}(?!\w|-\d)"


def phone(m: re.Match[str], draft: Draft) -> None:
    """800-555-0100: "8 0 0, 5 5 5, 0 1 0 0"; +44: "plus 4 4"; 1-800-FLOWERS."""
    for offset, char in enumerate(m[0]):
        at = m.start() + offset
        if char.isdigit():
            draft.copy(char, at)
            draft.space(at)
        elif char.isalpha():
            draft.copy(char, at)
        elif char == "+":
            draft.word("plus", at)
        elif offset:
            draft.pause(",", at)


def local_phone(m: re.Match[str], draft: Draft) -> int | None:
    """555-0199; declines what may be a range: 500-1500."""
    called = _CALLED.search(m.string, max(0, m.start() - 40), m.start())
    line = m["line"]
    number = m["exchange"] == "555" or line[0] == "0" or int(line) % 5
    if not called and (" " in m[0] or not number):
        return m.start()
    phone(m, draft)
    return None


def address(m: re.Match[str], draft: Draft) -> None:
    """192.168.0.1:80: "192 dot 168 dot 0 dot 1 port 80"."""
    for offset, char in enumerate(m["octets"]):
        if char == ".":
            draft.word("dot", m.start() + offset)
        else:
            draft.copy(char, m.start() + offset)
    for name, group in (("slash", "mask"), ("port", "port")):
        if m[group]:
            draft.word(name, m.start(group) - 1)
            draft.copy(m[group], m.start(group))


def hardware(m: re.Match[str], draft: Draft) -> None:
    """00:1A:2B:3C:4D:5E: each part by itself."""
    for offset, char in enumerate(m[0]):
        if char.isalnum():
            draft.copy(char, m.start() + offset)
        else:
            draft.space(m.start() + offset)


def serial(m: re.Match[str], draft: Draft) -> None:
    """12-345-67: what hangs together like this is no range."""
    for offset, char in enumerate(m[0]):
        if char == "-":
            draft.space(m.start() + offset)
        else:
            draft.copy(char, m.start() + offset)
