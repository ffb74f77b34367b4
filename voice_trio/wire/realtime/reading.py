"""One message of a client, taken apart."""

from __future__ import annotations

import re
from typing import Any, Final

from voice_trio.core.strange_text import mend, parse
from voice_trio.wire.realtime.errors import Wrong, expect

Json = dict[str, Any]

_MAX_ID_CHARS: Final = 512
_MOST_PARTS, _MOST_ESCAPES = 20_000, 50_000
"""To take a message apart is one step of the loop: no more of it than 20 ms."""
_HALF_CHARACTER: Final = re.compile(r"\\u[dD][89a-fA-F]")


def read(data: str | bytes) -> Json:
    """Return the event that ``data`` spells; its ``type`` is a string. Raises `Wrong`."""
    if isinstance(data, bytes):
        raise Wrong("There are no binary messages here: audio goes in base64.", code="invalid_event")
    if data.count("{") + data.count("[") > _MOST_PARTS or data.count("\\") > _MOST_ESCAPES:
        raise Wrong("The message has too many parts.")
    event: Any
    try:
        event = parse(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Wrong("The message is no JSON.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise Wrong("The message is no JSON object.", code="invalid_json")
    if _HALF_CHARACTER.search(data):
        event = _mended(event)
    needed(event, "type", str)
    found: Json = event
    return found


def id_of(event: Json) -> str | None:
    """Return the id that the client gave ``event``, if it gave one that can be told back."""
    given = event.get("event_id")
    return given if isinstance(given, str) and len(given) <= _MAX_ID_CHARS else None


def needed(event: Json, name: str, kinds: type | tuple[type, ...], *, path: str = "") -> Any:
    """Return the field ``name`` of ``event``, which stands at ``path``. Raises `Wrong`."""
    at = f"{path}.{name}" if path else name
    if event.get(name) is None:
        raise Wrong(f"Missing required parameter: {at!r}.", code="missing_required_parameter", param=at)
    return expect(event[name], kinds, at)


def optional(event: Json, name: str, kinds: type | tuple[type, ...], *, path: str = "") -> Any:
    """Return the field ``name`` of ``event``, as `needed` does, but None where it is null or absent. Raises `Wrong`."""
    at = f"{path}.{name}" if path else name
    return None if event.get(name) is None else expect(event[name], kinds, at)


def _mended(value: Any) -> Any:
    """Return ``value`` with whole characters alone: half of one cannot be told back."""
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {mend(key): _mended(one) for key, one in value.items()}
    return value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
