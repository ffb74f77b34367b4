"""What a request to /v1/audio/speech asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from voice_trio.core.strange_text import mend
from voice_trio.server.openai.encoding import MIMETYPES
from voice_trio.server.openai.errors import BAD_REQUEST, ApiError

MOST_CHARS: Final = 4096
SLOWEST, FASTEST = 0.25, 4.0
_STREAMS: Final = ("audio", "sse")


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One of them."""

    text: str
    """Up to `MOST_CHARS`, not empty."""
    voice: str | None
    """Any name."""
    format: str
    """One of `encoding.MIMETYPES`."""
    speed: float
    """`SLOWEST` to `FASTEST`."""
    events: bool
    """Whether the sound goes out in server-sent events."""


def speech_request(body: bytes) -> SpeechRequest:
    """Return what ``body`` asks for. Raises `ApiError`. A field that is not known is passed over."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ApiError(BAD_REQUEST, "The body is to be a JSON object.", code="invalid_json")
    return SpeechRequest(
        text=_text(said),
        voice=_voice(said.get("voice")),
        format=_one_of(said, "response_format", tuple(MIMETYPES)),
        speed=_speed(said.get("speed")),
        events=_one_of(said, "stream_format", _STREAMS) == "sse",
    )


def _text(said: dict[str, Any]) -> str:
    text = said.get("input")
    if text is None:
        message = "input is missing: the text to speak."
        raise ApiError(BAD_REQUEST, message, param="input", code="missing_required_parameter")
    if not isinstance(text, str) or not text.strip():
        raise ApiError(BAD_REQUEST, "input is to be a text, and not an empty one.", param="input")
    if len(text) > MOST_CHARS:
        message = f"input may have {MOST_CHARS:,} characters, and has {len(text):,}."
        raise ApiError(BAD_REQUEST, message, param="input", code="string_above_max_length")
    return mend(text)


def _voice(said: Any) -> str | None:
    name = said.get("id") if isinstance(said, dict) else said
    if name is not None and not isinstance(name, str):
        raise ApiError(BAD_REQUEST, "voice is to be a name.", param="voice")
    return name


def _one_of(said: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    """Return the field ``name``, or the first of ``known`` where it is missing."""
    value = said.get(name)
    if value is None:
        return known[0]
    if value not in known:
        raise ApiError(BAD_REQUEST, f"{name} is to be one of {', '.join(known)}.", param=name)
    return str(value)


def _speed(said: Any) -> float:
    if said is None:
        return 1.0
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    if not is_number or not SLOWEST <= said <= FASTEST:
        raise ApiError(BAD_REQUEST, f"speed is to be a number from {SLOWEST:g} to {FASTEST:g}.", param="speed")
    return float(said)
