"""The rows of lists in the database: few and short, so each of these is one short transaction.

They raise `StoreError`.
"""

from __future__ import annotations

from collections.abc import Sequence

from voice_trio.core.strange_text import mend
from voice_trio.memory import schema
from voice_trio.memory.database import Database
from voice_trio.memory.transactions import Transacting
from voice_trio.skills.keeping import check_room


def names(database: Transacting, conversation: str) -> list[str]:
    """Return the names of the conversation's lists, that to which something was added last at the end."""
    with database.transaction() as execute:
        query = "SELECT list FROM list_items WHERE conversation = ? GROUP BY list ORDER BY max(seq)"
        return [name for (name,) in execute(query, (conversation,))]


def items(database: Transacting, conversation: str, name: str) -> list[str]:
    """Return what stands on a list, in the order in which it was added."""
    with database.transaction() as execute:
        query = "SELECT item FROM list_items WHERE conversation = ? AND list = ? ORDER BY seq"
        return [item for (item,) in execute(query, (conversation, mend(name)))]


def add(database: Transacting, conversation: str, name: str, new: Sequence[str], added_at: float) -> None:
    """Add ``new`` at the end of a list; ``added_at`` is seconds since 1970. Raises as `check_room` does."""
    with database.transaction() as execute:
        query = (
            "SELECT coalesce(max(seq), 0), count(*) FILTER (WHERE list = ?), count(DISTINCT list) "
            "FROM list_items WHERE conversation = ?"
        )
        last, there, lists = execute(query, (mend(name), conversation)).fetchone()
        check_room(len(new), there, lists)
        for seq, item in enumerate(new, start=last + 1):
            row = (conversation, seq, mend(name), mend(item), added_at)
            execute("INSERT INTO list_items (conversation, seq, list, item, added_at) VALUES (?, ?, ?, ?, ?)", row)


def remove(database: Transacting, conversation: str, name: str, gone: Sequence[str]) -> None:
    """Take each of ``gone`` off a list."""
    with database.transaction() as execute:
        for item in gone:
            row = (conversation, mend(name), mend(item))
            execute("DELETE FROM list_items WHERE conversation = ? AND list = ? AND item = ?", row)


def forget(database: Database, conversation: str) -> None:
    """Delete the conversation's lists, but not every trace of them."""
    with database.transaction() as execute:
        execute("DELETE FROM list_items WHERE conversation = ?", (conversation,))


def have_old(database: Database, before: float) -> bool:
    """Return whether anything was added before ``before``, seconds since 1970."""
    with database.transaction() as execute:
        return execute("SELECT 1 FROM list_items WHERE added_at < ? LIMIT 1", (before,)).fetchone() is not None


def renew(database: Database, before: float) -> None:
    """Have lists on fresh pages: no trace is left of what was taken off, nor anything added before ``before``."""
    with database.transaction() as execute:
        schema.renew_lists(execute, before)
