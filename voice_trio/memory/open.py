"""Which store the settings mean, and where it keeps its file."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import structlog
import trio

from voice_trio import installation
from voice_trio.config import Settings
from voice_trio.memory.base import CannotRemember, Holds, Store, StoreError
from voice_trio.memory.database import Database, cannot_remember
from voice_trio.memory.holds import FileHolds
from voice_trio.memory.in_process import InProcessStore
from voice_trio.memory.postgres.open import open_postgres
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.memory.sqlite import BUSY_S, SqliteStore

log = structlog.get_logger()

_DAY_S = 24 * 60 * 60


@asynccontextmanager
async def open_store(settings: Settings, wall_clock: Callable[[], float] = time.time) -> AsyncIterator[Store]:
    """Open the store, and on leaving close it; delete what is too old, now and once a day, while others go on.

    Raises `CannotRemember`. ``wall_clock`` returns seconds since 1970.
    """
    async with _open(settings) as store, trio.open_nursery() as nursery:
        if settings.memory_days:
            nursery.start_soon(_prune_daily, store, settings.memory_days, wall_clock)
        yield store
        nursery.cancel_scope.cancel()


@contextmanager
def open_holds(settings: Settings, store: Store) -> Iterator[Holds | None]:
    """Have conversations against other servers on the same data folder, or database; None where nothing is shared.

    ``store`` is what `open_store` returned. Raises `CannotRemember`.
    """
    match store:
        case InProcessStore():
            yield None
            return
        case PostgresStore():
            yield store.claims
            return
    holds = FileHolds(database_path(settings).with_name("memory.in_use"))
    try:
        yield holds
    finally:
        holds.close()


def shared_store(settings: Settings) -> AbstractAsyncContextManager[PostgresStore] | None:
    """Return what opens the store that several servers share, raising `CannotRemember`; None where there is none."""
    if settings.database_url is None:
        return None
    return open_postgres(
        settings.database_url.get_secret_value(),
        connections=settings.database_connections,
        claim_ttl_s=settings.claim_ttl_s,
    )


def database_path(settings: Settings) -> Path:
    """Return where conversations are remembered, whether or not there is anything yet. Raises `CannotRemember`."""
    try:
        return installation.data_dir(settings.data_dir) / "memory.sqlite3"
    except RuntimeError as error:
        folder = settings.data_dir or "the data folder"
        raise CannotRemember(f"There is no home for {folder}: choose a folder with STREAM_DATA_DIR.") from error


def is_there(path: Path) -> bool:
    """Return whether there is a database at ``path``. Raises `CannotRemember`."""
    try:
        return path.is_file()
    except OSError as error:
        raise cannot_remember(path, error) from error


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Store]:
    if settings.memory == "off":
        yield InProcessStore()
        return
    if (opening := shared_store(settings)) is not None:
        async with opening as shared:
            yield shared
        return
    store = SqliteStore(await trio.to_thread.run_sync(_open_database, database_path(settings)))
    try:
        yield store
    finally:
        await store.aclose()


def _open_database(path: Path) -> Database:
    return Database(path, busy_s=BUSY_S)


async def _prune_daily(store: Store, days: int, wall_clock: Callable[[], float]) -> None:
    while True:
        await _prune(store, days, wall_clock)
        await trio.sleep(_DAY_S)


async def _prune(store: Store, days: int, wall_clock: Callable[[], float]) -> None:
    """Delete what is older than ``days``; if that fails, it is the next day's work."""
    try:
        pruned = await store.prune(wall_clock() - days * _DAY_S)
    except StoreError as error:
        log.warning("old turns could not be deleted", reason=str(error))
    else:
        log.info("old turns deleted", turns=pruned, days=days)
