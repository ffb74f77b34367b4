"""One message of a client, taken apart."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from voice_trio.core.strange_text import mend, parse
from voice_trio.wire.realtime.errors import Wrong, expect

Json = dict[str, Any]

_MAX_ID_CHARS: Final = 512
_MOST_PARTS, _MOST_ESCAPES = 20_000, 50_000
"""To take a message apart is one step of the loop: no more of it than 20 ms."""
_MOST_SIGNS: Final = 100_000
"""Quotes and commas: so many texts and numbers are taken apart in the same time."""
_LONG_CHARS: Final = 1_000_000
"""What is longer is audio, and has no more than a few names around it."""
_MOST_SIGNS_OF_LONG: Final = 256
_AUDIO: Final = ("input_audio_buffer.append", "conversation.item.create")
"""What may hold some."""
_MOST_DIGITS: Final = 20
_HALF_CHARACTER: Final = re.compile(r"\\u[dD][89a-fA-F]")


def read(data: str | bytes) -> Json:
    """Return the event that ``data`` spells; its ``type`` is a string. Raises `Wrong`."""
    if isinstance(data, bytes):
        raise Wrong("There are no binary messages here: audio goes in base64.", code="invalid_event")
    event = read_object(data, "The message")
    needed(event, "type", str)
    if len(data) > _LONG_CHARS and event["type"] not in _AUDIO:
        message = f"The message has {len(data):,} characters; without audio it may have {_LONG_CHARS:,}."
        raise Wrong(message, code="string_above_max_length")
    return event


def read_object(text: str, what: str) -> Json:
    """Return the JSON object that ``text`` spells, with whole characters and finite numbers; ``what`` names it.

    Raises `Wrong`.
    """
    parts, signs = text.count("{") + text.count("["), text.count('"') + text.count(",")
    most = _MOST_SIGNS if len(text) <= _LONG_CHARS else _MOST_SIGNS_OF_LONG
    if parts > _MOST_PARTS or parts + signs > most or text.count("\\") > _MOST_ESCAPES:
        raise Wrong(f"{what} has too many parts.")
    found: Any
    try:
        found = parse(text, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite)
        if _HALF_CHARACTER.search(text):
            found = _mended(found)
    except (ValueError, RecursionError):
        raise Wrong(f"{what} is no JSON.", code="invalid_json") from None
    if not isinstance(found, dict):
        raise Wrong(f"{what} is no JSON object.", code="invalid_json")
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


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("no number of ours is as long")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("no number of ours is as large")
    return number
