"""What a session's engines and tools were, as far as a session sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import JsonValue

from voice_trio.engines.base import PARTIAL_INTERVAL_MS, Fallback

Rate = Annotated[int, Ge(8000), Le(192_000)]
Natural = Annotated[int, Ge(0), Le(2**62)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNames:
    """What the session's engines were, as far as a session sees them."""

    asr: str
    languages: tuple[str, ...]
    llm: str
    synthetic: bool
    llm_advice: str | None = None
    """How to get a better language model, as far as that was known."""
    metered: bool = False
    """Somebody paid for what it wrote."""
    tts: str
    voices: tuple[str, ...]
    sample_rate: Rate
    asr_fallback: str | None = None
    """The command that would bring a better recognizer."""
    asr_fallback_message: str | None = None
    """What was said of it; older files do not hold it, since it could only be one sentence."""
    partial_interval_ms: Natural = PARTIAL_INTERVAL_MS
    """What suited the recognizer."""
    first_partial_ms: Natural = 0
    """The same."""
    end_of_turn: str | None = None
    """What weighed the pauses, where anything did."""

    @property
    def fallback(self) -> Fallback | None:
        """What the session's recognizer was, if it stood in for a better one."""
        if self.asr_fallback is None:
            return None
        older = f"Speech is recognised by the small built-in {self.asr}, in English only."
        return Fallback(self.asr_fallback_message or older, self.asr_fallback)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolNames:
    """A tool that the server had."""

    name: str
    description: str
    parameters: dict[str, JsonValue]
    has_effects: bool
    only_alone: bool = False
    confirm: bool = False
