"""The items of a conversation as clients read them, and the order that they have there."""

from __future__ import annotations

from typing import Any, Final

from voice_trio.core.items import MAX_ITEMS, Item, ToolOutput, ToolUse, Words

Json = dict[str, Any]

ROLES: Final = {"user": "person", "assistant": "assistant", "system": "system"}
_BY: Final = {by: role for role, by in ROLES.items()}


def told(item: Item, *, spoken: bool = False, status: str = "completed") -> Json:
    """Return ``item`` as it is told; ``spoken`` says that its words were, and ``status`` is of a reply alone."""
    match item:
        case ToolUse(call=call, name=name, arguments=arguments):
            return function_call(item.id, "completed", call, name, arguments)
        case ToolOutput(call=call, output=output):
            more = {"call_id": call, "output": output}
            return {
                "id": item.id,
                "object": "realtime.item",
                "type": "function_call_output",
                "status": "completed",
                **more,
            }
        case Words(by=by):
            said = heard_of(item)
            if spoken:
                content = [{"type": "input_audio" if by == "person" else "output_audio", "transcript": said}]
            else:
                kind = "output_text" if by == "assistant" else "input_text"
                content = [{"type": kind, "text": said}] if said else []
            return message(item.id, _BY[by], status, content)


def heard_of(words: Words) -> str | None:
    """Return what is left of ``words`` where nobody heard more; None where they are yet to be recognised."""
    return words.text if words.text is None or words.heard is None else words.text[: words.heard]


def message(id: str, role: str, status: str, content: list[Json]) -> Json:  # noqa: A002
    """Return a message."""
    return {"id": id, "object": "realtime.item", "type": "message", "status": status, "role": role, "content": content}


def function_call(id: str, status: str, call_id: str, name: str, arguments: str) -> Json:  # noqa: A002
    """Return a call of one of the client's tools; ``arguments`` are JSON, whole or empty."""
    call = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": id, "object": "realtime.item", "type": "function_call", "status": status, **call}


class Order:
    """Which items there are, one behind the other, as far as the client was told, or is to be told."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        """At most as many as the session keeps: so it may be searched."""
        self._untold: set[str] = set()
        """Those of which the client is told later."""

    def __contains__(self, item: str) -> bool:
        """Return whether ``item`` is there, told or not."""
        return item in self._ids

    def put_off(self, item: str, after: str | None) -> None:
        """There is ``item``, behind ``after``; the client is told of it later, by `tell`."""
        self._put(item, after)
        self._untold.add(item)

    def tell(self, item: str) -> None:
        """The client is told of ``item``, which was put off."""
        self._untold.discard(item)

    def add(self, item: str, after: str | None) -> str | None:
        """Put ``item`` behind ``after``, before all others if that is None; return what it is told to be behind."""
        self._put(item, after)
        return self.before(item)

    def before(self, item: str) -> str | None:
        """Return the id of the told one before ``item``, None for the first and for what is not there."""
        at = self._ids.index(item) if item in self._ids else 0
        return next((other for other in reversed(self._ids[:at]) if other not in self._untold), None)

    def remove(self, item: str) -> None:
        """Take ``item`` out, if it is there."""
        if item in self._ids:
            self._ids.remove(item)
            self._untold.discard(item)

    def _put(self, item: str, after: str | None) -> None:
        self.remove(item)
        at = self._ids.index(after) + 1 if after is not None and after in self._ids else 0
        self._ids.insert(at, item)
        if len(self._ids) > MAX_ITEMS:
            # The newest stays, wherever it is.
            self.remove(self._ids[0] if at else self._ids[1])
