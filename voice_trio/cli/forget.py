"""``voice-trio forget``: delete what was said, whether or not a server runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from math import inf
from pathlib import Path
from time import sleep
from typing import TypeVar

import click
import trio

from voice_trio import config, log
from voice_trio.cli.options import chosen, named_as_given
from voice_trio.cli.output import number_of, say
from voice_trio.config import Settings
from voice_trio.core.errors import Mendable
from voice_trio.memory import conversation_rows, rewriting
from voice_trio.memory.base import StoreError
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path, is_there, shared_store
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.start import interrupt

_BUSY_S = 10.0
"""How long to wait for a server; a person who watches is more patient than a turn."""

_PAUSE_S = 0.005
"""Between two steps: a server that wants to write tries again at least every 0.1 s, for two seconds."""


T = TypeVar("T")


class NothingToForget(Mendable):
    """There is no such conversation; the message says where it was looked for."""


@click.command()
@click.argument("conversation", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Forget every conversation.")
@click.option("--yes", is_flag=True, help="Do not ask before forgetting everything.")
@click.option("--data-dir", metavar="TEXT", help="Where the server remembers, if it was told so by this option.")
def forget(conversation: str | None, everything: bool, yes: bool, data_dir: str | None) -> None:
    """Forget the conversation ID, or --all of them, for good.

    ``voice-trio conversations`` shows the IDs. A server may go on running meanwhile.
    """
    if (conversation is None) != everything:
        raise click.UsageError("Give either the ID of a conversation or --all.")
    interrupt()
    log.configure("ERROR")
    with named_as_given({"data_dir": data_dir}):
        settings = config.load(**chosen({"data_dir": data_dir}))
        if settings.database_url is not None and data_dir is None:
            _forget_shared(settings, conversation, yes=yes)
        else:
            _forget(database_path(settings), conversation, yes=yes)


def _forget_shared(settings: Settings, conversation: str | None, *, yes: bool) -> None:
    """Do it in PostgreSQL, where what was deleted leaves traces until it cleans up by itself."""

    async def use(work: Callable[[PostgresStore], Awaitable[T]]) -> T:
        shared = shared_store(settings)
        assert shared is not None
        async with shared as store:
            return await work(store)

    if conversation is None:
        if not yes:
            _confirm(*trio.run(use, lambda store: store.count()))
        forgotten = trio.run(use, lambda store: store.prune(inf))
    elif not (forgotten := trio.run(use, lambda store: store.forget(conversation))):
        raise NothingToForget(f"No conversation {conversation} is remembered in PostgreSQL.")
    say(f"Forgot {number_of(forgotten, 'turn')}.")


def _confirm(conversations: int, turns: int) -> None:
    question = f"Forget {number_of(conversations, 'conversation')}, {number_of(turns, 'turn')} in all?"
    click.confirm(question, abort=True)


def _forget(path: Path, conversation: str | None, *, yes: bool) -> None:
    if not is_there(path):
        if conversation is not None:
            raise NothingToForget(f"No conversation {conversation} is remembered in {path.parent}.")
        say(f"Nothing is remembered in {path.parent}.")
        return
    with closing(Database(path, busy_s=_BUSY_S)) as database:
        if conversation is None and not yes:
            _confirm(*conversation_rows.count(database))
        steps = rewriting.prune(database, inf) if conversation is None else rewriting.forget(database, conversation)
        forgotten = 0
        for deleted in steps:
            forgotten += deleted
            sleep(_PAUSE_S)
        try:
            # Even if there was nothing to forget: the last time this may have failed.
            for _ in rewriting.scrub(database):
                sleep(_PAUSE_S)
        except StoreError as error:
            raise StoreError(
                f"Forgot {number_of(forgotten, 'turn')}, but their words may still be found in the file, for {error}. "
                "Run this again"
            ) from error
    if conversation is not None and not forgotten:
        raise NothingToForget(f"No conversation {conversation} is remembered in {path.parent}.")
    say(f"Forgot {number_of(forgotten, 'turn')}.")
