"""The log of a server that runs inside a command: kept back while the command's own lines are read."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Final

from voice_trio import log
from voice_trio.cli.output import say

_MOST: Final = 1_000
"""Pieces of text that are kept, a line or two each; beyond that the oldest go."""


class _Held(io.TextIOBase):
    def __init__(self) -> None:
        self.texts: deque[str] = deque(maxlen=_MOST)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


@contextmanager
def held_log(level: str) -> Iterator[None]:
    """Log from ``level`` on, and write to standard error what was logged when the block is over."""
    held = _Held()
    try:
        with redirect_stderr(held):
            log.configure(level)
            yield
    finally:
        if held.texts:
            say(*"".join(held.texts).rstrip("\n").split("\n"), err=True)
