"""Looking through a store in PostgreSQL.

There is no index of words: each turn would cost more to remember. So a search walks over all turns in steps, as it
does elsewhere; a list is one query. One of them goes on at a time in each server, so that turns find a connection.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

import trio

from voice_trio.core.titles import spellings, title_of
from voice_trio.memory.conversations import SEARCH_S, Numbered, Page, Place, Sought, Summary
from voice_trio.memory.postgres.connection import Connection
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.memory.record_rows import RECORD, record_of

_SEARCHED: Final = 5000
"""Turns that one step of a search looks at: some 50 ms."""

_HEAD_CHARS: Final = 400
"""Of what was said first, as much as a title can need."""

_ALL: Final = 2**62
"""Above every number of a row, and every limit."""


class PostgresConversations:
    """Those that ``store`` keeps."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._one_walk = trio.Lock()

    async def page(self, sought: Sought) -> Page:
        """Return the conversations that are ``sought``."""
        among, complete = sought.among, True
        async with self._one_walk:
            if sought.terms:
                among, complete = await self._having(sought.terms, among)
            summaries, more = await self._store.look(partial(_newest, sought=sought, among=among), SEARCH_S)
        return Page(conversations=summaries, more=more, complete=complete)

    async def turns(self, conversation: str, *, limit: int, before: int | None = None) -> Sequence[Numbered]:
        """Return the latest ``limit`` turns, of those with a smaller number than ``before``, oldest first."""
        query = (
            f"SELECT seq, {RECORD} FROM voice_trio.records WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
        )
        asked = (conversation, _ALL if before is None else min(before, _ALL), limit)
        rows = await self._store.look(lambda connection: connection.read(query, asked))
        return [Numbered(seq, record_of(*row)) for seq, *row in reversed(rows)]

    async def rename(self, conversation: str, title: str) -> bool:
        """Have ``conversation`` called ``title``; return whether there is one with any turn."""
        query = (
            "INSERT INTO voice_trio.titles (conversation, title) SELECT ?, ?"
            " WHERE EXISTS (SELECT FROM voice_trio.records WHERE conversation = ?)"
            " ON CONFLICT (conversation) DO UPDATE SET title = excluded.title RETURNING 1"
        )
        asked = (conversation, title, conversation)
        return bool(await self._store.use(lambda connection: connection.write(query, asked)))

    async def delete(self, conversation: str) -> int:
        """Delete ``conversation``; return how many turns it had."""
        return await self._store.forget(conversation)

    async def _having(self, terms: Sequence[str], among: Collection[str] | None) -> tuple[set[str], bool]:
        """Return those conversations ``among`` which it is that have ``terms``, and whether all was looked at."""
        until = trio.current_time() + SEARCH_S
        found = await self._store.look(partial(_titled, terms=terms), SEARCH_S)
        below: int | None = _ALL
        while below is not None:
            said, below = await self._store.look(partial(_saying, terms=terms, among=among, below=below), SEARCH_S)
            found |= said
            if trio.current_time() >= until:
                break
        return found if among is None else found.intersection(among), below is None


def _newest(connection: Connection, sought: Sought, among: Collection[str] | None) -> tuple[list[Summary], bool]:
    """Return the newest of those ``among`` which it is (None: of all), and whether there are more."""
    limit = min(sought.limit, _ALL)
    before = sought.before or Place(float("inf"), "")
    rows = connection.read(
        f"""
        WITH last AS (
            SELECT DISTINCT ON (conversation) conversation, ended_at FROM voice_trio.records
            WHERE ?::text[] IS NULL OR conversation = ANY(?) ORDER BY conversation, seq DESC
        ), chosen AS (
            SELECT * FROM last WHERE (ended_at, conversation) < (?, ?)
            ORDER BY ended_at DESC, conversation DESC LIMIT ?
        )
        SELECT conversation, title, head, began_at, chosen.ended_at, turns FROM chosen
        LEFT JOIN voice_trio.titles USING (conversation)
        JOIN LATERAL (
            SELECT count(*) AS turns, (array_agg(ended_at ORDER BY seq))[1] AS began_at,
                (array_agg(left(said, {_HEAD_CHARS}) ORDER BY seq) FILTER (WHERE said <> ''))[1] AS head
            FROM voice_trio.records WHERE conversation = chosen.conversation
        ) AS all_turns ON true
        ORDER BY chosen.ended_at DESC, conversation DESC
        """,
        (_listed(among), _listed(among), before.last_at, before.conversation, limit + 1),
    )
    return [_summary(*row) for row in rows[:limit]], len(rows) > limit


def _summary(
    conversation: str, title: str | None, head: str | None, began_at: float, last_at: float, turns: int
) -> Summary:
    title = title or title_of(head or "")
    return Summary(id=conversation, title=title, began_at=began_at, last_at=last_at, turns=turns)


def _titled(connection: Connection, terms: Sequence[str]) -> set[str]:
    """Return the conversations whose names, given by a person, have all of ``terms``."""
    query = f"SELECT conversation FROM voice_trio.titles WHERE {_has('title', terms)}"
    return {conversation for (conversation,) in connection.read(query, _spellings(terms))}


def _saying(
    connection: Connection, terms: Sequence[str], among: Collection[str] | None, below: int
) -> tuple[set[str], int | None]:
    """Look at so many turns below the one with the id ``below`` for all of ``terms``, from the last one downwards.

    Return the conversations of those that have them, and the id of the last one looked at; None where there are none.
    """
    ((found, last),) = connection.read(
        f"""
        SELECT array_agg(DISTINCT conversation) FILTER (WHERE found), min(id) FROM (
            SELECT id, conversation, {_has("said || chr(10) || reply", terms)} AS found FROM voice_trio.records
            WHERE id < ? AND (?::text[] IS NULL OR conversation = ANY(?)) ORDER BY id DESC LIMIT ?
        ) AS looked_at
        """,
        (*_spellings(terms), below, _listed(among), _listed(among), _SEARCHED),
    )
    return set(found or ()), last


def _has(text: str, terms: Sequence[str]) -> str:
    """Return the condition that ``text`` has all of ``terms``, whose parameters `_spellings` returns."""
    # In C, capitals are those of ASCII, whatever language the database has.
    small = f'strpos(lower(({text}) COLLATE "C"), ?) > 0'
    return " AND ".join(f"({' OR '.join([small] * len(spellings(term)))})" for term in terms)


def _spellings(terms: Sequence[str]) -> list[str]:
    return [spelling for term in terms for spelling in spellings(term)]


def _listed(names: Collection[str] | None) -> Any:
    return None if names is None else [*names]
