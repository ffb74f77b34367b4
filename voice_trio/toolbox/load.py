"""The tools that a server has: ours, those of other packages, and those that its operator names."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from voice_trio.config import ConfigError, Settings
from voice_trio.mcp.open import open_mcp
from voice_trio.skills.alerts_kept import Alerts, InProcessAlerts
from voice_trio.skills.keeping import InProcessLists, Lists
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.toolbox.base import ServerTool, Toolbox
from voice_trio.toolbox.function import MADE_OF, NAME

GROUP: Final = "voice_trio.tools"
"""Each entry point of this group names a module with tools, or a list of them in one."""

LIST: Final = "TOOLS"
"""In a module: its tools. Where there is none, they are its functions that are tools."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A tool, and who brought it."""

    tool: ServerTool
    by: str
    """In words: ``STREAM_TOOLS: my_tools``."""


class Tools:
    """A `Toolbox` whose tools stay the same."""

    def __init__(self, loaded: Sequence[Loaded]) -> None:
        self.loaded = loaded
        self._tools = tuple(one.tool for one in loaded)

    def tools(self) -> Sequence[ServerTool]:
        """Return them."""
        return self._tools


class Joined:
    """A `Toolbox` of several; of two tools of one name, the first counts."""

    def __init__(self, *toolboxes: Toolbox) -> None:
        self._toolboxes = toolboxes

    def tools(self) -> Sequence[ServerTool]:
        """Return them all as they are by now."""
        all_of_them = [tool for toolbox in self._toolboxes for tool in toolbox.tools()]
        return [*{tool.tool.name: tool for tool in reversed(all_of_them)}.values()][::-1]


@asynccontextmanager
async def open_toolbox(
    settings: Settings, lists: Lists | None = None, alerts: Alerts | None = None
) -> AsyncIterator[Toolbox]:
    """Have all tools that ``settings`` mean, with those of MCP servers, which live as long as the block.

    Raises `ConfigError`, one sentence. See `load_tools`.
    """
    own = load_tools(settings, lists, alerts)
    async with open_mcp(settings) as theirs:
        yield Joined(own, theirs)


def load_tools(settings: Settings, lists: Lists | None = None, alerts: Alerts | None = None) -> Tools:
    """Return those that ``settings`` mean; their modules are imported now. Raises `ConfigError`, one sentence.

    Without ``lists`` and ``alerts`` those of people last as long as the tools.
    """
    found: dict[str, Loaded] = {}
    for loaded in _all(settings, lists, alerts):
        name = loaded.tool.tool.name
        if name in found:
            raise ConfigError(f"{loaded.by} and {found[name].by} both bring a tool {name!r}: rename one of them.")
        found[name] = loaded
    return Tools([*found.values()])


def _all(settings: Settings, lists: Lists | None, alerts: Alerts | None) -> Iterator[Loaded]:
    if settings.skills != "off":
        skills = Skills(Means(lists=lists or InProcessLists(), alerts=alerts or InProcessAlerts()))
        yield from (Loaded(tool, "voice_trio itself") for tool in skills.tools())
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        by = f"{point.dist.name if point.dist else 'A package'}: {point.name}"
        yield from _checked(by, lambda point=point: _of(_loaded(point)))  # type: ignore[misc]
    for name in filter(None, map(str.strip, settings.tools.split(","))):
        yield from _checked(f"STREAM_TOOLS: {name}", lambda name=name: _of(_module(name)))  # type: ignore[misc]


def _loaded(point: EntryPoint) -> Any:
    return point.load()


def _module(name: str) -> Any:
    # A file beside which the server is started. Behind all others, so that it takes no other module's place.
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)
    return import_module(name)


def _of(brought: Any) -> Sequence[Any]:
    """Return the tools in a module, or those of a list."""
    if isinstance(brought, list | tuple):
        return brought
    if isinstance(listed := getattr(brought, LIST, None), list | tuple):
        return listed
    name = getattr(brought, "__name__", None)
    return [one for one in vars(brought).values() if hasattr(one, MADE_OF) and one.__module__ == name]


def _checked(by: str, load: Callable[[], Sequence[Any]]) -> Iterator[Loaded]:
    """Yield the tools that ``load`` returns. Raises `ConfigError` where it fails, or one of them is none."""
    try:
        brought = load()
    except (Exception, SystemExit) as error:  # whatever the module does
        reason = " ".join(str(error).split()) or "it says nothing else"
        raise ConfigError(f"{by} cannot be loaded: {type(error).__name__}: {reason.rstrip('.')}.") from error
    if not brought:
        raise ConfigError(f"{by} has no tools: put them into a list {LIST}, or mark functions with @tool.")
    for one in brought:
        tool = getattr(one, MADE_OF, one)
        if not isinstance(tool, ServerTool):
            raise ConfigError(f"{by} brings {type(one).__name__} {str(one)[:60]!r}, which is no tool.")
        if not NAME.fullmatch(tool.tool.name):
            raise ConfigError(f"{by} brings a tool {tool.tool.name!r}: use up to 64 letters, digits, _ and -.")
        try:
            json.dumps(dict(tool.tool.parameters), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{by} brings a tool {tool.tool.name!r} whose parameters are no JSON: {error}.") from None
        yield Loaded(tool, by)
