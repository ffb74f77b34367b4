"""A store that lasts as long as the process."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence

import trio

from voice_trio.core.history import Record, is_shorter
from voice_trio.memory.base import RECALLED_RECORDS
from voice_trio.memory.ids import KEY_BYTES, Issuer


class InProcessStore:
    """Keeps the latest ``max_conversations`` conversations, of each the latest turns."""

    def __init__(self, *, max_conversations: int = 10_000) -> None:
        self._issuer = Issuer(secrets.token_bytes(KEY_BYTES))
        self._conversations: OrderedDict[str, list[Record]] = OrderedDict()
        self._max_conversations = max_conversations

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        await trio.lowlevel.checkpoint()
        return self._issuer.issue()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records, oldest first; None where it is not known."""
        await trio.lowlevel.checkpoint()
        return tuple(self._conversations.get(conversation, ())) if self._issuer.knows(conversation) else None

    async def commit(self, record: Record) -> None:
        """Keep ``record``; one of a conversation that was dropped begins it anew."""
        await trio.lowlevel.checkpoint()
        records = self._conversations.setdefault(record.conversation, [])
        records.append(record)
        del records[:-RECALLED_RECORDS]
        self._conversations.move_to_end(record.conversation)
        while len(self._conversations) > self._max_conversations:
            self._conversations.popitem(last=False)

    async def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one that it is a part of."""
        await trio.lowlevel.checkpoint()
        records = self._conversations.get(record.conversation, [])
        for at, kept in enumerate(records):
            if is_shorter(record, kept):
                records[at] = record

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``."""
        await trio.lowlevel.checkpoint()
        pruned = 0
        for conversation, records in [*self._conversations.items()]:
            kept = [record for record in records if record.ended_at >= before]
            pruned += len(records) - len(kept)
            if kept:
                self._conversations[conversation] = kept
            else:
                del self._conversations[conversation]
        return pruned
