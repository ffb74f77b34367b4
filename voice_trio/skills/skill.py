"""What a skill is: a tool of ours with the sentences by which people ask for it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from voice_trio.core.grammar.sentences import Sentence
from voice_trio.core.tools import Tool
from voice_trio.skills.alerts_kept import Alerts, InProcessAlerts
from voice_trio.skills.keeping import InProcessLists, Lists
from voice_trio.toolbox.base import Circumstances, ServerTool


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What skills work with."""

    lists: Lists = field(default_factory=InProcessLists)
    alerts: Alerts = field(default_factory=InProcessAlerts)
    below: Callable[[int], int] = secrets.randbelow
    """Returns a number from 0 up to, and without, the one that it is given, by chance."""


Does = Callable[[Mapping[str, Any], Circumstances, Means], Awaitable[str]]
"""Does what is asked for, and returns what is to be said. Raises `ToolError`; checks its arguments itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Something that the assistant can do."""

    name: str
    description: str
    """For a language model: what it does, and when to use it."""
    does: Does
    sentences: tuple[Sentence, ...]
    """All of them are what people may say for it (`core.grammar.sentences`)."""
    example: str
    """One of them, as a person would say it."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    """Of its arguments, as a JSON schema has them."""
    required: tuple[str, ...] = ()
    has_effects: bool = False
    is_shown: bool = True
    """Whether its example is worth telling to who did not know what to say."""
    only_alone: bool = False
    """Whether a language model can do as much by itself, so that it is of use only where there is none."""

    @property
    def tool(self) -> Tool:
        """What a language model is told of it."""
        schema = {
            "type": "object",
            "properties": self.properties,
            "required": [*self.required],
            "additionalProperties": False,
        }
        return Tool(self.name, self.description, schema)

    def with_means(self, means: Means) -> ServerTool:
        """Return it as a tool of the server, which works with ``means``."""
        return ServerTool(
            tool=self.tool, use=partial(self._use, means), has_effects=self.has_effects, only_alone=self.only_alone
        )

    async def _use(self, means: Means, arguments: Mapping[str, Any], circumstances: Circumstances) -> str:
        return await self.does(arguments, circumstances, means)
