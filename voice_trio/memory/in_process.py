"""A store that lasts as long as the process."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence

import trio

from voice_trio.core.history import Record, is_shorter
from voice_trio.memory.base import RECALLED_RECORDS
from voice_trio.memory.ids import KEY_BYTES, Issuer
from voice_trio.skills.alerts_kept import InProcessAlerts


class InProcessStore:
    """Keeps the latest ``max_conversations`` conversations, of each the latest turns."""

    def __init__(self, *, max_conversations: int = 10_000) -> None:
        self._issuer = Issuer(secrets.token_bytes(KEY_BYTES))
        self.kept: OrderedDict[str, list[Record]] = OrderedDict()
        """Conversation -> its turns, of which there is one at least."""
        self.alerts = InProcessAlerts()
        """Those of its conversations, and of others that have no turns yet."""
        self._max_conversations = max_conversations

    async def begin(self) -> str:
        """Return the id of a new conversation."""
        await trio.lowlevel.checkpoint()
        return self._issuer.issue()

    async def recall(self, conversation: str) -> Sequence[Record] | None:
        """Return the conversation's records, oldest first; None where it is not known."""
        await trio.lowlevel.checkpoint()
        return tuple(self.kept.get(conversation, ())) if self._issuer.knows(conversation) else None

    async def commit(self, record: Record) -> None:
        """Keep ``record``; one of a conversation that was dropped begins it anew."""
        await trio.lowlevel.checkpoint()
        records = self.kept.setdefault(record.conversation, [])
        records.append(record)
        del records[:-RECALLED_RECORDS]
        self.kept.move_to_end(record.conversation)
        while len(self.kept) > self._max_conversations:
            self.kept.popitem(last=False)

    async def amend(self, record: Record) -> None:
        """Have ``record`` in the place of the one that it is a part of."""
        await trio.lowlevel.checkpoint()
        records = self.kept.get(record.conversation, [])
        for at, kept in enumerate(records):
            if is_shorter(record, kept):
                records[at] = record

    async def prune(self, before: float) -> int:
        """Delete what ended before ``before``, and the alerts that were due by then."""
        await trio.lowlevel.checkpoint()
        self.alerts.prune(before)
        pruned = 0
        for conversation, records in [*self.kept.items()]:
            kept = [record for record in records if record.ended_at >= before]
            pruned += len(records) - len(kept)
            if kept:
                self.kept[conversation] = kept
            else:
                del self.kept[conversation]
        return pruned
