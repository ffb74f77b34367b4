"""The session object of a Realtime client: what it configured, merged update by update, and told as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from voice_trio.wire.realtime import turn_detection
from voice_trio.wire.realtime.audio import PCM_RATE, Format
from voice_trio.wire.realtime.errors import Wrong, expect
from voice_trio.wire.realtime.turn_detection import TurnDetection

Json = dict[str, Any]

SLOWEST, FASTEST = 0.5, 1.5
"""Speeds that a client may ask for and that the voice can do."""

MOST_TOKENS: Final = 1_000_000
"""What a client may let a response have, at the most."""
MAX_INSTRUCTIONS_CHARS: Final = 200_000
MAX_TOOLS: Final = 128
MAX_CHARS: Final = 262_144
"""Of the whole session object."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What there is, whatever a client calls for."""

    model: str
    """The name of the language model."""
    instructions: str
    """What that is told where the client says nothing of it."""
    voices: tuple[str, ...]
    """The first is the usual one."""
    languages: tuple[str, ...]
    """What the recognizer understands; empty where that is not known."""

    def voice(self, name: str | None) -> str:
        """Return the voice that speaks for one who asks for ``name``."""
        return name if name is not None and name in self.voices else next(iter(self.voices), "default")


_NOTHING_OFFERED: Final = Offered("", "", (), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a client wants of its session, or of one response. What only a hosted model could do is told as it came."""

    instructions: str | None = None
    """None is the server's own."""
    modality: str = "audio"
    tools: tuple[Json, ...] = ()
    tool_choice: str | Json = "auto"
    max_output_tokens: int | Literal["inf"] = "inf"
    input_format: Format = "audio/pcm"
    transcription: Json | None = None
    """How the client is told what was said; None: not at all."""
    noise_reduction: Json | None = None
    turn_detection: TurnDetection | None = field(default_factory=TurnDetection)
    output_format: Format = "audio/pcm"
    voice: str | None = None
    """As the client named it, whether there is such a voice or not."""
    speed: float = 1.0
    passed: Json = field(default_factory=dict)
    """What has no effect here."""

    def merged(self, update: Any) -> Configuration:
        """Return this with the session object ``update`` on top: what that lacks stays as it is. Raises `Wrong`."""
        given: Mapping[str, Any] = expect(update, dict, "session")
        if given.get("type", "realtime") != "realtime":
            raise Wrong("'session.type' has to be 'realtime': this server has no other sessions.", param="session.type")
        merged = replace(self, **_read(given, _SESSION, "session"), passed=self.passed | _passed(given))
        # It is told whole, again and again, and clients take no message of 1 MiB.
        chars = len(json.dumps(merged.told(_NOTHING_OFFERED, session="", expires_at=0), ensure_ascii=False))
        if chars > MAX_CHARS:
            message = f"The session would have {chars:,} characters, and may have {MAX_CHARS:,}."
            raise Wrong(message, code="string_above_max_length", param="session")
        return merged

    def for_response(self, given: Mapping[str, Any]) -> Configuration:
        """Return this with what a ``response.create`` wants instead. Raises `Wrong`."""
        return replace(self, **_read(given, _RESPONSE, "response"))

    def told(self, offered: Offered, *, session: str, expires_at: int) -> Json:
        """Return the session object of ``session``, which ends ``expires_at``, in seconds since 1970, at the latest."""
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": session,
            "model": offered.model,
            "expires_at": expires_at,
            "output_modalities": [self.modality],
            "instructions": offered.instructions if self.instructions is None else self.instructions,
            "tools": list(self.tools),
            "tool_choice": self.tool_choice,
            "max_output_tokens": self.max_output_tokens,
            **_NOTHING_PASSED,
            **self.passed,
            "audio": {
                "input": {
                    "format": told_format(self.input_format),
                    "transcription": self.transcription,
                    "noise_reduction": self.noise_reduction,
                    "turn_detection": None if self.turn_detection is None else self.turn_detection.told(),
                },
                "output": {
                    "format": told_format(self.output_format),
                    "voice": offered.voice(self.voice),
                    "speed": self.speed,
                },
            },
        }


def told_format(form: Format) -> Json:
    """Return ``form`` as the session object has it."""
    return {"type": form, "rate": PCM_RATE} if form == "audio/pcm" else {"type": form}


# --- reading ----------------------------------------------------------------------------------------------------------

Read = Callable[[Any, str], Any]
"""Returns what a field asks for, given its value and its path. Raises `Wrong`."""

TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

_PASSED: Final[dict[str, tuple[type, ...]]] = {
    "tracing": (str, dict, type(None)),
    "prompt": (dict, type(None)),
    "truncation": (str, dict),
    "include": (list, type(None)),
    "reasoning": (dict,),
    "parallel_tool_calls": (bool,),
}
_NOTHING_PASSED: Final[Json] = {"tracing": None, "truncation": "auto", "prompt": None, "include": None}


