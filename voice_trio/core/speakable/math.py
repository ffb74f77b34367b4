"""How a person says sums and formulas that are written in a line of plain text.

A sign of emphasis and a sign of arithmetic can be the same: 2**10 is a power, and so is x**2; in a **word** they are
nothing. What stands right beside the sign tells.
"""

from __future__ import annotations

import re
import unicodedata

from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.units import UNITS

_POWERS = {"2": "squared", "3": "cubed"}
_FUNCTIONS = {"sin": "sine", "cos": "cosine", "tan": "tangent", "ln": "natural log", "sqrt": "square root"}
_FUNCTIONS |= {"log": "log", "exp": "exp"}
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ"
_SUP = re.compile(r"(?P<sup>[-−]?\d{1,3}|[a-z])</sup>")
_PLAIN_RAISED = str.maketrans(_RAISED + "ⁱ", "0123456789ni")
_BASE = re.compile(r"(?P<stars>(?<![\w)*])\*{1,3})?(?P<base>[^\W_]{1,30}|[)\]])\s?\Z")
_ALGEBRA_NEAR = re.compile(
    r"[=^²³√]|\d[a-wyz](?!\w)|\b(?:solve|equation|derivative|integral|polynomial|function|factor|roots?|slope|variable"
    r"|expression|quadratic|algebra|coefficient|term|terms)\b|\bf\(x\)",
    re.IGNORECASE,
)
_OPERATOR_BEFORE = re.compile(r"[-+−*/=<>(·×±]\s?\Z")
_OPERATOR_AFTER = re.compile(
    r"\s?[+=<>≤≥*^²³·×÷±≠≈/]|\s?[-−]\s?(?:\d++(?!\.?\d*x(?!\w))|[(a-z](?![a-z]))|[(²³]|[a-z](?![a-z])"
)

STARS_POWER = r"(?<=[\w)\]])\s?\*\*\s?(?=[-−+]?[\w(])"
TIMES = r"(?<=[\w)])\s?\*\s?(?=[-−]?[\w(])"
POWER = (
    r"(?<=[\w)\]}])\s?\^\s?(?:\{(?P<braced>[23])\}|\((?P<bracketed>[23])\)|(?P<power>[23])(?!\d|\.\d|[(^])"
    r"|\((?=[^()\n]{1,14}(?P<power_end>\)))|(?=[-−+\w({\\]))"
)
RAISED = (
    rf"(?<=[\w)\]}}'’])(?P<raised_sign>[⁺⁻])?(?P<raised>[{_RAISED}]+)"
    r"(?:[ ](?P<raised_unit>k?g|k?m|s|J|W|Hz|L|mol)(?!\w))?|(?P<charge>[⁺⁻])"
)
ISOTOPE = rf"(?<![\w)\]}}])[{_RAISED[:-1]}]+(?=[A-Z])"
BY = r"(?<=\d)(?<!\b0)(?:x|\sx\s)(?=\d)|(?<=\d\d\d)×(?=\d\d\d)"
VARIABLE = r"(?<=\d)x(?=\W|\Z|y|x)"
ROOT = r"[√∛∜]"
FUNCTION = (
    r"(?<=(?<!\w)[fghFGP])(?P<primes>['′]{0,3})\((?=[^\W_]{1,3}(?:\s?[-+,]\s?[^\W_]{1,3})?\))"
    r"|(?<=(?<!\w)O)\((?=[^()\n]{1,14}\))"
)
NAMED_FUNCTION = r"(?<!\w)(?P<named>sin|cos|tan|log|ln|sqrt|exp)\((?=[^()\n]{1,14}\))"
FACTORIAL = r"(?<=(?<!\w)[a-z\d])!(?=\s?[=+*/^)]|\s?[-−]\s)|(?<=\d\d)!(?=\s?=)"
GREEK = (
    r"(?<![\u0370-\u03ff\u1f00-\u1fff][\s'’])(?<![\u0370-\u03ff])"
    r"(?P<greek>[Α-Ωα-ωϑϕϵ∂])(?![\u0370-\u03ff]|[\s'’][\u0370-\u03ff]{2})"
)


