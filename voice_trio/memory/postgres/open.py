"""Opening a store in PostgreSQL, and what a person is told who has none there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import trio

from voice_trio.memory.base import CannotRemember, StoreError
from voice_trio.memory.postgres.claims import NodeClaims
from voice_trio.memory.postgres.connection import Connection
from voice_trio.memory.postgres.connections import Connections
from voice_trio.memory.postgres.schema import migrate
from voice_trio.memory.postgres.store import PostgresStore

_OPEN_S: Final = 10.0
"""How long the first look may take: the database may be starting as well, or others bring its schema up to date."""


@asynccontextmanager
async def open_postgres(address: str, *, connections: int, claim_ttl_s: float) -> AsyncIterator[PostgresStore]:
    """Open the store at ``address`` (a URL with a password, perhaps), and on leaving let go of all that it has.

    At most so many ``connections`` are used at a time, besides one for the heartbeat, and a server that was not heard
    of for ``claim_ttl_s`` loses what it has. Raises `CannotRemember`.
    """
    connect = _driver(address)
    pool, heart = Connections(connect, limit=connections), Connections(connect, limit=1)
    try:
        try:
            key = await pool.use(migrate, seconds=_OPEN_S)
        except StoreError as error:
            raise cannot_remember(str(error)) from None
        claims = NodeClaims(pool, heart, ttl_s=claim_ttl_s)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(claims.run)
            yield PostgresStore(pool, claims, key)
            nursery.cancel_scope.cancel()
    finally:
        await heart.aclose()
        await pool.aclose()


def _driver(address: str) -> Callable[[], Connection]:
    try:
        from voice_trio.memory.postgres.driver import PsycopgConnection
    except ImportError as error:
        raise cannot_remember(
            f"the driver of PostgreSQL cannot be loaded ({error}): pip install 'voice-trio[postgres]'"
        ) from error
    return partial(PsycopgConnection, address)


def cannot_remember(reason: str) -> CannotRemember:
    """Return what to tell a person whose PostgreSQL cannot be used, for that ``reason``."""
    return CannotRemember(
        f"Conversations cannot be remembered: {reason}. "
        "Mend STREAM_DATABASE_URL or the database, or leave the setting out to remember in a file."
    )
