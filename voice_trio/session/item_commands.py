"""What a client does to the conversation's items, and what it is answered."""

from __future__ import annotations

from voice_trio.core import messages as m
from voice_trio.core.items import Duplicate, NoSound, NoSuchItem, turn_of
from voice_trio.core.messages import Why
from voice_trio.session.conversation import Conversation

ItemCommand = m.AddItem | m.ReadItem | m.DeleteItem | m.CutItem


def follow(command: ItemCommand, conversation: Conversation, over: int) -> m.Aside:
    """Do what ``command`` asks in ``conversation``, whose turns up to ``over`` are; return what says so."""
    key = command.item.id if isinstance(command, m.AddItem) else command.item
    try:
        match command:
            case m.AddItem(item=item, after=after):
                # The ids of turns to come are taken, and those of one under way, except of what was deleted of it.
                if (turn_of(key) or 0) > over and not conversation.was_deleted(key):
                    raise Duplicate(key)
                return conversation.add(item, after)
            case m.ReadItem():
                return m.ItemRead(item=conversation[key], written=conversation.is_written(key))
            case m.DeleteItem():
                conversation.delete(key)
                return m.ItemDeleted(item=key)
            case m.CutItem(samples=samples):
                return m.ItemCut(item=conversation.cut(key, samples), samples=samples)
    except NoSuchItem as error:
        return declined(command, Why.NO_SUCH_ITEM, f"There is no item {error}.", item=str(error))
    except Duplicate:
        return declined(command, Why.DUPLICATE, f"There is an item {key} already.", item=key)
    except NoSound:
        return declined(command, Why.NO_SOUND, f"Item {key} is no reply that was spoken.", item=key)


def declined(command: m.Command, why: Why, message: str, *, item: str | None = None) -> m.Declined:
    """Return what says that ``command`` was not followed."""
    return m.Declined(command=command.name, why=why, message=message, item=item)
