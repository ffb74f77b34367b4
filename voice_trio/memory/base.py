"""What a store of conversations does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from voice_trio.core.errors import Mendable
from voice_trio.core.history import Record

RECALLED_RECORDS = 200
"""A conversation's latest turns, as many as are ever recalled: beyond what a prompt has room for."""


class StoreError(Mendable):
    """The store could not do what it was asked; nothing was half done. The message holds no word of what was said."""

    told: ClassVar[str] = "The server's memory cannot be used."
    """What a client may know of it; the rest is for the log."""


class StoreBusy(StoreError):
    """Others used the store for too long."""

    told = "The server's memory is busy."


class StoreFull(StoreError):
    """There is no room left on the disk."""

    told = "The server's memory has no room left on its disk."


class StoreLost(StoreError):
    """What was kept is there no more: the file was deleted or replaced. The store has begun anew."""

    told = (
        "The server's memory was deleted or replaced while it was in use: what was remembered until now is lost, "
        "this turn included. What follows is remembered."
    )


class StoreUnsure(StoreError):
    """Whether it was done is not known: the connection was lost, or no answer came, after it had been sent."""

    told = "The connection to the server's memory was lost meanwhile: whether this is remembered is not known."


class ClaimLost(StoreError):
    """Another server has the conversation by now: what comes late does not get into it any more."""

    told = "Another session went on with this conversation meanwhile: this turn is not remembered."


class CannotRemember(Mendable):
    """The store cannot be opened; the message says where it was to be, why, and what to do."""


class Store(Protocol):
    """Keeps the records of turns, by conversation."""

    async def begin(self) -> str:
        """Return the id of a new conversation, which nobody can guess; nothing is kept of it until a turn is."""

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's latest `RECALLED_RECORDS` records, oldest first; None for an id never issued here.

        Of a conversation whose records were all deleted, that is none: it may go on, and begins anew. Raises
        `StoreError`.
        """

    async def commit(self, record: Record) -> None:
        """Keep ``record``: when this returns, it is kept.

        Raises `StoreUnsure` where that is not known. Any other `StoreError` is raised, or it is cancelled, only where
        nothing was written, as far as the storage below tells the truth. So it cannot be cancelled once the writing has
        begun.
        """

    async def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one of its session and turn, which it is a part of.

        So a kept record may be cut, and never becomes longer (`core.history.is_shorter`): what is no part, or of a
        record that is not kept any more, changes nothing. Raises `StoreError`, as `commit` does.
        """

    async def prune(self, before: float) -> int:
        """Delete the records that ended before ``before``, seconds since 1970; return how many. Raises `StoreError`.

        Others go on meanwhile.
        """


class Holds(Protocol):
    """Which conversations this process has, against the other processes that use the same store."""

    async def hold(self, conversation: str) -> bool:
        """Have ``conversation`` until it is let go, or the process ends; False where another process has it.

        To ask again for what is held is right, and tells whether it still is. Raises `StoreError` where that cannot be
        told.
        """

    def let_go(self, conversation: str) -> None:
        """Leave ``conversation`` to others, soon; one that is not held is no matter. Never waits."""
