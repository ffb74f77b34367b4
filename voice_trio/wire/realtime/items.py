"""The items of a conversation as clients read them, and the order that they have there."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def message(id: str, role: str, status: str, content: list[Json]) -> Json:  # noqa: A002
    """Return a message."""
    return {"id": id, "object": "realtime.item", "type": "message", "status": status, "role": role, "content": content}


def function_call(id: str, status: str, call_id: str, name: str, arguments: str) -> Json:  # noqa: A002
    """Return a call of one of the client's tools; ``arguments`` are JSON, whole or empty."""
    call = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": id, "object": "realtime.item", "type": "function_call", "status": status, **call}


def function_call_output(id: str, call_id: str, output: str) -> Json:  # noqa: A002
    """Return what a call came to."""
    said = {"call_id": call_id, "output": output}
    return {"id": id, "object": "realtime.item", "type": "function_call_output", "status": "completed", **said}


class Order:
    """Which items there are, one behind the other, as far as the client was told."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def __contains__(self, item: str) -> bool:
        return item in self._ids

    @property
    def last(self) -> str | None:
        """The id of the last one."""
        return self._ids[-1] if self._ids else None

    def add(self, item: str, after: str | None = None, *, first: bool = False) -> str | None:
        """Put ``item`` behind ``after``, or at the end, or ``first``; return the id of the one before it."""
        if first:
            self._ids.insert(0, item)
        elif after is None or after not in self._ids:
            self._ids.append(item)
        else:
            self._ids.insert(self._ids.index(after) + 1, item)
        return self.before(item)

    def before(self, item: str) -> str | None:
        """Return the id of the one before ``item``, None for the first and for what is not there."""
        at = self._ids.index(item) if item in self._ids else 0
        return self._ids[at - 1] if at else None

    def remove(self, item: str) -> None:
        """Take ``item`` out, if it is there."""
        if item in self._ids:
            self._ids.remove(item)