def stars_power(m: re.Match[str], draft: Draft) -> int | None:
    """2**10: "2 to the power 10"; declines where the stars are Markdown's."""
    text, end = m.string, m.end()
    found = _BASE.search(text, max(0, m.start() - 34), m.start())
    if found is None or found["stars"]:
        return m.start()
    base, power = found["base"], _exponent(text, end)
    spaced = m[0] != "**"
    if spaced and not (m[0].startswith(" ") and m[0].endswith(" ")):
        return m.start()  # a phrase in bold begins or ends here
    figures = power.lstrip("-−+").isdigit()
    closed = text.startswith("**", end + len(power))
    if closed and not (figures and text[end + len(power) + 2 : end + len(power) + 3].isalnum()):
        return m.start()
    short = len(base) == 1 or base.isdigit()
    if not (figures or text[end] == "(" or (short and len(power.lstrip("-−+")) == 1)):
        return m.start()
    if power in _POWERS and not closed:
        draft.space(m.start())
        draft.say(_POWERS[power], m.start())
        return end + len(power)
    draft.word("to the power", m.start())
    return None


def _exponent(text: str, at: int) -> str:
    end = at + 1 if text[at] in "-−+" else at
    while end < min(len(text), at + 24) and text[end].isalnum():
        end += 1
    return text[at:end]


def times(m: re.Match[str], draft: Draft) -> int | None:
    """2 * 3, 2*x, (a+b)*c: "times"; declines where the star is Markdown's."""
    text, end = m.string, m.end()
    if m[0] != "*" and not (m[0].startswith(" ") and m[0].endswith(" ")):
        return m.start()
    if m[0] == "*":
        found = _BASE.search(text, max(0, m.start() - 34), m.start())
        factor = _exponent(text, end)
        after = end + len(factor)
        closes = text.startswith("*", after) and not text[after + 1 : after + 3].lstrip("*").isalnum()
        if found is None or found["stars"] or closes:
            return m.start()
        plain = len(found["base"]) == 1 and (len(factor) <= 1 or factor.lstrip("-−+").isdigit())
        if not (plain or found["base"].isdigit()):
            return m.start()
    draft.word("times", m.start())
    return None


def power(m: re.Match[str], draft: Draft) -> None:
    """x^2: "x squared"; x^{n+1}: "x to the power n plus 1"."""
    exponent = m["braced"] or m["bracketed"] or m["power"]
    draft.space(m.start())
    if exponent:
        draft.say(_POWERS[exponent], m.start())
        draft.space(m.end() - 1)
    else:
        draft.word("to the power", m.start())
        if m["power_end"]:
            draft.bracket_end = m.start("power_end")


def raised(m: re.Match[str], draft: Draft) -> None:
    """x²: "x squared"; 10⁻³: "10 to the power minus 3"; Na⁺: "Na plus"."""
    draft.space(m.start())
    if m["charge"]:
        draft.word("plus" if m["charge"] == "⁺" else "minus", m.start())
        return
    exponent = m["raised"].translate(_PLAIN_RAISED)
    after = m.string[m.end("raised") : m.end("raised") + 1]
    if after in ("⁺", "⁻") and after:
        draft.word(exponent, m.start())
    elif m["raised_sign"] != "⁻" and exponent in _POWERS:
        draft.say(_POWERS[exponent], m.start())
    else:
        draft.say("to the power " + ("minus " if m["raised_sign"] == "⁻" else "") + exponent, m.start())
    draft.space(m.end() - 1)
    if m["raised_unit"] in UNITS:
        draft.word(UNITS[m["raised_unit"]][1], m.start("raised_unit"))


def sup(text: str, at: int, end: int, draft: Draft) -> int:
    """Say x<sup>2</sup> as a power; return where the text goes on: at ``end``, where it is none."""
    found = _SUP.match(text, end)
    if found is None or not re.search(r"(?:\d|(?<!\w)[a-zA-Z]|\))\Z", text[max(0, at - 2) : at]):
        return end
    exponent = found["sup"].replace("-", "minus ").replace("−", "minus ")
    draft.space(at)
    draft.say(_POWERS.get(exponent) or "to the power " + exponent, end)
    return found.end()


def isotope(m: re.Match[str], draft: Draft) -> None:
    """¹⁴C: "14 C"."""
    draft.word(m[0].translate(_PLAIN_RAISED), m.start())


