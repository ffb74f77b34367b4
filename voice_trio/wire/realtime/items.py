"""The items of a conversation as clients write and read them, and the order that they have there."""

from __future__ import annotations

from typing import Any, Final

from voice_trio.core.items import FIRST, MAX_ITEMS, Item, Reference, ToolOutput, ToolUse, Words
from voice_trio.wire.realtime.errors import Wrong
from voice_trio.wire.realtime.reading import needed, optional

Json = dict[str, Any]

MAX_ID_CHARS: Final = 200
MAX_TEXT_CHARS: Final = 100_000
"""Of one item."""

_ROLES: Final = {"user": "person", "assistant": "assistant", "system": "system"}
_BY: Final = {by: role for role, by in _ROLES.items()}


# --- written by a client ----------------------------------------------------------------------------------------------


def read(value: Json, path: str, new_id: str) -> Item:
    """Return the item that ``value`` is, which stands at ``path``; ``new_id`` is for one without. Raises `Wrong`."""
    kind = needed(value, "type", str, path=path)
    id = _short(optional(value, "id", str, path=path) or new_id, f"{path}.id")  # noqa: A001
    match kind:
        case "message":
            role = needed(value, "role", str, path=path)
            if role not in _ROLES:
                raise Wrong(f"'{path}.role' has to be user, assistant or system.", param=f"{path}.role")
            return Words(id=id, by=_ROLES[role], text=_text_of(value, path))  # type: ignore[arg-type]
        case "function_call":
            arguments = _short(needed(value, "arguments", str, path=path), f"{path}.arguments", MAX_TEXT_CHARS)
            name = _short(needed(value, "name", str, path=path), f"{path}.name")
            call = optional(value, "call_id", str, path=path) or id
            return ToolUse(id=id, call=_short(call, f"{path}.call_id"), name=name, arguments=arguments)
        case "function_call_output":
            output = _short(needed(value, "output", str, path=path), f"{path}.output", MAX_TEXT_CHARS)
            call = _short(needed(value, "call_id", str, path=path), f"{path}.call_id")
            return ToolOutput(id=id, call=call, output=output)
    raise Wrong(
        f"'{path}.type' has to be message, function_call or function_call_output: {kind[:40]!r} is not taken here.",
        param=f"{path}.type",
    )


def read_input(value: Json, path: str, new_id: str) -> Item | Reference:
    """Return the same, or what refers to an item that is there."""
    if value.get("type") == "item_reference":
        return Reference(id=_short(needed(value, "id", str, path=path), f"{path}.id"))
    return read(value, path, new_id)


def read_id(event: Json) -> str:
    """Return the item that ``event`` is about. Raises `Wrong`."""
    return _short(needed(event, "item_id", str), "item_id")


def read_place(event: Json) -> str | None:
    """Return behind which item that of ``event`` is to be; `FIRST` for the first, None for the last. Raises `Wrong`."""
    after = optional(event, "previous_item_id", str)
    return FIRST if after == "root" else _short(after, "previous_item_id") if after else None


def _text_of(value: Json, path: str) -> str:
    """Return the words of a message. A picture has none, and nobody here could see it."""
    texts = []
    for at, part in enumerate(needed(value, "content", list, path=path)):
        where = f"{path}.content[{at}]"
        match part.get("type") if isinstance(part, dict) else None:
            case "input_text" | "output_text" | "text":
                texts.append(needed(part, "text", str, path=where))
            case "output_audio" | "audio":
                texts.append(optional(part, "transcript", str, path=where) or "")
            case "input_audio":
                raise Wrong(f"{where!r} has to be text: audio goes into the input audio buffer.", param=where)
            case "input_image":
                pass
            case _:
                raise Wrong(f"'{where}.type' has to be input_text or output_text.", param=f"{where}.type")
    return _short("\n".join(filter(None, texts)), f"{path}.content", MAX_TEXT_CHARS)


def _short(text: str, param: str, most: int = MAX_ID_CHARS) -> str:
    if not text and most == MAX_ID_CHARS:
        raise Wrong(f"{param!r} is empty.", param=param)
    if len(text) > most:
        message = f"{param!r} may have {most} characters, and has {len(text)}."
        raise Wrong(message, code="string_above_max_length", param=param)
    return text


# --- read by a client -------------------------------------------------------------------------------------------------


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
