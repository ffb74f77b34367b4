"""What becomes of a call of one of the server's tools, what clients are told, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from voice_trio.core.codes import CallState
from voice_trio.core.strange_text import mend, parse

MAX_CALL_CHARS: Final = 4000
"""Of a call's arguments, and of its result."""

MAX_NAME_CHARS: Final = 64

CUT: Final = " [the rest was cut off: it was too long]"
"""Ends a result that was longer."""

UNANSWERED: Final = "The call was cut off before there was an answer. It may have been done all the same."
"""The result of a call that was cancelled, as a language model is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled:
    """One of the server's tools is called, or the call is over.

    Each call that STARTED comes to one end, before its turn does.
    """

    turn: int
    call: str
    """Its own among those of the turn."""
    name: str
    arguments: str
    """An object, in JSON, as the language model wrote it; at most `MAX_CALL_CHARS`."""
    state: CallState
    result: str | None = None
    """What the tool answered, or why it did not; at most as long. None while it goes on, and where it was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call that is over."""

    name: str
    arguments: str
    """An object, in JSON."""
    result: str
    """Empty where it was cancelled."""
    state: CallState


def bounded(result: str, most: int = MAX_CALL_CHARS) -> str:
    """Return ``result``, of which no more than ``most`` characters are left, and a mark where it was cut."""
    return result if len(result) <= most else result[: max(0, most - len(CUT))] + CUT


def arguments_in(text: str) -> str | None:
    """Return the object that a language model wrote as a call's arguments, as whole JSON; None where that is none."""
    try:
        read = _object_in(text)
        if isinstance(read, str):
            # So some models write it.
            read = _object_in(read)
        # A number like 1e999 is infinite, once it is read.
        return mend(json.dumps(read, ensure_ascii=False, allow_nan=False)) if isinstance(read, dict) else None
    except (ValueError, RecursionError):
        return None


def _object_in(text: str) -> Any:
    return parse(text, parse_constant=_no_constant)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def spelled(calls: Sequence[Called]) -> str:
    """Return ``calls`` as a store keeps them; the empty text for none."""
    return json.dumps([astuple(call) for call in calls], ensure_ascii=False) if calls else ""


def read_calls(text: str) -> tuple[Called, ...]:
    """Return the calls that `spelled` made ``text`` of. Raises ValueError where it did not."""
    if not text:
        return ()
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise ValueError("no calls")
    calls = []
    for row in rows:
        match row:
            case [str(name), str(arguments), str(result), str(state)]:
                calls.append(Called(name=name, arguments=arguments, result=result, state=CallState(state)))
            case _:
                raise ValueError("no call")
    return tuple(calls)
