"""What a turn is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from voice_trio.core import messages as m
from voice_trio.core.items import Item, Reference
from voice_trio.core.messages import Origin
from voice_trio.core.tools import Tool, ToolChoice
from voice_trio.core.turn_state import Step
from voice_trio.session.conversation import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked(m.Respond):
    """A turn that nobody asked for: the server begins it."""

    origin: Origin
    conversation: str | None = None
    """That in which it is; None: the session's own."""
    words: str | None = None
    """What is said; None: what the language model answers to what stands in the conversation."""


Request = m.Start | m.Text | m.Commit | m.Respond
"""What a turn begins with."""


FIRST_STEPS: Final = {
    m.Start: Step.START,
    m.Commit: Step.START,
    m.Text: Step.TEXT,
    m.Respond: Step.RESPOND,
    Unasked: Step.UNASKED,
}
"""What moves the turn's machine at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one turn's reply is made."""

    wanted: bool = True
    """Whether there is to be one."""
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice = "auto"
    max_tokens: int | None = None
    """The most that the language model may write; None: as much as it likes."""
    aloud: bool = True
    """Whether anybody speaks it."""
    items: Sequence[Item | Reference] | None = None
    """What it answers, instead of what stands in the conversation."""


def manner_of(request: Request, wanted: m.Configure) -> Manner:
    """Return how the reply to ``request`` is made, with what is ``wanted`` where it says nothing itself."""
    tools, tool_choice, aloud = wanted.tools or (), wanted.tool_choice or "auto", wanted.aloud is not False
    match request:
        case m.Respond():
            most = wanted.max_tokens if request.max_tokens is None else request.max_tokens
            return Manner(
                tools=tools if request.tools is None else request.tools,
                tool_choice=tool_choice if request.tool_choice is None else request.tool_choice,
                max_tokens=None if most == "inf" else most,
                aloud=aloud if request.aloud is None else request.aloud,
                items=request.items,
            )
        case m.Commit():
            return Manner(wanted=False)
    return Manner(
        wanted=request.reply is not False,
        tools=tools,
        tool_choice=tool_choice,
        max_tokens=wanted.max_tokens,
        aloud=aloud,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What one turn is asked for."""

    number: int
    conversation: Conversation
    request: Request
    manner: Manner
    begun: trio.Event = field(default_factory=trio.Event)
    """Is set when the first of its reply was handed to the socket: of its sound, where it has any."""

    @property
    def origin(self) -> Origin | None:
        """Why the server began it, where nobody asked for it."""
        return self.request.origin if isinstance(self.request, Unasked) else None

    @property
    def is_out_of_band(self) -> bool:
        """Whether it is to leave no trace."""
        return isinstance(self.request, m.Respond) and self.request.out_of_band
