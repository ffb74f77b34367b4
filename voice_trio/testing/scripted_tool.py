"""Tools of the server that do as they are told, in whatever time they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from voice_trio.core.tools import Tool
from voice_trio.toolbox.base import Circumstances, ServerTool


@dataclass
class ScriptedTool:
    """Gives one of ``answers`` after the other, and the last one for ever."""

    name: str = "look_up"
    answers: Sequence[str | BaseException] = ("It is noon.",)
    """Results, and errors to raise."""
    use_s: float = 0.0
    """How long a call takes."""
    has_effects: bool = False
    confirm: bool = False
    only_alone: bool = False
    calls: list[Mapping[str, Any]] = field(default_factory=list)
    """The arguments of those that were begun, in order."""
    circumstances: list[Circumstances] = field(default_factory=list)
    """In which they were."""
    done: int = 0
    """Calls that came to their end."""
    open_now: int = 0
    """Calls that are under way at this moment."""

    @property
    def tool(self) -> ServerTool:
        """Itself, as a server has it."""
        parameters = {"type": "object", "properties": {"what": {"type": "string"}}}
        spec = Tool(self.name, f"Does {self.name}.", parameters)
        return ServerTool(
            tool=spec,
            use=self._use,
            has_effects=self.has_effects,
            confirm=self.confirm,
            only_alone=self.only_alone,
        )

    async def _use(self, arguments: Mapping[str, Any], circumstances: Circumstances) -> str:
        answer = self.answers[min(len(self.calls), len(self.answers) - 1)]
        self.calls.append(arguments)
        self.circumstances.append(circumstances)
        self.open_now += 1
        try:
            await trio.sleep(self.use_s)
        finally:
            self.open_now -= 1
        self.done += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer
