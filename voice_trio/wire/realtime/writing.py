"""The items of a conversation as clients write them: their words, and the sound and the pictures with these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from voice_trio.core.items import FIRST, Item, Reference, ToolOutput, ToolUse, Words
from voice_trio.wire.realtime.errors import Wrong
from voice_trio.wire.realtime.items import ROLES, Json
from voice_trio.wire.realtime.reading import needed, optional

MAX_ID_CHARS: Final = 200
MAX_TEXT_CHARS: Final = 100_000
"""Of one item."""
MAX_PICTURE_CHARS: Final = 1_000_000
"""Of a picture's address, which holds the picture as a rule. One that is longer is passed over."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a message holds."""

    text: str
    sound: tuple[str, ...] = ()
    """Of what is yet to be recognised, in base64."""
    is_spoken: bool = False
    """Whether its words were said."""
    shown: tuple[Json, ...] = ()
    """All its parts, where there are pictures among them."""


@dataclass(frozen=True, slots=True)
class Written:
    """An item, and what of its content is more than words."""

    item: Item
    content: Content | None = None


def read(value: Json, path: str, new_id: str) -> Written:
    """Return the item that ``value`` is, which stands at ``path``; ``new_id`` is for one without. Raises `Wrong`."""
    kind = needed(value, "type", str, path=path)
    id = _short(optional(value, "id", str, path=path) or new_id, f"{path}.id")  # noqa: A001
    match kind:
        case "message":
            role = needed(value, "role", str, path=path)
            if role not in ROLES:
                raise Wrong(f"'{path}.role' has to be user, assistant or system.", param=f"{path}.role")
            content = _content(value, path, role)
            text = None if content.sound else content.text
            return Written(Words(id=id, by=ROLES[role], text=text), content)  # type: ignore[arg-type]
        case "function_call":
            arguments = _short(needed(value, "arguments", str, path=path), f"{path}.arguments", MAX_TEXT_CHARS)
            name = _short(needed(value, "name", str, path=path), f"{path}.name")
            call = optional(value, "call_id", str, path=path) or id
            return Written(ToolUse(id=id, call=_short(call, f"{path}.call_id"), name=name, arguments=arguments))
        case "function_call_output":
            output = _short(needed(value, "output", str, path=path), f"{path}.output", MAX_TEXT_CHARS)
            call = _short(needed(value, "call_id", str, path=path), f"{path}.call_id")
            return Written(ToolOutput(id=id, call=call, output=output))
    raise Wrong(
        f"'{path}.type' has to be message, function_call or function_call_output: {kind[:40]!r} is not taken here.",
        param=f"{path}.type",
    )


def read_input(value: Json, path: str, new_id: str) -> Item | Reference:
    """Return the same, or what refers to an item that is there; sound has to be an item first."""
    if value.get("type") == "item_reference":
        return Reference(id=_short(needed(value, "id", str, path=path), f"{path}.id"))
    written = read(value, path, new_id)
    if written.content is not None and written.content.sound:
        message = f"{path!r} has to be text: create an item of the sound, and refer to it."
        raise Wrong(message, param=path)
    return written.item


def read_id(event: Json) -> str:
    """Return the item that ``event`` is about. Raises `Wrong`."""
    return _short(needed(event, "item_id", str), "item_id")


def read_place(event: Json) -> str | None:
    """Return behind which item that of ``event`` is to be; `FIRST` for the first, None for the last. Raises `Wrong`."""
    after = optional(event, "previous_item_id", str)
    return FIRST if after == "root" else _short(after, "previous_item_id") if after else None


def _content(value: Json, path: str, role: str) -> Content:
    """Return what the message ``value`` holds. What is said in a language model's turn, or is written, is text."""
    texts: list[str] = []
    sound: list[str] = []
    shown: list[Json] = []
    is_spoken = has_picture = False
    for at, part in enumerate(needed(value, "content", list, path=path)):
        where = f"{path}.content[{at}]"
        match part.get("type") if isinstance(part, dict) else None:
            case "input_text" | "output_text" | "text":
                texts.append(needed(part, "text", str, path=where))
                shown.append({"type": "output_text" if role == "assistant" else "input_text", "text": texts[-1]})
            case "output_audio" | "audio":
                texts.append(optional(part, "transcript", str, path=where) or "")
                shown.append({"type": "output_text", "text": texts[-1]})
            case "input_audio" if role == "user":
                is_spoken = True
                words = optional(part, "transcript", str, path=where)
                if words is None or part.get("audio"):
                    sound.append(needed(part, "audio", str, path=where))
                else:
                    texts.append(words)
            case "input_image":
                if isinstance(url := part.get("image_url"), str) and len(url) <= MAX_PICTURE_CHARS:
                    has_picture = True
                    shown.append(_picture(part))
            case _:
                message = f"'{where}.type' has to be input_text, input_audio (of a user), input_image or output_text."
                raise Wrong(message, param=f"{where}.type")
    if is_spoken and (shown or (sound and texts)):
        raise Wrong(f"'{path}.content' has to be sound alone, or text and pictures.", param=f"{path}.content")
    text = _short("\n".join(filter(None, texts)), f"{path}.content", MAX_TEXT_CHARS)
    return Content(text, tuple(sound), is_spoken, tuple(shown) if has_picture else ())


def _picture(part: Json) -> Json:
    kept: dict[str, Any] = {name: part[name] for name in ("image_url", "detail") if isinstance(part.get(name), str)}
    return {"type": "input_image", **kept}


def _short(text: str, param: str, most: int = MAX_ID_CHARS) -> str:
    if not text and most == MAX_ID_CHARS:
        raise Wrong(f"{param!r} is empty.", param=param)
    if len(text) > most:
        message = f"{param!r} may have {most} characters, and has {len(text)}."
        raise Wrong(message, code="string_above_max_length", param=param)
    return text
