"""Where lists are kept, and how much of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import trio

from voice_trio.toolbox.base import ToolError

MOST_LISTS = 50
MOST_ITEMS = 200
"""Of a list."""
MOST_CHARS = 200
"""Of an item, and of a list's name."""


def check_room(new: int, there: int, lists: int) -> None:
    """Raise `ToolError` where ``new`` items find no room on a list with ``there`` items, one of ``lists`` or to be."""
    if there + new > MOST_ITEMS:
        raise ToolError(f"There is no room for more than {MOST_ITEMS} things on a list.")
    if not there and lists >= MOST_LISTS:
        raise ToolError(f"There is no room for more than {MOST_LISTS} lists.")


class Lists(Protocol):
    """Keeps the lists of each conversation, which are there as long as something stands on them.

    Each method raises `ToolError` where they cannot be kept, and then has changed nothing.
    """

    async def names(self, conversation: str) -> Sequence[str]:
        """Return the names of the conversation's lists, that to which something was added last at the end."""

    async def read(self, conversation: str, name: str) -> Sequence[str]:
        """Return what stands on the list, in the order in which it was added; nothing where there is no such list."""

    async def add(self, conversation: str, name: str, items: Sequence[str]) -> None:
        """Add ``items`` at the end of the list, or none of them where `check_room` finds no room."""

    async def remove(self, conversation: str, name: str, items: Sequence[str]) -> None:
        """Take each of ``items`` off the list, wherever it stands there."""


class InProcessLists:
    """Lists that last as long as the process, of the latest ``max_conversations`` conversations that added to any."""

    def __init__(self, *, max_conversations: int = 10_000) -> None:
        self._max_conversations = max_conversations
        self._conversations: OrderedDict[str, OrderedDict[str, list[str]]] = OrderedDict()

    async def names(self, conversation: str) -> Sequence[str]:
        """Return the names of the conversation's lists."""
        await trio.lowlevel.checkpoint()
        return [*self._conversations.get(conversation, ())]

    async def read(self, conversation: str, name: str) -> Sequence[str]:
        """Return what stands on the list."""
        await trio.lowlevel.checkpoint()
        lists = self._conversations.get(conversation)
        return [*lists.get(name, ())] if lists else []

    async def add(self, conversation: str, name: str, items: Sequence[str]) -> None:
        """Add ``items`` at the end of the list."""
        await trio.lowlevel.checkpoint()
        lists = self._conversations.get(conversation, OrderedDict())
        check_room(len(items), len(lists.get(name, ())), len(lists))
        self._conversations[conversation] = lists
        lists.setdefault(name, []).extend(items)
        lists.move_to_end(name)
        self._conversations.move_to_end(conversation)
        while len(self._conversations) > self._max_conversations:
            self._conversations.popitem(last=False)

    async def remove(self, conversation: str, name: str, items: Sequence[str]) -> None:
        """Take ``items`` off the list."""
        await trio.lowlevel.checkpoint()
        lists = self._conversations.get(conversation)
        if lists is None or name not in lists:
            return
        lists[name] = [item for item in lists[name] if item not in items]
        if not lists[name]:
            del lists[name]
        if not lists:
            del self._conversations[conversation]
