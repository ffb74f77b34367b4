"""What the database tells of its conversations: each of these is one short look, at rows of both its tables.

They raise `StoreError`. A look sees one moment; between two of them turns may come, go, and move from a table to the
other (`rewriting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from json import loads
from typing import Literal

from voice_trio.core.titles import spellings, title_of
from voice_trio.memory.conversations import Numbered, Place, Summary
from voice_trio.memory.database import Database
from voice_trio.memory.record_rows import RECORD, record_of

Table = Literal["leaving", "records"]

_ALL = 2**63 - 1
"""Above every number of a row."""

_HEAD_CHARS = 400
"""Of what was said first, as much as a title can need."""


def count(database: Database) -> tuple[int, int]:
    """Return how many conversations and how many turns are remembered."""
    ((conversations, turns),) = database.read(
        f"SELECT count(DISTINCT conversation), count(*) FROM ({_both('conversation')})"
    )
    return conversations, turns


def places(database: Database, after: str, limit: int) -> tuple[list[Place], str | None]:
    """Return where conversations stand whose ids come after ``after``, in the order of ids, ``limit`` or more.

    Return as well the id up to which all were looked at; None for all.
    """
    each = """
        SELECT conversation, ended_at, seq FROM (
            SELECT conversation AS id, max(seq) AS last FROM {0} WHERE conversation > ?1 GROUP BY conversation LIMIT ?2
        ) JOIN {0} ON conversation = id AND seq = last
    """
    found: dict[str, tuple[int, float]] = {}
    to: list[str] = []
    rows = database.read(
        " UNION ALL ".join(f"SELECT '{table}', * FROM ({each.format(table)})" for table in ("leaving", "records")),
        (after, limit),
    )
    for table in ("leaving", "records"):
        of_table = [(conversation, seq, ended_at) for name, conversation, ended_at, seq in rows if name == table]
        if len(of_table) == limit:
            to.append(max(conversation for conversation, _, _ in of_table))
        for conversation, seq, ended_at in of_table:
            found[conversation] = max(found.get(conversation, (0, 0.0)), (seq, ended_at))
    upto = min(to, default=None)
    kept = [Place(at, name) for name, (_, at) in found.items() if upto is None or name <= upto]
    return kept, upto


def summary(database: Database, conversation: str) -> Summary | None:
    """Return what is told of ``conversation``; None where it has no turns."""
    turns = f"FROM ({_both('conversation, seq, said, ended_at')}) WHERE conversation = ?1"
    ((title, said, began_at, last_at, number),) = database.read(
        f"""
        SELECT (SELECT title FROM titles WHERE conversation = ?1),
            (SELECT substr(said, 1, {_HEAD_CHARS}) {turns} AND said <> '' ORDER BY seq LIMIT 1),
            (SELECT ended_at {turns} ORDER BY seq LIMIT 1),
            (SELECT ended_at {turns} ORDER BY seq DESC LIMIT 1),
            (SELECT count(*) {turns})
        """,
        (conversation,),
    )
    if not number:
        return None
    title = title or title_of(said or "")
    return Summary(id=conversation, title=title, began_at=began_at, last_at=last_at, turns=number)


def turns(database: Database, conversation: str, limit: int, before: int | None) -> list[Numbered]:
    """Return the latest ``limit`` turns, of those with a smaller number than ``before``, oldest first."""
    columns = f"seq, {RECORD}"
    rows = database.read(
        f"""
        SELECT {columns} FROM ({_both(columns)}) WHERE conversation = ?1 AND seq < ?2
        ORDER BY seq DESC LIMIT ?3
        """,
        (conversation, _ALL if before is None else before, limit),
    )
    return [Numbered(seq, record_of(*row)) for seq, *row in reversed(rows)]


def titled(database: Database, terms: Sequence[str]) -> set[str]:
    """Return the conversations whose names, given by a person, have all of ``terms``."""
    query = f"SELECT conversation FROM titles WHERE {_has('title', terms)}"
    return {conversation for (conversation,) in database.read(query, _spellings(terms))}


def saying(
    database: Database, table: Table, terms: Sequence[str], below: int | None, limit: int
) -> tuple[set[str], int | None]:
    """Look at ``limit`` turns below the one with the id ``below`` for all of ``terms``, from the last one downwards.

    Return the conversations of those that have them, and the id of the last one looked at; None where there are none.
    All of it is one row of the answer, since Python's lock has to be had for each.
    """
    names = "json_group_array(DISTINCT conversation) FILTER (WHERE found)"
    looked_at = f"""
        SELECT rowid AS id, conversation, {_has("said || char(10) || reply", terms)} AS found
        FROM {table} WHERE rowid < ? ORDER BY rowid DESC LIMIT ?
    """
    ((found, last),) = database.read(
        f"SELECT {names}, min(id) FROM ({looked_at})", (*_spellings(terms), _ALL if below is None else below, limit)
    )
    return set(loads(found)), last


def says(database: Database, conversation: str, terms: Sequence[str]) -> bool:
    """Return whether a turn of ``conversation`` has all of ``terms``."""
    query = f"""
        SELECT 1 FROM ({_both("conversation, said, reply")})
        WHERE {_has("said || char(10) || reply", terms)} AND conversation = ? LIMIT 1
    """
    return bool(database.read(query, (*_spellings(terms), conversation)))


def _both(columns: str) -> str:
    return f"SELECT {columns} FROM records UNION ALL SELECT {columns} FROM leaving"


def _has(text: str, terms: Sequence[str]) -> str:
    """Return the condition that ``text`` has all of ``terms``, whose parameters `_spellings` returns."""
    return " AND ".join(f"({' OR '.join([f'instr(lower({text}), ?)'] * len(spellings(term)))})" for term in terms)


def _spellings(terms: Sequence[str]) -> list[str]:
    return [spelling for term in terms for spelling in spellings(term)]
