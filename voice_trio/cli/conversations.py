"""``voice-trio conversations``: which are remembered, whether or not a server runs."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
import trio

from voice_trio import config, log
from voice_trio.cli.options import chosen
from voice_trio.cli.output import number_of, say, say_json
from voice_trio.core.titles import terms_in
from voice_trio.memory.conversations import Page, Sought
from voice_trio.memory.database import Database
from voice_trio.memory.open import database_path, is_there, shared_store
from voice_trio.memory.postgres.conversations import PostgresConversations
from voice_trio.memory.postgres.store import PostgresStore
from voice_trio.memory.sqlite import SqliteStore
from voice_trio.memory.sqlite_conversations import SqliteConversations

_BUSY_S = 10.0
"""How long to wait for a server; a person who watches is more patient than a turn."""


@click.command()
@click.option("--search", metavar="WORDS", default="", help="Show only those with a turn, or a title, that has WORDS.")
@click.option("--json", "as_json", is_flag=True, help="Print each as JSON, an object a line.")
@click.option("--data-dir", metavar="TEXT", help="Where the server remembers, if it was told so by this option.")
def conversations(search: str, as_json: bool, data_dir: str | None) -> None:
    """Show what conversations are remembered, the newest first: when each last went on, its turns, its title, its ID.

    ``voice-trio forget`` takes the ID. A server may go on running meanwhile.
    """
    log.configure("ERROR")
    settings = config.load(**chosen({"data_dir": data_dir}))
    shared = shared_store(settings) if data_dir is None else None
    sought = Sought(limit=sys.maxsize, terms=terms_in(search))
    if shared is not None:
        place, page = "PostgreSQL", trio.run(_look_into, shared, sought)
    else:
        path = database_path(settings)
        place = str(path.parent)
        page = trio.run(_look, path, sought) if is_there(path) else Page(conversations=[], more=False)
    for one in page.conversations:
        if as_json:
            say_json(json.dumps(asdict(one)))
        else:
            last = datetime.fromtimestamp(one.last_at).astimezone()
            say(f"{last:%Y-%m-%d %H:%M}  {number_of(one.turns, 'turn'):>9}  {one.title or '(no words)'}  [{one.id}]")
    if not page.conversations and not as_json:
        say(f"Nothing is remembered in {place}." if not search else "No conversation has these words.")
    if not page.complete:
        say("The search took too long: older turns were not looked at.", err=True)


async def _look_into(shared: AbstractAsyncContextManager[PostgresStore], sought: Sought) -> Page:
    async with shared as store:
        return await PostgresConversations(store).page(sought)


async def _look(path: Path, sought: Sought) -> Page:
    database = await trio.to_thread.run_sync(lambda: Database(path, busy_s=_BUSY_S))
    async with aclosing(SqliteStore(database)) as store:
        return await SqliteConversations(store).page(sought)
