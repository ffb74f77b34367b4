"""What rows that are few and short are kept with, in whatever database: transactions of SQL that all of them know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, runtime_checkable

Parameters = Sequence[str | int | float | None]

T = TypeVar("T")


class Rows(Protocol):
    """What a query found."""

    def fetchone(self) -> Any:
        """Return the next row; None where there is none."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """All rows that are left."""


class Execute(Protocol):
    """Does one query; ``?`` stands for each parameter."""

    def __call__(self, query: str, parameters: Parameters = (), /) -> Rows:
        """Do it, and return what it finds."""


class Transacting(Protocol):
    """A database, for one thread at a time."""

    def transaction(self) -> AbstractContextManager[Execute]:
        """One that writes: all of it happens, or nothing, as if no other one ran meanwhile. Raises `StoreError`."""


@runtime_checkable
class KeepsRows(Protocol):
    """A store that keeps such rows beside its turns."""

    async def change(self, work: Callable[[Any], T]) -> T:
        """Do ``work`` with what is `Transacting`, and return what it does. Raises `StoreError`."""
