"""The arguments of a call, checked: a language model may write anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from voice_trio.toolbox.base import ToolError


def text(arguments: Mapping[str, Any], name: str, *, most: int = 200) -> str:
    """Return the text ``name`` without blanks around it; empty where it is not there. Raises `ToolError`."""
    value = arguments.get(name)
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**15:
        value = str(value)
    if not isinstance(value, str):
        raise ToolError(f"The argument {name} has to be a text.")
    if len(value) > most:
        raise ToolError(f"The argument {name} is longer than {most} characters.")
    return value.strip()


def texts(arguments: Mapping[str, Any], name: str, *, most: int, longest: int) -> list[str]:
    """Return the texts ``name``, none of them empty; one alone may stand there by itself. Raises `ToolError`."""
    value = arguments.get(name)
    rows = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if len(rows) > most:
        raise ToolError(f"There are more than {most} {name}.")
    found = [text({name: row}, name, most=longest) for row in rows]
    return [row for row in found if row]


def number(arguments: Mapping[str, Any], name: str) -> float | None:
    """Return the number ``name``; None where it is not there. Raises `ToolError`."""
    value = arguments.get(name)
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            value = False
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ToolError(f"The argument {name} has to be a number.")
    if abs(value) > 10**15 or not isfinite(value):
        raise ToolError("That number is too large for me.")
    return value


def whole(arguments: Mapping[str, Any], name: str, default: int, *, least: int, most: int) -> int:
    """Return the whole number ``name``, or ``default``. Raises `ToolError` beyond ``least`` and ``most``."""
    value = number(arguments, name)
    if value is None:
        return default
    if value != int(value) or not least <= value <= most:
        raise ToolError(f"For {name} I take only whole numbers from {least} to {most}.")
    return int(value)


def one_of(arguments: Mapping[str, Any], name: str, values: Sequence[str]) -> str:
    """Return the text ``name``, which is one of ``values``. Raises `ToolError`."""
    value = text(arguments, name).casefold()
    if value not in values:
        raise ToolError(f"The argument {name} has to be one of {', '.join(values)}.")
    return value
