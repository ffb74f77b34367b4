"""What an MCP server answered to a call, as text for a language model: not all of a long one, and nothing in base64."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from voice_trio.core.called import MAX_CALL_CHARS, bounded
from voice_trio.core.strange_text import mend

NOTHING: Final = "It was done, and the tool answered nothing."


def text_of(result: Mapping[str, Any]) -> str:
    """Return the text of a result, at most `MAX_CALL_CHARS` of it, and a mark where it was cut.

    Parts that are no text are named; structured content is for where there is no text.
    """
    content = result.get("content")
    parts = [part for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    texts: list[str] = []
    length = 0
    for text in _texts(parts, result.get("structuredContent")):
        # A character more than fits says that something was cut.
        texts.append(text.strip()[: MAX_CALL_CHARS + 1])
        length += len(texts[-1])
        if length > MAX_CALL_CHARS:
            break
        length += 1
    return cut("\n".join(texts)) or NOTHING


def cut(text: str) -> str:
    """Return ``text``, a stranger's and of any length, as a model is told it: see `core.called.bounded`."""
    return bounded(mend(text.strip()[: MAX_CALL_CHARS + 1]))


def _texts(parts: list[Mapping[str, Any]], structured: Any) -> Iterator[str]:
    if structured is not None and not any(part.get("type") == "text" for part in parts):
        yield json.dumps(structured, ensure_ascii=False)
    for part in parts:
        yield _text(part)


def _text(part: Mapping[str, Any]) -> str:
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "resource", "resource": {"text": str(text)}}:
            return text
        case {"type": "resource", "resource": {"uri": str(uri)}}:
            return f"[a file that is no text: {_short(uri)}]"
        case {"type": "resource_link", "uri": str(uri)}:
            return f"[a link: {_short(uri)}]"
        case {"type": "image" | "audio" as kind}:
            return f"[{'an image' if kind == 'image' else 'a recording'}]"
    return "[something that is no text]"


def _short(uri: str) -> str:
    """An address may itself hold the data that it stands for."""
    return uri[:200] if not uri.startswith("data:") else "data"
