r"""Where formulas in LaTeX stand in a reply: $x$, $$x$$, \(x\), \[x\], an environment, a lone command.

A single sign of the dollar begins a formula only if another ends it, and what stands between can be no sum of money.
"""

from __future__ import annotations

import re

from voice_trio.core.speakable import latex_words as words
from voice_trio.core.speakable.draft import Draft
from voice_trio.core.speakable.formula import LONGEST, Reader
from voice_trio.core.speakable.tags import silence

CODE = "code block"
"""Said in place of code."""

_ENDS = {r"\(": r"\)", r"\[": r"\]", "$$": "$$"}
_CODE = re.compile(rf"\{{(?P<code>{'|'.join(sorted(words.CODE))})\*?\}}")
_INLINE = re.compile(r"\$(?P<body>(?:[^$\n\\]|\\[^\n]){1,1000}?)\$(?![\w$])")
_MARKED = re.compile(r"[\\^_={}]")

INLINE = r"(?<![\w$\\])\$(?![\s$])"
DISPLAY = rf"\$\$(?!\$)|(?<!\\)\\[(\[]|\\begin\{{(?P<env>{'|'.join(sorted(words.MATH))})\*?\}}"
COMMAND = r"(?<!\\)\\(?P<tex>[a-zA-Z]{1,24})\*?"


def is_formula(body: str) -> bool:
    """Return whether ``body``, which stands between two signs of the dollar, is a formula and no talk of money."""
    if body[0].isspace() or body[-1].isspace():
        return False
    if _MARKED.search(body):
        return True
    if body[0].isdigit():
        return re.search(r"[^\W\d_]{2}|[.,;:!?]\s", body) is None
    return re.search(r"[^\W\d_]{3}|[.;:!?]\s", body) is None


def inline(m: re.Match[str], draft: Draft) -> int:
    """$x^2$; declines sums of money."""
    found = _INLINE.match(m.string, m.start())
    if found is None or not is_formula(found["body"]):
        return m.start()
    draft.space(m.start())
    Reader(m.string, draft).read(found.start("body"), found.end("body"))
    return found.end()


def display_end(text: str, m: re.Match[str]) -> int:
    r"""Return where the formula ends that ``m``, of `DISPLAY`, begins: \(, \[, $$, \begin{equation}; 0 for none."""
    closer = m[0].replace("begin", "end", 1) if m["env"] else _ENDS[m[0]]
    end = text.find(closer, m.end(), m.end() + LONGEST)
    return 0 if end < 0 or (not m["env"] and "\n\n" in text[m.end() : end]) else end + len(closer)


def display(m: re.Match[str], draft: Draft) -> int:
    """A formula between its signs; declines where they are none."""
    end = display_end(m.string, m)
    if not end:
        return Reader(m.string, draft).environment(m.start("env") - 1, len(m.string)) if m["env"] else m.start()
    draft.space(m.start())
    if m["env"]:
        Reader(m.string, draft).read(m.start(), end)
    else:
        Reader(m.string, draft).read(m.end(), end - 2)
    draft.space(end - 1)
    return end


def command(m: re.Match[str], draft: Draft) -> int:
    """A command outside of any formula."""
    text, name = m.string, m["tex"]
    reader = Reader(text, draft)
    if name in ("begin", "end"):
        found = _CODE.match(text, m.end()) if name == "begin" else None
        if found is None:
            return reader.environment(m.end(), len(text))
        draft.pause(".", m.start())
        draft.say(CODE, m.start())
        draft.pause(".", m.start())
        return silence(text, found.end(), found["code"], draft)
    known = name in words.BIG or name in words.BEHIND or name in words.BEFORE or name in words.SKIPPED
    if known or name.endswith("frac") or name in ("sqrt", "binom", "item"):
        return reader.command(name, m.start(), m.end(), len(text))
    reader.name(name, m.start(), m.end())
    return m.end()
