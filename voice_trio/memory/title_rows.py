"""The names that people gave their conversations, in the database: few and short, so each of these is one transaction.

They raise `StoreError`.
"""

from __future__ import annotations

from voice_trio.memory import schema
from voice_trio.memory.database import Database


def rename(database: Database, conversation: str, title: str) -> bool:
    """Name ``conversation``; return whether there is any turn of it, without which it is left without a name."""
    with database.transaction() as execute:
        for table in ("records", "leaving"):
            if execute(f"SELECT 1 FROM {table} WHERE conversation = ? LIMIT 1", (conversation,)).fetchone():
                execute("INSERT OR REPLACE INTO titles (conversation, title) VALUES (?, ?)", (conversation, title))
                return True
    return False


def forget(database: Database, conversation: str) -> None:
    """Delete the conversation's name, but not every trace of it."""
    with database.transaction() as execute:
        execute("DELETE FROM titles WHERE conversation = ?", (conversation,))


def renew(database: Database) -> None:
    """Have names on fresh pages: no trace is left of others, nor any name of what has no turns."""
    with database.transaction() as execute:
        schema.renew_titles(execute)
