"""What a store of conversations does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from voice_trio.core.history import Record

RECALLED_RECORDS = 200
"""A conversation's latest turns, as many as are ever recalled: beyond what a prompt has room for."""


class StoreError(Exception):
    """The store could not do what it was asked; nothing was half done. The message holds no word of what was said."""


class CannotRemember(Exception):
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

        Raises `StoreError`, or is cancelled, only where nothing was written, as far as the storage below tells the
        truth. So it cannot be cancelled once the writing has begun.
        """

    async def prune(self, before: float) -> int:
        """Delete the records that ended before ``before``, seconds since 1970; return how many. Raises `StoreError`."""
