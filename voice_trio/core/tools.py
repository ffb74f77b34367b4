"""Tools that a language model may ask for, and how much it is left to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

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
