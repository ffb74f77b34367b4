"""What a tool of the server is, and what it may know and do when it is called.

A call is a task inside of its turn: it is cancelled with the turn, and has a limit of time. Its answer is text, for the
language model; where there is none, a person hears it as it is. So an answer is a sentence or two in plain words, or
whatever JSON the tool's schema promises a model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from voice_trio.core.items import Item
from voice_trio.core.messages import Latency
from voice_trio.core.tools import Tool


class ToolError(Exception):
    """The tool could not do it. The message is for the model and the person: one sentence, which says why.

    Whatever else a tool raises is a defect of it: the model is told no more than that it failed.
    """


class Control(Protocol):
    """What a tool may do to the session that it is called in. None of it waits."""

    @property
    def speed(self) -> float:
        """How fast replies are spoken: 1.0 is the voice's own rate."""

    def speak_at(self, speed: float) -> None:
        """Have replies from the next on spoken at ``speed``, 0.5 to 2.0."""

    def latest_latency(self) -> Latency | None:
        """Return when things happened in the latest turn that is over and was asked for; None before the first."""

    def forget_latest(self) -> bool:
        """Take the latest turn that is over out of the conversation and of what is remembered.

        False where there is none.
        """

    def alerts_changed(self) -> None:
        """Have the session look anew at what is to be told when it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """In which a tool is called."""

    conversation: str
    """Its id in the store."""
    turn: int
    now: datetime
    """In the person's own zone, as far as it is known."""
    language: str | None
    """ISO 639-1 code of what the person speaks, where that is known."""
    items: Sequence[Item]
    """What stands in the conversation, oldest first; the last of the person's words are those of this turn."""
    control: Control


Use = Callable[[Mapping[str, Any], Circumstances], Awaitable[str]]
"""Does what a call with these arguments asks for, and returns the answer. Raises `ToolError`.

The arguments are an object of JSON, as a language model wrote it: a tool checks them itself, whatever its schema says.
Every wait in it is a Trio checkpoint.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool:
    """A tool that the server has."""

    tool: Tool
    """What a language model is told of it."""
    use: Use
    has_effects: bool
    """Whether a call of it changes anything: then it waits for a draft to become the reply, and is never repeated."""
    confirm: bool = False
    """Whether it is used only after the person was asked, and has said yes."""
    only_alone: bool = False
    """Whether a language model can do as much by itself: it is offered only where there is none."""
    crash: Callable[[], None] | None = None
    """Has what it works in end at once, where that is a server of its own: for faults on purpose."""


class Toolbox(Protocol):
    """The tools that a server has."""

    def tools(self) -> Sequence[ServerTool]:
        """Return them as they are by now, by names that differ. Never waits."""
