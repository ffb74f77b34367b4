"""What is remembered moves to fresh pages, in steps that are short, so that no trace of the rest is left in the file.

# Theory

A deleted row leaves its words in the file. ``secure_delete`` writes zeros over it, and over a page that is given back,
but not over the copies that were made when a page was split or two were joined. VACUUM would write the whole file anew,
in one transaction: for 200 MB that is seconds in which no turn can be remembered, nor is it cut short by an interrupt
once it copies back.

So the turns are carried over from one table to another, a few in each transaction, those that are too old excepted.
Each page of the first table is given back, and zeroed, once its last turn has left. A turn is always in one of the two
tables, so a recall or a commit between two steps finds everything. Whatever ends the work in the middle, a kill
included, leaves something to carry over, which the next one does first.

Lists, titles and alerts are few, so all of them move at once.

The pages that were given back are used again. The file becomes smaller only where so little remains that VACUUM takes
no time.
"""

from __future__ import annotations

from collections.abc import Generator
from math import inf

from voice_trio.memory import alert_rows, list_rows, title_rows
from voice_trio.memory.database import Database

ROWS = 50
"""Turns that one step carries over."""

LOOKED_AT = 1000
"""Turns that one step looks at for old ones."""

LITTLE_PAGES = 2000
"""So many pages are written anew in about 0.1 s."""

PAUSE_S = 0.02
"""Between two steps: for those who wait, other processes among them, which only try from time to time."""


def prune(database: Database, before: float) -> Generator[int, None, None]:
    """Delete the turns that ended before ``before``, seconds since 1970, and every trace of them, a step an item.

    Yields how many were deleted. Raises `StoreError`; what was done until then is done.
    """
    if list_rows.have_old(database, before):
        list_rows.renew(database, before)
        yield 0
    if alert_rows.have_old(database, before):
        alert_rows.renew(database, before)
        yield 0
    yield from _carry_over(database, before)
    old, rowid = False, 0
    while not old:
        old, last = database.look_for(before, above=rowid, limit=LOOKED_AT)
        if last is None:
            return
        rowid = last
        yield 0
    yield from _begin(database, before)


def scrub(database: Database) -> Generator[int, None, None]:
    """Leave no trace in the file of what was deleted, a step an item. Yields zeros; raises `StoreError`."""
    list_rows.renew(database, -inf)
    yield 0
    alert_rows.renew(database, -inf)
    yield 0
    yield from _carry_over(database, -inf)
    yield from _begin(database, -inf)


def forget(database: Database, conversation: str) -> Generator[int, None, None]:
    """Delete ``conversation``, but not every trace of it, a step an item.

    Yields how many turns were deleted; raises `StoreError`. Its lists, its title and its alerts go first. All turns
    leave before any is deleted, so whatever ends this in the middle leaves something to carry over, and with that the
    traces go.
    """
    database.turn_out()
    yield 0
    list_rows.forget(database, conversation)
    title_rows.forget(database, conversation)
    yield 0
    alert_rows.forget(database, conversation)
    yield 0
    while deleted := database.forget(conversation, limit=ROWS):
        yield deleted


def resume(database: Database) -> Generator[int, None, None]:
    """Do what is left of a rewriting that was ended in the middle, if anything is, a step an item.

    Yields zeros; raises `StoreError`.
    """
    if database.has_leaving():
        list_rows.renew(database, -inf)
        yield 0
        alert_rows.renew(database, -inf)
        yield 0
        yield from _carry_over(database, -inf)


def _begin(database: Database, before: float) -> Generator[int, None, None]:
    database.turn_out()
    yield 0
    yield from _carry_over(database, before)


def _carry_over(database: Database, before: float) -> Generator[int, None, None]:
    while (deleted := database.carry_over(before, limit=ROWS)) is not None:
        yield deleted
    title_rows.renew(database)
    database.settle(little_pages=LITTLE_PAGES)
    yield 0
