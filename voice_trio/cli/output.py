"""What the commands write. All of it passes here, so that no text, wherever it comes from, can do more than be read.

A terminal obeys some characters: models, servers, pages that a model read, and files could set its clipboard or its
title with them, or overwrite what was said before. They are shown by their names in Python instead. Where the output
has no letters for something, it is replaced.
"""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from typing import TextIO

import click

from voice_trio.core.errors import Mendable, first_leaf

EXIT_USAGE = 2
"""The exit code for what a person can mend."""

EXIT_UNREAD = 1
"""The exit code where nobody read the output to its end; click has the same."""

_OBEYED = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters of both sets, ends of lines and paragraphs, what turns the direction of the text around it, and
bytes that are no text. All other characters that cannot be seen are left: names of emoji and many scripts need them."""

_NOT_ASCII = re.compile("[^ -~]")


class CannotPrint(Mendable):
    """Standard output takes nothing more; the message says why."""


class ReaderGone(CannotPrint):
    """The program that read standard output has closed it."""


def prepare() -> None:
    """Make the standard streams fit for any text, and those that were closed lead to nowhere.

    A file that is opened later would else take the place of a closed one, and be written to.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # It takes the lowest number that is free: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    # What is written to them is flushed at once, so that nothing is left to be closed.
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def say(*lines: str, err: bool = False) -> None:
    """Write ``lines``, each in one line. Raises `CannotPrint`."""
    _write("".join(f"{plain(line)}\n" for line in lines or ("",)), err=err)


def say_on(text: str) -> None:
    """Write ``text`` that may have lines of its own, and go on in its last one. Raises `CannotPrint`."""
    _write("\n".join(map(plain, text.replace("\r", "").split("\n"))))


def say_again(line: str, *, last: bool) -> None:
    """Write ``line`` in the place of the one before; it can be replaced in turn if it is not the ``last``.

    Raises `CannotPrint`.
    """
    _write(f"\r\x1b[K{plain(line)}" + ("\n" if last else ""))


def say_json(text: str) -> None:
    """Write ``text``, which is JSON, in one line of ASCII. Raises `CannotPrint`."""
    _write(_NOT_ASCII.sub(_unicode_escape, text) + "\n")


def sentence(group: BaseExceptionGroup[Exception]) -> str | None:
    """Return what to tell the person; None where ``group`` holds anything that is not theirs to mend."""
    mendable, rest = group.split(Mendable)
    if mendable is None or rest is not None:
        return None
    return str(first_leaf(mendable)).rstrip(".") + "."


def refused(error: OSError) -> CannotPrint:
    """Return what ``error`` at writing standard output means, and have all that is still written to it go nowhere."""
    _let_go(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return ReaderGone("nobody reads standard output any more")
    return CannotPrint(f"standard output cannot be written: {error.strerror or error}")


def plain(text: str) -> str:
    """Return ``text`` in one line, without what a terminal would obey."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def number_of(count: int, noun: str) -> str:
    """Return how many there are, in words."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _unicode_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _write(text: str, *, err: bool = False) -> None:
    try:
        # Named, or click puts a stream of its own in the place of one that it thinks has too few letters.
        click.echo(text, file=sys.stderr if err else sys.stdout, nl=False)
    except OSError as error:
        if not err:
            raise refused(error) from error
        _let_go(sys.stderr)


def _let_go(stream: TextIO) -> None:
    """Have ``stream`` lead to nowhere: the interpreter would try to write the rest once more as it ends."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
