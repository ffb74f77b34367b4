"""What a reply is an answer to, who says it, and what the server can do for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from voice_trio.engines.base import Prompt, ToolCall
from voice_trio.session.voice import Voice
from voice_trio.toolbox.base import Circumstances, ServerTool


@dataclass(frozen=True, slots=True)
class Hands:
    """The tools of the server that a reply may use."""

    tools: Mapping[str, ServerTool]
    circumstances: Callable[[], Circumstances]
    """Returns those of a call that is made now."""
    cover: str | None
    """Is said where a tool takes long; None where that is not to be bridged."""
    agreed: ToolCall | None = None
    """What was asked for before, and the person has now said yes to: it is done first."""


def _nowhere() -> Circumstances:
    raise AssertionError("there is no tool to be used")


NO_HANDS: Final = Hands({}, _nowhere, None)
"""Where the server has no tools."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Two are the same where they are put to the model and said in the same way."""

    prompt: Prompt
    voice: Voice
    hands: Hands = field(compare=False)
    """For those of the prompt's tools that are the server's."""
