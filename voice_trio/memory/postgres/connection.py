"""What a connection to PostgreSQL does, and how it fails."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from voice_trio.memory.transactions import Execute, Parameters


class BadAddress(Exception):
    """The address cannot be read."""


class Unreachable(Exception):
    """There is no connection; the message says why. Nothing was sent."""


class Lost(Exception):
    """The connection broke; ``may_be_done`` says whether what it was to do may be done."""

    def __init__(self, *, may_be_done: bool) -> None:
        super().__init__("the connection was lost")
        self.may_be_done = may_be_done


class Collided(Exception):
    """Another transaction was in the way: nothing was done, and it may be tried again."""


class Orphan(Exception):
    """What the new row was to belong to is not there any more: nothing was done."""


class Connection(Protocol):
    """An open connection, for one thread at a time.

    Its methods wait for the server, and raise `Lost`, `Collided`, `Orphan` and `StoreError`.
    """

    @property
    def is_sound(self) -> bool:
        """Whether it is open, and in no transaction."""

    @property
    def version(self) -> str:
        """The server's, such as 15.14."""

    @property
    def encoding(self) -> str:
        """The one in which the database keeps text."""

    def within(self, deadline: float) -> None:
        """Have all that follows end by ``deadline``, seconds of `time.monotonic`."""

    def close(self) -> None:
        """Close it. Never waits, and may be done again."""

    def read(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return the rows that ``query``, which changes nothing, finds; ``?`` stands for each parameter."""

    def write(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Do ``query``, which changes something, as a transaction of its own, and return its rows."""

    def transaction(self, *, stepwise: bool = False) -> AbstractContextManager[Execute]:
        """All of it happens, or nothing, as if no other one ran meanwhile.

        ``stepwise``, each step sees what others have done by then. Tables need no name of a schema there.
        """
