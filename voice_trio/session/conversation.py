"""What stands in a conversation while a session has it: the items of its turns, and those that the client made.

A turn puts its items in as they come to be, and settles them when it is over. What a reply sounded like is kept beyond
that: a client may say at any time how much of it was heard. What is remembered follows, see `session.cuts`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from voice_trio.core.history import REMEMBERED, Record, left_of, recalled, remembered
from voice_trio.core.items import (
    FIRST,
    MAX_ITEMS,
    Item,
    NoSound,
    Reference,
    ToolUse,
    Words,
    is_own,
    reply_id,
    said_id,
    tool_use_id,
    turn_of,
)
from voice_trio.core.messages import ItemAdded, Outcome
from voice_trio.engines.base import ToolCall
from voice_trio.session.heard_items import HeardItems
from voice_trio.session.kept_records import KeptRecords
from voice_trio.session.replies import Replies
from voice_trio.session.reply import Reply


class Conversation:
    """One conversation. Only `wait_words` waits."""

    def __init__(self, name: str, changed: Callable[[Record], None] | None = None) -> None:
        """``name`` is its id in the store; ``changed`` takes a record of which less is left than was kept."""
        self.name = name
        self._changed = changed
        self._items = HeardItems()
        self._replies = Replies()
        self._is_recalled = False
        self._kept = KeptRecords()
        self._deleted: set[str] = set()
        """Ids of what turns made, and the client did not want."""
        self._written: dict[str, int | None] = {}
        """Ids of what the client added as a person's words, and in which turn's record they stand."""
        self._origin = self._items
        """Where what is yet to be recognised gets its words."""

    def aside(self) -> Conversation:
        """Return one in which the same stands, for what is to leave no trace in this one."""
        other = Conversation(self.name)
        other._items, other._origin = HeardItems(self.items), self._items
        return other

    @property
    def _is_aside(self) -> bool:
        return self._origin is not self._items

    async def wait_words(self, items: Sequence[Item | Reference] | None) -> None:
        """Wait until those of ``items`` that are referred to have their words, or all where that is None.

        What turns are to hear is waited for aside alone: those to come are none of this one's replies' business.
        """
        named = None if items is None else {item.id for item in items if isinstance(item, Reference)}
        await self._items.wait_words(
            self._origin, lambda key: (named is None or key in named) and (self._is_aside or key in self._written)
        )

    def named(self, name: str) -> Conversation:
        """Return the conversation of that id, for one turn of this one's session."""
        return Conversation(name, self._changed)

    @property
    def items(self) -> Sequence[Item]:
        """All that stands in it, as it is by now."""
        return [self._replies.by_now(item) for item in self._items]

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def __getitem__(self, key: str) -> Item:
        """Return the item of that id, as it is by now. Raises `NoSuchItem`."""
        return self._replies.by_now(self._items[key])

    def is_written(self, key: str) -> bool:
        """Return whether the item of that id is a person's words that the client added."""
        return key in self._written and key in self._items

    def was_deleted(self, key: str) -> bool:
        """Return whether a turn made an item of that id, and the client did not want it."""
        return key in self._deleted

    def resolved(self, items: Sequence[Item | Reference]) -> list[Item]:
        """Return ``items``, with those that are referred to in their places, if they still stand."""
        return [
            self[item.id] if isinstance(item, Reference) else item
            for item in items
            if not isinstance(item, Reference) or item.id in self._items
        ]

    def asked(self, turn: int, said: str) -> list[Item]:
        """Return what stands in it if that is what is ``said`` in ``turn``."""
        mine = Words(id=said_id(turn), by="person", text=said)
        items = [mine if item.id == mine.id else item for item in self.items]
        return items if mine.id in self._items or not said else [*items, mine]

    # --- what turns do ------------------------------------------------------------------------------------------------

    def recall(self, records: Sequence[Record]) -> None:
        """Take what is remembered by now: at first all of it, later only what others forgot or added.

        What stands aside has it already.
        """
        if self._is_aside or (self._is_recalled and self._kept.knows(records)):
            return
        for turn in self._kept.learn(records):
            self.take_back(turn)
        for item in self._items:
            if item.id.startswith(REMEMBERED):
                self._discard(item.id)
        for item in reversed([*remembered(self._kept.earlier)]):
            self._items.add(item, FIRST)
        self._is_recalled = True
        for turn in [*self._kept.own]:
            # Of one that nobody knew to be kept, something may have been taken back meanwhile.
            self._follow_up(turn)

    def add_said(self, turn: int, text: str | None = None) -> ItemAdded:
        """Put in what the person says in ``turn``; without ``text``, it is yet to be recognised."""
        return self._add(Words(id=said_id(turn), by="person", text=text))

    def hear(self, turn: int, text: str) -> None:
        """Take the words of what the person said in ``turn``."""
        if said_id(turn) in self._items and said_id(turn) not in self._deleted:
            self._items.replace(Words(id=said_id(turn), by="person", text=text))

    def add_reply(self, turn: int, reply: Reply) -> ItemAdded:
        """Put in what the assistant says in ``turn``, which is on its way."""
        self._replies.begin(reply_id(turn), reply)
        return self._add(Words(id=reply_id(turn), by="assistant", text=""))

    def add_tool_use(self, turn: int, number: int, call: ToolCall) -> ItemAdded:
        """Put in that the assistant asks for a tool in ``turn``, its ``number`` counting from 0."""
        key = tool_use_id(turn, number)
        return self._add(ToolUse(id=key, call=key, name=call.name, arguments=call.arguments))

    def take_back(self, turn: int) -> None:
        """Take out all that is of ``turn``, and what the client added that stands in its record."""
        for item in self._items:
            if turn in (turn_of(item.id), self._written.get(item.id)):
                self._discard(item.id)

    def settle(self, record: Record, *, withdrawn: bool) -> Record:
        """Have the items of a turn that is over be as its ``record`` has them; return it, cut where they were.

        ``withdrawn`` says that the person did not want to have said it, where nothing of the reply was heard.
        """
        said, reply = said_id(record.turn), reply_id(record.turn)
        record = self._as_it_stands(record)
        left = {item.id: item for item in recalled(record)}
        if said in self._items and said not in self._deleted:
            if said in left or not withdrawn or record.outcome is not Outcome.CANCELLED:
                self._items.replace(Words(id=said, by="person", text=record.said))
            else:
                self._discard(said)
        if reply in self._items and self._replies.is_under_way(reply):
            # Of what failed, no prompt has anything.
            nothing = Words(id=reply, by="assistant", text=record.reply, heard=0)
            self._items.replace(left.get(reply, nothing))
        self._replies.end(reply, self._items)
        self._items.insert([item for item in left.values() if is_own(item.id)], said, reply)
        return record

    def forget_latest(self) -> bool:
        """Take the latest turn that is over out, and out of what is remembered; False where nothing is left of any."""
        own, earlier = self._kept.own, self._kept.earlier
        if (turn := max(filter(lambda turn: left_of(own[turn]), own), default=None)) is not None:
            self._deleted |= {said_id(turn), reply_id(turn)}
            self.take_back(turn)
            self._follow_up(turn)
            return True
        at = max((at for at, record in enumerate(earlier) if left_of(record)), default=None)
        if at is None or self._changed is None:
            return False
        earlier[at] = replace(earlier[at], said="", reply="", heard=0, calls=())
        self._changed(earlier[at])
        for item in self._items:
            if item.id.startswith(f"{REMEMBERED}{at}_"):
                self._discard(item.id)
        return True

    def keep(self, record: Record) -> None:
        """Note that ``record`` is in the store."""
        self._kept.keep(record)
        self._follow_up(record.turn)

    def doubt(self, record: Record) -> None:
        """Note that ``record`` may be in the store, or not."""
        self._kept.doubt(record)

    def written(self, turn: int) -> str:
        """Return what the client has added as a person's words and no record has: that of ``turn`` is to have it."""
        new = [key for key, recorded in self._written.items() if recorded is None]
        self._written |= dict.fromkeys(new, turn)
        texts = [item.text for item in self._items if item.id in new and isinstance(item, Words)]
        return "\n".join(text for text in texts if text)

    # --- what the client does: all of it raises `NoSuchItem` ----------------------------------------------------------

    def add(self, item: Item, after: str | None) -> ItemAdded:
        """Put ``item`` behind the one of the id ``after``. Raises `Duplicate`, too."""
        self._items.add(item, after)
        if isinstance(item, Words) and item.by == "person":
            self._written[item.id] = None
            if len(self._written) > 2 * MAX_ITEMS:
                self._written = {key: turn for key, turn in self._written.items() if key in self._items}
        return ItemAdded(item=item, after=self._items.told_before(item.id), by_client=True)

    def recognise(self, item: Words, text: str) -> None:
        """Have what the client added as sound say ``text``, if it still stands."""
        if item.id in self._items:
            self._items.replace(replace(item, text=text))

    def delete(self, key: str) -> None:
        """Take the item of that id out."""
        self._items.delete(key)
        turn = turn_of(key)
        if key in self._written:
            recorded = self._written.pop(key)
            if recorded is not None:
                self._deleted.add(said_id(recorded))
                self._follow_up(recorded)
        elif turn is not None:
            self._deleted.add(key)
            self._follow_up(turn)
        if turn is not None and key == said_id(turn):
            self._items.delete_own(turn)  # They tell what was said.
        self._replies.forget(key)

    def cut(self, key: str, samples: int) -> Item:
        """Have no more of a reply than can be heard in its first ``samples``; return what it is now.

        One that is on its way is cut there whatever follows. Raises `NoSound`, too.
        """
        item = self[key]
        if not isinstance(item, Words) or item.text is None:
            raise NoSound(key)
        heard = self._replies.heard(item, samples)
        if heard is not None:
            self._items.cut(key, heard)
        turn = turn_of(key)
        if turn is not None:
            self._follow_up(turn)
        return self[key]

    # --- shared -------------------------------------------------------------------------------------------------------

    def _add(self, item: Item) -> ItemAdded:
        if item.id in self._items:
            self._items.replace(item)
        else:
            self._items.add(item)
        return ItemAdded(item=item, after=self._items.told_before(item.id))

    def _discard(self, key: str) -> None:
        if key in self._items:
            self._items.delete(key)
        self._replies.forget(key)

    def _as_it_stands(self, record: Record) -> Record:
        """Return ``record`` without what was deleted of its turn, and what was cut off."""
        if said_id(record.turn) in self._deleted:
            record = replace(record, said="", calls=())
        key = reply_id(record.turn)
        if key in self._deleted:
            return replace(record, reply="", heard=0)
        if key not in self._items:
            return record
        item = self._items[key]
        if isinstance(item, Words) and item.heard is not None and item.heard < record.heard:
            # After these it was said, and it was spoken into.
            said = record.outcome in (Outcome.COMPLETED, Outcome.CANCELLED)
            outcome = Outcome.INTERRUPTED if said else record.outcome
            return replace(record, heard=item.heard, outcome=outcome)
        return record

    def _follow_up(self, turn: int) -> None:
        """Have what is kept of ``turn`` say no more than stands here."""
        kept = self._kept.own.get(turn)
        if kept is not None and (record := self._as_it_stands(kept)) != kept:
            self._kept.own[turn] = record
            if self._changed is not None:
                self._changed(record)
