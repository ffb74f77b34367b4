"""Single keys of a terminal, as they are pressed."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio

NextKey = Callable[[], Awaitable[str]]
"""Returns the next key; waits for ever where there is no keyboard."""


@contextmanager
def keyboard() -> Iterator[NextKey | None]:
    """Have the terminal's keys one by one, unseen, until the block is over; None where there is no terminal.

    Ctrl-C goes on meaning what it means.
    """
    if not sys.stdin.isatty():
        yield None
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield _Keys(number).next
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


class _Keys:
    def __init__(self, number: int) -> None:
        self._number = number

    async def next(self) -> str:
        await trio.lowlevel.wait_readable(self._number)
        pressed = os.read(self._number, 1)
        if not pressed:
            # The terminal is gone, and what is said into it as well.
            await trio.sleep_forever()
        return pressed.decode(errors="replace")
