"""Who says that a turn is over: silence, a guess at what the speaker means, or the client itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from voice_trio.wire.realtime.errors import Wrong, expect

Eagerness = Literal["low", "medium", "high", "auto"]

_SILENCE_MS: Final = {"low": 1500, "medium": None, "auto": None, "high": 400}
"""What is waited for where nothing speaks for or against the end, in ms; None is the server's own setting."""

LEAST_SILENCE_MS, MOST_SILENCE_MS = 200, 5000
"""What a session can wait for."""
MOST_PREFIX_MS = 2000
"""What a session keeps of what it heard."""
LEAST_IDLE_MS, MOST_IDLE_MS = 1000, 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDetection:
    """The detection that a client asked for, with the defaults of its type."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    create_response: bool = True
    """Whether the end of a turn is answered by itself."""
    interrupt_response: bool = True
    """Whether speech ends a response that is under way."""
    threshold: float = 0.5
    """As the server has it for others; more asks for clearer speech."""
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None
    """Nobody having spoken for so long after a response, there is another; None: never."""
    eagerness: Eagerness = "auto"

    def told(self) -> dict[str, Any]:
        """Return it as the session object has it."""
        shared = {
            "type": self.type,
            "create_response": self.create_response,
            "interrupt_response": self.interrupt_response,
        }
        if self.type == "semantic_vad":
            return {**shared, "eagerness": self.eagerness}
        return {
            **shared,
            "threshold": self.threshold,
            "prefix_padding_ms": self.prefix_padding_ms,
            "silence_duration_ms": self.silence_duration_ms,
            "idle_timeout_ms": self.idle_timeout_ms,
        }

    @property
    def silence_ms(self) -> int | None:
        """How much silence ends a turn, or is waited for where that is undecided; None is the server's own."""
        return self.silence_duration_ms if self.type == "server_vad" else _SILENCE_MS[self.eagerness]


def read(value: Any, param: str) -> TurnDetection | None:
    """Return the detection that ``value`` asks for, which is not merged with any before it; None for none.

    Raises `Wrong`.
    """
    if value is None:
        return None
    given: Mapping[str, Any] = expect(value, dict, param)
    kind = given.get("type")
    if kind not in ("server_vad", "semantic_vad"):
        raise Wrong(f"'{param}.type' has to be 'server_vad' or 'semantic_vad'.", param=f"{param}.type")
    found: dict[str, Any] = {"type": kind}
    for name, kinds in _FIELDS.items():
        if given.get(name) is not None:
            found[name] = expect(given[name], kinds, f"{param}.{name}")
    if found.get("eagerness", "auto") not in get_args(Eagerness):
        raise Wrong(f"'{param}.eagerness' has to be low, medium, high or auto.", param=f"{param}.eagerness")
    for name, (least, most) in _RANGES.items():
        if name in found:
            found[name] = min(max(round(found[name]), least), most)
    if "threshold" in found:
        found["threshold"] = min(max(float(found["threshold"]), 0.0), 1.0)
    return TurnDetection(**found)


_RANGES: Final = {
    "silence_duration_ms": (LEAST_SILENCE_MS, MOST_SILENCE_MS),
    "prefix_padding_ms": (0, MOST_PREFIX_MS),
    "idle_timeout_ms": (LEAST_IDLE_MS, MOST_IDLE_MS),
}
"""What is beyond them is taken for the nearest."""

_FIELDS: Final[dict[str, type | tuple[type, ...]]] = {
    "create_response": bool,
    "interrupt_response": bool,
    "threshold": (int, float),
    "prefix_padding_ms": (int, float),
    "silence_duration_ms": (int, float),
    "idle_timeout_ms": (int, float),
    "eagerness": str,
}
