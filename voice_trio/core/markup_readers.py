"""Readers of markup, one for each kind: it is sent the characters behind the opening one, and ends with the markup."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum, auto

from voice_trio.core.speakable import latex_words as latex
from voice_trio.core.speakable.tags import LONGEST_NAME, is_bare_attribute, is_tag_name

_LONGEST_CODE = 120


class End(Enum):
    """How a reader ends."""

    SILENT = auto()
    """Closed by this character; none of it is said."""
    SAID = auto()
    """Closed by this character."""
    BEFORE = auto()
    """Closed before this character; none of it is said."""
    NONE = auto()
    """No markup, as this character shows; or closed before it."""


Reader = Generator[None, str, End]
"""Is sent one character after the other, behind the one that opens the markup."""


def angle() -> Reader:
    """Read a tag, a comment, a declaration."""
    char = yield
    if char in "!?":
        return (yield from _declaration(char))
    if char == "/":
        char = yield
    name = ""
    while char.isalnum() or char in "-_:":
        name += char
        if len(name) > LONGEST_NAME:
            return End.NONE
        char = yield
    if not is_tag_name(name):
        return End.NONE
    while True:
        while char.isspace():
            char = yield
        if char == "/":
            char = yield
            return End.SILENT if char == ">" else End.NONE
        if char == ">":
            return End.SILENT
        attribute = ""
        while char.isalnum() or char in "-_:.@":
            attribute += char
            char = yield
        while attribute and char.isspace():
            char = yield
        if attribute and char == "=":
            char = yield
            while char.isspace():
                char = yield
            if char in "\"'":
                yield from _until(char)
                char = yield
            else:
                while not char.isspace() and char not in "<>":
                    char = yield
        elif not is_bare_attribute(attribute):
            return End.NONE


def _declaration(char: str) -> Reader:
    if char == "!":
        char = yield
        if char == "-":
            char = yield
            if char != "-":
                return End.NONE
            yield from _until("-->")
            return End.SILENT
    else:
        char = yield
    if not char.isalpha():
        return End.NONE
    yield from _until(">")
    return End.SILENT


def _until(end: str) -> Generator[None, str, str]:
    """Read up to ``end``; return what was read."""
    text = ""
    last = ""
    while last != end:
        char = yield
        last = (last + char)[-len(end) :]
        text = (text + char)[-LONGEST_NAME:]
    return text


def link_end() -> Reader:
    """Read what follows a link's words: its address and title, up to the closing bracket."""
    char = yield
    if char != "(":
        return End.NONE
    char = yield
    while char.isspace():
        char = yield
    if char == "<":
        yield from _until(">")
        char = yield
    depth = 0
    while not char.isspace():
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return End.SILENT
        char = yield
    while char.isspace():
        char = yield
    if char in "\"'(":
        yield from _until({"(": ")"}.get(char, char))
        char = yield
        while char.isspace():
            char = yield
    return End.SILENT if char == ")" else End.NONE


def address() -> Reader:
    """Read a web address: to the next white space."""
    for expected in "ttp":
        char = yield
        if char != expected:
            return End.NONE
    char = yield
    if char == "s":
        char = yield
    for expected in "://":
        if char != expected:
            return End.NONE
        char = yield
    while not char.isspace() and char not in '<>"':
        char = yield
    return End.BEFORE


def code() -> Reader:
    """Read `code` in a line."""
    ticks = 1
    char = yield
    while char == "`":
        ticks += 1
        char = yield
    run = 0
    for _ in range(_LONGEST_CODE):
        if char == "\n":
            return End.NONE
        run = run + 1 if char == "`" else 0
        char = yield
        if run == ticks and char != "`":
            return End.NONE
    return End.NONE


def dollar() -> Reader:
    """Read a formula between dollar signs; what can be money or prose is none."""
    char = yield
    if char == "$":
        return (yield from _block("$$"))
    if char.isspace():
        return End.NONE
    words = 2 if char.isdigit() else 3  # letters in a row that no formula has
    letters, marked, before = 0, False, ""
    while char != "$":
        if char == "\n":
            return End.NONE
        marked = marked or char in "\\^_={}"
        letters = letters + 1 if char.isalpha() else 0
        stopped = char.isspace() and before in (".,;:!?" if words == 2 else ".;:!?")
        if not marked and (letters >= words or (before and stopped)):
            return End.NONE
        if char == "\\":
            yield  # whatever it makes of the next one
        before = char
        char = yield
    return End.NONE if before.isspace() else End.SAID


def _block(end: str) -> Reader:
    """Read a formula of many lines; an empty line breaks it off."""
    last = ""
    while not last.endswith(end):
        char = yield
        last = (last + char)[-8:] if not char.isspace() or char == "\n" else last
        if last.endswith("\n\n"):
            return End.NONE
    return End.SAID


def command() -> Reader:
    r"""Read \(, \[, \begin{equation} to their ends; \frac with its arguments."""
    char = yield
    if char in "([":
        return (yield from _block("\\" + {"(": ")", "[": "]"}[char]))
    if not char.isalpha():
        return End.SAID
    name = ""
    while char.isascii() and char.isalpha():
        name = (name + char)[-LONGEST_NAME:]
        char = yield
    if name == "begin" and char == "{":
        environment = (yield from _until("}")).removesuffix("}")
        if environment.rstrip("*") in latex.MATH:
            yield from _until(f"\\end{{{environment}}}")
        return End.SAID
    while char in "{[":
        depth = 0
        while True:
            depth += (char in "{[") - (char in "}]")
            if char == "\\":
                yield
            if not depth:
                break
            char = yield
            if char == "\n":
                return End.NONE
        char = yield
    return End.NONE
