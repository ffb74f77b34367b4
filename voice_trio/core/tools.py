"""Tools that a language model may ask for, how much it is left to it, and its calls of them.

Servers send a reply's calls in fragments, which are put together here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from annotated_types import MaxLen, MinLen


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may ask for."""

    name: str
    """Letters, digits, ``_`` and ``-``, at most 64."""
    description: str
    """For the model: what it does, and when to use it."""
    parameters: Mapping[str, Any]
    """A JSON schema of an object, which a call's arguments are to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThatTool:
    """The model is to ask for the tool of that name."""

    name: Annotated[str, MinLen(1), MaxLen(64)]


ToolChoice = Literal["auto", "none", "required"] | ThatTool
"""Whether the model asks for a tool: as it thinks right, never, always, or always for that one."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one event says of a call; empty where it says nothing."""

    index: int | None = None
    """Which of the reply's calls it belongs to; many a server leaves it out, or has 0 in all of them."""
    id: str = ""
    name: str = ""
    arguments: str = ""


class WholeCall(NamedTuple):
    """A call that has a name."""

    id: str
    """As the server has it; one of ours where it has none."""
    name: str
    arguments: str
    """As the model wrote them, which may be no JSON; ``{}`` where it wrote none."""


@dataclass(slots=True)
class _Call:
    index: int | None
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ToolCalls:
    """Joins fragments into calls, in the order in which they were begun.

    A fragment goes on with the latest call of its index, or with the latest of all where it has none, unless it has an
    id of its own, or it has a name and neither index nor id.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def push(self, fragment: Fragment) -> None:
        """Take the next fragment."""
        call = self._of(fragment)
        if call is None:
            call = _Call(fragment.index)
            self._calls.append(call)
        call.id = call.id or fragment.id
        call.name = call.name or fragment.name
        call.arguments.append(fragment.arguments)

    def _of(self, fragment: Fragment) -> _Call | None:
        """Return the call that ``fragment`` goes on with; None where it begins one."""
        if fragment.index is None and not fragment.id and fragment.name:
            return None
        alike = (call for call in reversed(self._calls) if fragment.index in (None, call.index))
        call = next(alike, None)
        return None if call is not None and fragment.id and call.id not in ("", fragment.id) else call

    def whole(self) -> Iterator[WholeCall]:
        """Yield the calls, once there are no more fragments; one without a name is none."""
        for number, call in enumerate(self._calls):
            if call.name:
                arguments = "".join(call.arguments)
                yield WholeCall(call.id or f"call_{number}", call.name, arguments if arguments.strip() else "{}")
