"""Items of which some are yet to be recognised: who needs their words can wait for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import trio

from voice_trio.core.items import Item, Items, Words


class HeardItems(Items):
    """Items, and those who wait for words of theirs."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        super().__init__(items)
        self._news = trio.lowlevel.ParkingLot()

    def add(self, item: Item, after: str | None = None) -> None:
        """As `Items.add`: older ones may leave."""
        super().add(item, after)
        self._news.unpark_all()

    def replace(self, item: Item) -> None:
        """As `Items.replace`."""
        super().replace(item)
        self._news.unpark_all()

    def delete(self, key: str) -> Item:
        """As `Items.delete`."""
        item = super().delete(key)
        self._news.unpark_all()
        return item

    async def when_heard(self, key: str) -> Item | None:
        """Return the item of that id once it has its words; None if it left before."""
        while key in self:
            if not is_unheard(item := self[key]):
                return item
            await self._news.park()
        return None

    async def wait_words(self, origin: HeardItems, wanted: Callable[[str], bool]) -> None:
        """Wait until the items whose ids are ``wanted`` have their words, which they get in ``origin``.

        What leaves that one before leaves these as well.
        """
        for item in self:
            if is_unheard(item) and wanted(item.id):
                heard = await origin.when_heard(item.id)
                if origin is not self and heard is not None:
                    self.replace(heard)
                elif origin is not self:
                    self.delete(item.id)


def is_unheard(item: Item) -> bool:
    """Return whether ``item`` was said, and is yet to be recognised."""
    return isinstance(item, Words) and item.text is None
