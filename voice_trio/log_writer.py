"""Standard error for a server: what writes to it never waits, and what reads it can never end or hold the server.

A pipe that nobody empties and a terminal after Ctrl-S stop the writer inside ``write``; a reader that is gone, a
terminal that hung up and a full disk make ``write`` fail. So a thread does the writing, and all others only hand it
their text. What does not fit into its queue, or could not be written, is counted, and the count stands as a line of its
own before the next line that is written.
"""

from __future__ import annotations

import io
import json
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

_ROOM = 1_000_000
"""Bytes that may wait; some thousand lines."""

_LAST_WORDS_S = 1.0
"""How long the end of a block waits for what is queued."""


class LogWriter(io.TextIOBase):
    """A text file whose `write` never waits and never fails."""

    def __init__(self, descriptor: int, room: int = _ROOM) -> None:
        """``descriptor`` is where the text goes, and closed at the end; ``room`` is how many bytes may wait for it."""
        self._to = descriptor
        self._room = room
        self._change = threading.Condition()
        self._queue: deque[tuple[int, bytes]] = deque()
        """Each text, with the number of lines lost before it."""
        self._waiting = 0
        self._lost = 0
        self._closing = False
        # A daemon, against our own custom: a thread inside a write that nobody takes cannot be ended, and the
        # process is to end all the same.
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many lines could not be written since the last that could."""
        return self._lost

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Hand ``text`` over, or count its lines as lost where there is no room; returns its length."""
        data = text.encode(errors="backslashreplace")
        with self._change:
            # A single text is taken whatever its length, or a long one would never be seen.
            if self._closing or (self._waiting and self._waiting + len(data) > self._room):
                self._lost += data.count(b"\n")
            elif data:
                self._queue.append((self._lost, data))
                self._lost = 0
                self._waiting += len(data)
                self._change.notify()
        return len(text)

    def finish(self, seconds: float = _LAST_WORDS_S) -> bool:
        """Take no more, and wait for what is queued; return whether all of it went out in ``seconds``."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._queue or self._closing)
                if self._queue:
                    lost, data = self._queue.popleft()
                else:
                    lost, data, self._lost = self._lost, b"", 0
            told = _told(lost) if lost else b""
            written = self._put(told + data)
            with self._change:
                self._waiting -= len(data)
                self._lost += 0 if written else lost + data.count(b"\n")
            if not data:
                break
        os.close(self._to)

    def _put(self, data: bytes) -> bool:
        """Write all of ``data``, however long that takes; False if it cannot be written."""
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._to, left) :]
            except BlockingIOError:
                # Another program that shares the terminal made it so.
                select.select([], [self._to], [])
            except OSError:
                return False
        return True


def _told(lost: int) -> bytes:
    return json.dumps({"event": "log lines were lost", "level": "warning", "lost": lost}).encode() + b"\n"


@contextmanager
def log_writer() -> Iterator[LogWriter]:
    """Make `sys.stderr` a `LogWriter` inside the block; at its end, wait for at most a second for what is queued.

    Where nobody takes that, the descriptor itself leads nowhere from then on, so that the interpreter's own last words
    cannot hold up the end of the process.
    """
    own = sys.stderr.fileno()
    writer = LogWriter(os.dup(own))
    try:
        with redirect_stderr(writer):
            yield writer
    finally:
        if not writer.finish():
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), own)
