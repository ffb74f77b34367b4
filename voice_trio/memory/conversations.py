"""Looking through what is remembered: which conversations there are, the newest first, and what was said in one.

A conversation is as old as the turn that was remembered last in it. What is told of one is found anew each time, in its
turns; only a name that a person gave it is kept beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final, NamedTuple, Protocol

import trio

from voice_trio.core.history import Record
from voice_trio.core.titles import has_all, title_of
from voice_trio.memory.in_process import InProcessStore

SEARCH_S: Final = 10.0
"""So long a search may take; what it has not looked at by then it leaves out."""


class Place(NamedTuple):
    """Where a conversation stands among the others: the newest is the greatest."""

    last_at: float
    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is told of a conversation without its turns. Times are when a turn ended, in seconds since 1970, UTC."""

    id: str
    title: str
    """The name that a person gave it, or else the first words said in it; empty where there were none."""
    began_at: float
    last_at: float
    turns: int

    @property
    def place(self) -> Place:
        """Where it stands among the others."""
        return Place(self.last_at, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some conversations, the newest first."""

    conversations: Sequence[Summary]
    more: bool
    """Whether there are older ones."""
    complete: bool = True
    """Whether all was looked at that was to be searched."""


class Numbered(NamedTuple):
    """A turn, with its number in its conversation: those of later turns are greater."""

    number: int
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which conversations are wanted."""

    limit: int
    before: Place | None = None
    """Older ones than what stands there."""
    terms: tuple[str, ...] = ()
    """Only those that have a turn, or a title, with all of these words (`core.titles.terms_in`)."""
    among: Collection[str] | None = None
    """Only these."""

    def newest(self, places: Collection[Place]) -> tuple[list[Place], bool]:
        """Return those of ``places`` that are wanted first, and whether there are more."""
        older = [place for place in places if self.before is None or place < self.before]
        return nlargest(self.limit, older), len(older) > self.limit


class Conversations(Protocol):
    """What can be asked about a store of conversations, and done to it. All of these raise `StoreError`."""

    async def page(self, sought: Sought) -> Page:
        """Return the conversations that are ``sought``."""

    async def turns(self, conversation: str, *, limit: int, before: int | None = None) -> Sequence[Numbered]:
        """Return the latest ``limit`` turns, of those with a smaller number than ``before``, oldest first."""

    async def rename(self, conversation: str, title: str) -> bool:
        """Have ``conversation`` called ``title``; return whether there is one with any turn."""

    async def delete(self, conversation: str) -> int:
        """Delete ``conversation``; return how many turns it had. Nobody may be adding to it."""


class InProcessConversations:
    """Those of a store that lasts as long as the process."""

    def __init__(self, store: InProcessStore) -> None:
        self._kept = store.kept
        self._titles: dict[str, str] = {}

    async def page(self, sought: Sought) -> Page:
        """Return the conversations that are ``sought``."""
        await trio.lowlevel.checkpoint()
        places = [
            Place(records[-1].ended_at, conversation)
            for conversation, records in self._kept.items()
            if (sought.among is None or conversation in sought.among) and self._has(conversation, sought.terms)
        ]
        newest, more = sought.newest(places)
        return Page(conversations=[self._summary(place.conversation) for place in newest], more=more)

    async def turns(self, conversation: str, *, limit: int, before: int | None = None) -> Sequence[Numbered]:
        """Return the latest ``limit`` turns, of those with a smaller number than ``before``, oldest first."""
        await trio.lowlevel.checkpoint()
        numbered = [Numbered(*one) for one in enumerate(self._kept.get(conversation, ()), start=1)]
        return [one for one in numbered if before is None or one.number < before][-limit:]

    async def rename(self, conversation: str, title: str) -> bool:
        """Have ``conversation`` called ``title``; return whether there is one with any turn."""
        await trio.lowlevel.checkpoint()
        self._titles = {one: name for one, name in self._titles.items() if one in self._kept}
        if conversation not in self._kept:
            return False
        self._titles[conversation] = title
        return True

    async def delete(self, conversation: str) -> int:
        """Delete ``conversation``; return how many turns it had."""
        await trio.lowlevel.checkpoint()
        self._titles.pop(conversation, None)
        return len(self._kept.pop(conversation, ()))

    def _has(self, conversation: str, terms: tuple[str, ...]) -> bool:
        texts = [f"{record.said}\n{record.reply}" for record in self._kept[conversation]]
        return not terms or any(has_all(text, terms) for text in (*texts, self._titles.get(conversation, "")))

    def _summary(self, conversation: str) -> Summary:
        records = self._kept[conversation]
        said = next((record.said for record in records if record.said), "")
        return Summary(
            id=conversation,
            title=self._titles.get(conversation) or title_of(said),
            began_at=records[0].ended_at,
            last_at=records[-1].ended_at,
            turns=len(records),
        )
