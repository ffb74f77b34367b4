"""Server-sent events, out of bytes that are cut anywhere: https://html.spec.whatwg.org/multipage/server-sent-events.html

Read more tolerantly than it is written there, as servers that only resemble one another need it: a field ``error`` is
one that failed, an object on a line of its own needs no ``data:``, an object begins a new event even without the blank
line before it, and what is complete at the end of the stream needs none behind it. What does not look like a stream of
events at all comes out as one `Document`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

MAX_EVENT_BYTES: Final = 1_000_000
"""The longest line, event or document."""

_LINE_BYTES: Final = 64
"""What a line counts for besides its own length: a million empty ones take their time as well."""

_BOM: Final = b"\xef\xbb\xbf"
_OBJECT: Final = (b"{", b"[")


class TooLong(Exception):
    """A line, an event or a document is longer than `MAX_EVENT_BYTES`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the text of its ``data`` fields. ``failed`` where it was sent as an error."""

    data: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The whole body, which was no stream of events."""

    text: str


class ServerSentEvents:
    """Bytes of one response's body in, events out. Takes time in proportion to the bytes, however they are cut.

    Lines end at CR, LF or both. Comments, and events without data, leave no trace: a caller that asks whether the other
    side lives sees it in that there were bytes.
    """

    def __init__(self) -> None:
        self._line = bytearray()  # what there is of the line that has not ended
        self._ended_at_cr = False  # so that a line feed that comes next belongs to it
        self._form: Literal["unknown", "events", "document"] = "unknown"
        self._data: list[bytes] = []  # of the event that has not ended; all lines, of a document
        self._size = 0
        self._failed = False

    def push(self, piece: bytes) -> Iterator[Event]:
        """Take ``piece`` and yield the events that it completes, oldest first. Raises `TooLong`."""
        if not piece:
            return
        if self._ended_at_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._ended_at_cr = piece.endswith(b"\r")
        for line in piece.splitlines(keepends=True):
            self._line += line
            if len(self._line) > MAX_EVENT_BYTES:
                raise TooLong
            if line[-1] in b"\r\n":
                whole = bytes(self._line.rstrip(b"\r\n"))
                self._line.clear()
                yield from self._end_line(whole)

    def finish(self) -> Iterator[Event | Document]:
        """Yield what is left: the body is over. Raises `TooLong`."""
        if self._line:
            yield from self._end_line(bytes(self._line))
            self._line.clear()
        if self._form == "document":
            yield Document(_text(b"\n".join(self._data)))
        elif self._data:
            yield self._event()
        self._data = []

    def _end_line(self, line: bytes) -> Iterator[Event]:
        if self._form == "unknown":
            line = line.removeprefix(_BOM)
            if not line.strip():
                return
            self._form = "document" if _begins_document(line) else "events"
        if self._form == "document":
            self._add(line)
            return
        if not line:
            if self._data:
                yield self._event()
            self._failed = False
            return
        if line.startswith(_OBJECT):
            line = b"data:" + line
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match field:
            case b"data":
                if self._data and value.startswith((*_OBJECT, b"[DONE]")) and self._data[-1].endswith((b"}", b"]")):
                    yield self._event()
                self._add(value)
            case b"error":
                if self._data:
                    yield self._event()
                yield Event(_text(value), failed=True)
            case b"event":
                self._failed = value.strip() == b"error"

    def _add(self, line: bytes) -> None:
        self._size += len(line) + _LINE_BYTES
        if self._size > MAX_EVENT_BYTES:
            raise TooLong
        self._data.append(line)

    def _event(self) -> Event:
        event = Event(_text(b"\n".join(self._data)), self._failed)
        self._data, self._size = [], 0
        return event


def _begins_document(line: bytes) -> bool:
    """Say whether a body whose first line is ``line`` is no stream of events: a page, or an object over many lines."""
    first = line.lstrip()
    if first.startswith(b"<"):
        return True
    # Objects one a line are as good as events; one that is not whole on its line goes on in the next ones.
    return first.startswith(_OBJECT) and not first.rstrip().endswith((b"}", b"]"))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
