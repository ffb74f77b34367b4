"""How items that the client wrote are told, where that is more than their words: sound that became these, and pictures.

No language model is given a picture. They are kept for who looks an item up, as far as there is room.
"""

from __future__ import annotations

import json
from typing import Final

from voice_trio.core.items import MAX_ITEMS, Item
from voice_trio.wire.realtime import items
from voice_trio.wire.realtime.items import Json
from voice_trio.wire.realtime.writing import Content

MAX_ITEM_BYTES: Final = 1_000_000
"""An item that would be longer is told without its pictures: some clients take no message of 1 MiB."""
MAX_BYTES: Final = 2_000_000
"""Of all that have pictures. Where there would be more, the oldest lose theirs."""


class Shown:
    """One conversation's. None of it waits."""

    def __init__(self) -> None:
        self._spoken: dict[str, None] = {}
        self._parts: dict[str, tuple[Json, ...]] = {}
        self._bytes: dict[str, int] = {}

    def take(self, item: str, content: Content | None) -> None:
        """There is an ``item`` of that ``content`` now, whatever it was before."""
        self.forget(item)
        if content is None:
            return
        if content.is_spoken:
            self._spoken[item] = None
            if len(self._spoken) > MAX_ITEMS:
                del self._spoken[next(iter(self._spoken))]
        length = len(json.dumps(content.shown, ensure_ascii=False).encode(errors="replace"))
        if content.shown and length <= MAX_ITEM_BYTES:
            self._parts[item], self._bytes[item] = content.shown, length
            while sum(self._bytes.values()) > MAX_BYTES:
                self._lose_pictures(next(iter(self._bytes)))

    def forget(self, item: str) -> None:
        """``item`` is no more."""
        self._spoken.pop(item, None)
        self._lose_pictures(item)

    def is_spoken(self, item: str) -> bool:
        """Return whether the words of ``item`` were said."""
        return item in self._spoken

    def told(self, item: Item, *, spoken: bool = False) -> Json:
        """Return ``item`` as it is told; ``spoken`` says that its words were said, though nobody wrote it."""
        told = items.told(item, spoken=spoken or self.is_spoken(item.id))
        if item.id in self._parts:
            told["content"] = [*self._parts[item.id]]
        return told

    def _lose_pictures(self, item: str) -> None:
        self._parts.pop(item, None)
        self._bytes.pop(item, None)
