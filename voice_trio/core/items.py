"""A conversation as items in their order: what was said and written, what tools were asked for, and what they answered.

Every prompt is made of them (`core.history`). An item may come late, leave, or be cut to what was heard of it; what is
cut is never made longer again. Items that turns make have ids that follow from the turn, so that nobody keeps a table
of them; those that a client makes have the client's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from annotated_types import MaxLen, MinLen

ItemId = Annotated[str, MinLen(1), MaxLen(200)]

FIRST: Final = ""
"""In the place of an item's id: before all items."""

MAX_ITEMS: Final = 1000
MAX_ITEM_CHARS: Final = 200_000
"""Of all items together. Where there would be more, the oldest leave: long before that, no prompt has room for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody said or wrote."""

    kind: Literal["words"] = "words"
    id: ItemId
    by: Literal["person", "assistant", "system"]
    text: str | None = None
    """None: it was said, and is yet to be recognised."""
    heard: int | None = None
    """Only so many code points of ``text`` were heard; None: nobody was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """The assistant wants a tool to be used."""

    kind: Literal["tool_use"] = "tool_use"
    id: ItemId
    call: ItemId
    """By this id the tool's answer names it."""
    name: str
    arguments: str
    """JSON as the model wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """What a tool answered."""

    kind: Literal["tool_output"] = "tool_output"
    id: ItemId
    call: ItemId
    output: str


Item = Words | ToolUse | ToolOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The item of that id, as it is by now."""

    kind: Literal["reference"] = "reference"
    id: ItemId


def said_id(turn: int) -> str:
    """Return the id of what the person says in ``turn``."""
    return f"said_{turn}"


def reply_id(turn: int) -> str:
    """Return the id of the reply of ``turn``."""
    return f"reply_{turn}"


def tool_use_id(turn: int, number: int) -> str:
    """Return the id of the use of a tool that the reply of ``turn`` asks for, counted from 0; of its call, too."""
    return f"call_{turn}_{number}"


def own_use_id(turn: int, number: int) -> str:
    """Return the id of the use of a tool of the server's own in ``turn``, counted from 0; of its call, too."""
    return f"use_{turn}_{number}"


def own_result_id(turn: int, number: int) -> str:
    """Return the id of what that tool answered."""
    return f"result_{turn}_{number}"


_OF_TURN: Final = re.compile(r"(?:said|reply|call|use|result)_([1-9][0-9]{0,9})(?:_(?:0|[1-9][0-9]{0,4}))?")


def turn_of(name: str) -> int | None:
    """Return the number of the turn that an item of that id is, or would be, of; None for an id of a client's."""
    found = _OF_TURN.fullmatch(name)
    return None if found is None else int(found[1])


def is_own(name: str) -> bool:
    """Return whether that is the id of what a tool of the server's own was asked, or answered."""
    return name.startswith(("use_", "result_")) and turn_of(name) is not None


class NoSuchItem(Exception):
    """There is no item of that id."""


class Duplicate(Exception):
    """There is an item of that id already."""


class NoSound(Exception):
    """The item is no reply that was spoken."""


class Items:
    """Items in their order."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = {item.id: item for item in items}

    def __iter__(self) -> Iterator[Item]:
        return iter([*self._items.values()])

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, key: str) -> Item:
        """Return the item of that id. Raises `NoSuchItem`."""
        try:
            return self._items[key]
        except KeyError:
            raise NoSuchItem(key) from None

    def before(self, key: str) -> str | None:
        """Return the id of the item before that one; None for the first. Raises `NoSuchItem`."""
        self[key]
        ids = [*self._items]
        at = ids.index(key)
        return ids[at - 1] if at else None

    def told_before(self, key: str) -> str | None:
        """Return the same as clients know it, to whom the server's own tools are none of the items."""
        before = self.before(key)
        while before is not None and is_own(before):
            before = self.before(before)
        return before

    def add(self, item: Item, after: str | None = None) -> None:
        """Put ``item`` behind the item ``after``; for `FIRST` before all, for None behind all.

        Where that is too much, the oldest leave. Raises `NoSuchItem` and `Duplicate`.
        """
        if item.id in self._items:
            raise Duplicate(item.id)
        if after is None or after == self._last:
            self._items[item.id] = item
        else:
            if after != FIRST:
                self[after]
            ids = [*self._items]
            at = 0 if after == FIRST else ids.index(after) + 1
            self._items = {key: self._items.get(key, item) for key in (*ids[:at], item.id, *ids[at:])}
        self._make_room(item)

    def insert(self, items: Iterable[Item], after: str, before: str) -> None:
        """Put those ``items`` that are not there behind the item ``after``.

        Where there is none, they go before the item ``before``, and where there is none either, behind all.
        """
        place = after if after in self else None
        if place is None and before in self:
            place = self.before(before) or FIRST
        for item in items:
            if item.id not in self:
                self.add(item, place)
                place = item.id

    def replace(self, item: Item) -> None:
        """Have ``item`` in the place of the one of its id. Raises `NoSuchItem`."""
        self[item.id]
        self._items[item.id] = item

    def delete(self, key: str) -> Item:
        """Take the item of that id out, and return it. Raises `NoSuchItem`."""
        item = self[key]
        del self._items[key]
        return item

    def delete_own(self, turn: int) -> None:
        """Take out what tools of the server's own were asked, and answered, in ``turn``."""
        for item in self:
            if is_own(item.id) and turn_of(item.id) == turn:
                del self._items[item.id]

    def cut(self, key: str, heard: int) -> None:
        """Have no more than ``heard`` code points of an assistant's words. Raises `NoSuchItem`, also for any other."""
        item = self[key]
        if not (isinstance(item, Words) and item.by == "assistant"):
            raise NoSuchItem(key)
        self.replace(replace(item, heard=heard if item.heard is None else min(heard, item.heard)))

    @property
    def _last(self) -> str | None:
        return next(reversed(self._items), None)

    def _make_room(self, newest: Item) -> None:
        chars = sum(map(_length, self._items.values()))
        for item in [*self._items.values()]:
            if len(self._items) <= MAX_ITEMS and chars <= MAX_ITEM_CHARS:
                break
            if item is not newest:
                del self._items[item.id]
                chars -= _length(item)


def _length(item: Item) -> int:
    match item:
        case Words(text=text):
            return len(text or "")
        case ToolUse(arguments=arguments):
            return len(arguments)
        case ToolOutput(output=output):
            return len(output)