def _passed(given: Mapping[str, Any]) -> Json:
    return {name: given[name] for name, kinds in _PASSED.items() if name in given and isinstance(given[name], kinds)}


def _read(given: Mapping[str, Any], fields: Mapping[str, tuple[str, Read, bool]], of: str) -> Json:
    """Return what ``fields`` are to be: path -> (name, how it is read, whether null is more than absent)."""
    found: Json = {}
    for path, (name, read, takes_null) in fields.items():
        place: Any = given
        *outer, last = path.split(".")
        at = of
        for part in outer:
            at += f".{part}"
            place = place.get(part)
            if place is None:
                break
            expect(place, dict, at)
        if place is not None and last in place and (takes_null or place[last] is not None):
            found[name] = read(place[last], f"{of}.{path}")
    return found


def _text(value: Any, param: str) -> str:
    text: str = expect(value, str, param)
    if len(text) > MAX_INSTRUCTIONS_CHARS:
        raise Wrong(f"{param!r} may have {MAX_INSTRUCTIONS_CHARS} characters.", param=param)
    return text


def _modality(value: Any, param: str) -> str:
    wanted = expect(value, list, param)
    if not wanted or not all(one in ("audio", "text") for one in wanted):
        raise Wrong(f"{param!r} has to be ['audio'] or ['text'].", param=param)
    return "audio" if "audio" in wanted else "text"


def _tools(value: Any, param: str) -> tuple[Json, ...]:
    tools = expect(value, list, param)
    if len(tools) > MAX_TOOLS:
        raise Wrong(f"{param!r} may have {MAX_TOOLS} tools.", param=param)
    for at, tool in enumerate(tools):
        expect(tool, dict, f"{param}[{at}]")
        if tool.get("type") == "function":
            if not TOOL_NAME.fullmatch(expect(tool.get("name"), str, f"{param}[{at}].name")):
                message = f"'{param}[{at}].name' has to be 1 to 64 letters, digits, underscores and hyphens."
                raise Wrong(message, param=f"{param}[{at}].name")
            expect(tool.get("parameters") or {}, dict, f"{param}[{at}].parameters")
    return tuple(tools)


def _tool_choice(value: Any, param: str) -> str | Json:
    choice: str | Json = expect(value, (str, dict), param)
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        raise Wrong(f"{param!r} has to be 'auto', 'none', 'required' or a function.", param=param)
    return choice


def _most_tokens(value: Any, param: str) -> int | Literal["inf"]:
    if expect(value, (int, str), param) == "inf":
        return "inf"
    if isinstance(value, str):
        raise Wrong(f"{param!r} has to be a whole number or 'inf'.", param=param)
    return min(max(value, 1), MOST_TOKENS)


def _format(value: Any, param: str) -> Format:
    given = expect(value, dict, param)
    for form in get_args(Format):
        if given.get("type") == form:
            if form == "audio/pcm" and given.get("rate") not in (None, PCM_RATE):
                raise Wrong(f"'{param}.rate' has to be {PCM_RATE}.", param=f"{param}.rate")
            return form  # type: ignore[no-any-return]
    raise Wrong(f"'{param}.type' has to be one of {', '.join(get_args(Format))}.", param=f"{param}.type")


def _transcription(value: Any, param: str) -> Json | None:
    if value is None:
        return None
    given = expect(value, dict, param)
    return {
        name: expect(given[name], str, f"{param}.{name}")
        for name in ("model", "language", "prompt")
        if given.get(name) is not None
    }


def _noise_reduction(value: Any, param: str) -> Json | None:
    return value if value is None else expect(value, dict, param)


def _voice(value: Any, param: str) -> str:
    if isinstance(value, dict):
        value, param = value.get("id"), f"{param}.id"
    voice: str = expect(value, str, param)
    return voice


def _speed(value: Any, param: str) -> float:
    return min(max(float(expect(value, (int, float), param)), SLOWEST), FASTEST)


_RESPONSE: Final[dict[str, tuple[str, Read, bool]]] = {
    "instructions": ("instructions", _text, False),
    "output_modalities": ("modality", _modality, False),
    "tools": ("tools", _tools, False),
    "tool_choice": ("tool_choice", _tool_choice, False),
    "max_output_tokens": ("max_output_tokens", _most_tokens, False),
    "audio.output.format": ("output_format", _format, False),
    "audio.output.voice": ("voice", _voice, False),
}
_SESSION: Final[dict[str, tuple[str, Read, bool]]] = {
    **_RESPONSE,
    "audio.output.speed": ("speed", _speed, False),
    "audio.input.format": ("input_format", _format, False),
    "audio.input.transcription": ("transcription", _transcription, True),
    "audio.input.noise_reduction": ("noise_reduction", _noise_reduction, True),
    "audio.input.turn_detection": ("turn_detection", turn_detection.read, True),
}
