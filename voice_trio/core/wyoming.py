"""The Wyoming protocol of Home Assistant's voice servers: its events, out of bytes that are cut anywhere.

An event is a line of JSON, then so many bytes of JSON with its data, then so many bytes of payload, as the line says:
https://github.com/OHF-Voice/wyoming. Data in the line itself counts too, below that behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_LINE_BYTES: Final = 65_536
MAX_DATA_BYTES: Final = 1_000_000
MAX_PAYLOAD_BYTES: Final = 4_000_000
"""Some servers send all they say in one event."""


class BadEvent(Exception):
    """What came is no event, or a larger one than any that is waited for."""


@dataclass(frozen=True, slots=True)
class WyomingEvent:
    """One event."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def written(self) -> bytes:
        """Return it as it is sent."""
        head: dict[str, Any] = {"type": self.type}
        data = json.dumps(self.data).encode() if self.data else b""
        if data:
            head["data_length"] = len(data)
        if self.payload:
            head["payload_length"] = len(self.payload)
        return json.dumps(head).encode() + b"\n" + data + self.payload


class WyomingReader:
    """Reads one connection."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._head: dict[str, Any] | None = None

    @property
    def is_within(self) -> bool:
        """Whether an event has begun, and not ended."""
        return self._head is not None or bool(self._unread)

    def push(self, data: bytes | bytearray) -> Iterator[WyomingEvent]:
        """Take ``data`` and yield the events that it ends. Raises `BadEvent`, after which nothing can be read."""
        self._unread += data
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> WyomingEvent | None:
        if self._head is None:
            end = self._unread.find(b"\n", 0, MAX_LINE_BYTES)
            if end < 0:
                if len(self._unread) >= MAX_LINE_BYTES:
                    raise BadEvent("a line is too long")
                return None
            self._head = _object(bytes(self._unread[:end]))
            del self._unread[: end + 1]
        data_bytes = _length(self._head, "data_length", MAX_DATA_BYTES)
        payload_bytes = _length(self._head, "payload_length", MAX_PAYLOAD_BYTES)
        if len(self._unread) < data_bytes + payload_bytes:
            return None
        head, self._head = self._head, None
        kind, told = head.get("type"), head.get("data") or {}
        if not isinstance(kind, str) or not isinstance(told, dict):
            raise BadEvent("an event has no type, or no data")
        if data_bytes:
            told = {**told, **_object(bytes(self._unread[:data_bytes]))}
        payload = bytes(self._unread[data_bytes : data_bytes + payload_bytes])
        del self._unread[: data_bytes + payload_bytes]
        return WyomingEvent(kind, told, payload)


def _object(data: bytes) -> dict[str, Any]:
    try:
        read: Any = json.loads(data)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise BadEvent("what should be an object of JSON is none")
    return read


def _length(head: Mapping[str, Any], name: str, most: int) -> int:
    value = head.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadEvent(f"{name} is no length, or too large a one")
    return value