def by(m: re.Match[str], draft: Draft) -> None:
    """1920x1080: "1920 by 1080"."""
    text, at = m.string, m.end()
    while at < min(len(text), m.end() + 12) and text[at].isdigit():
        at += 1
    product = "×" in m[0] and text[at : at + 2].lstrip().startswith("=")
    draft.word("times" if product else "by", m.start())


def variable(m: re.Match[str], draft: Draft) -> None:
    """2x + 1: "2x plus 1", but 3x faster: "3 times faster"."""
    text, at = m.string, m.start()
    before, after = text[max(0, at - 48) : at], text[m.end() : m.end() + 48]
    number = re.search(r"[\d.,]+\Z", before)
    head = before[: number.start()] if number else before
    algebra = (
        _OPERATOR_AFTER.match(after)
        or (_OPERATOR_BEFORE.search(head) and not re.match(r"\s[a-z]{2}|\s?[-–]\d|[).,]?\Z", after))
        or _ALGEBRA_NEAR.search(head + "\0" + after)
    )
    draft.number_end = m.end()
    if algebra and not re.match(
        r"\s(?:faster|slower|more|less|as|the|zoom|speed|larger|bigger|smaller|better)\b", after
    ):
        draft.copy("x", at)
        draft.number_end = -2
    else:
        draft.word("times", at)


def is_minus(text: str, at: int, end: int) -> bool:
    """Return whether the hyphen from ``at`` to ``end`` takes away: x-3, 4y - 3, e^{-x}; it is no word's own."""
    if text[at] == "−" or text[max(0, at - 2) : at].endswith(("^", "^(", "^{")):
        return True
    before, after = text[max(0, at - 12) : at], text[end : end + 3]
    if before[-1:].isspace() != after[:1].isspace():
        if re.match(r"[a-z](?!\w)\s?[=+*/^<>≤≥]", text[end : end + 4]) and before[-1:].isspace():
            return True
        return re.match(r"[a-z](?!\w)|\(", after) is not None and re.search(r"[=(+*/<>]\s?\Z", before) is not None
    if re.search(r"(?<!\w)[a-z]\s?\Z", before) and re.match(r"\s?[a-z]\s?[=+*/^]", text[end : end + 5]):
        return True
    sums = re.search(r"[=^+*]", text[max(0, at - 30) : end + 20])
    if sums and before[-2:] == ") " and re.match(r" \d| [a-z](?!\w)", after):
        return True
    right = re.match(r"\s?(?:\d|[a-z](?!\w)|\()", after) is not None
    left = (
        re.search(r"(?:(?<![\w'’])[b-hj-z]|(?<![^\W\d])\d[a-z]{1,2}|(?<=\w)[²³]|\^\{?\d\}?)\s?\Z", before) is not None
    )
    return left and right and (before[-1:].isspace() or after[:1].isdigit() or before[-2:-1].isdigit())


def root(m: re.Match[str], draft: Draft) -> None:
    """√2: "square root of 2"."""
    draft.word({"√": "square root of", "∛": "cube root of", "∜": "fourth root of"}[m[0]], m.start())


def function(m: re.Match[str], draft: Draft) -> None:
    """f(x): "f of x"; f'(x): "f prime of x"."""
    for offset in range(len(m["primes"] or "")):
        draft.word("prime", m.start("primes") + offset)
    draft.word("of", m.end() - 1)
    draft.bracket_end = m.string.find(")", m.end(), m.end() + 16)


def named_function(m: re.Match[str], draft: Draft) -> None:
    """sin(x): "sine of x"."""
    draft.word(_FUNCTIONS[m["named"]] + " of", m.start())
    draft.bracket_end = m.string.find(")", m.end(), m.end() + 16)


def factorial(m: re.Match[str], draft: Draft) -> None:
    """n! = 120: "n factorial equals 120"."""
    draft.word("factorial", m.start())


def greek(m: re.Match[str], draft: Draft) -> None:
    """2π: "2 pi", where the letter is a sign and no word's."""
    draft.word(greek_name(m["greek"]), m.start())


def greek_name(char: str) -> str:
    """Return "alpha" for α and for its capital; "partial" for ∂."""
    if char == "∂":
        return "partial"
    words = unicodedata.name(char).lower().removesuffix(" symbol").split()
    return words[-1].replace("lamda", "lambda")
