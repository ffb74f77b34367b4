"""What the state machines here have in common: a table, and that what is not in it cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

S = TypeVar("S")
C = TypeVar("C")


class IllegalTransition(Exception):
    """Something happened that cannot happen in this state: a defect of ours."""


def next_state(table: Mapping[S, Mapping[C, S]], state: S, cause: C) -> S:
    """Return the state that ``cause`` leads to. Raises `IllegalTransition`."""
    try:
        return table[state][cause]
    except KeyError:
        raise IllegalTransition(f"{cause} cannot happen in {state}") from None
