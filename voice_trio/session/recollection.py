"""What a turn knows of those before it, and what it leaves to those that come."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from voice_trio.core.errors import Refused
from voice_trio.core.history import Record
from voice_trio.core.messages import ErrorCode
from voice_trio.memory.base import Store, StoreBusy
from voice_trio.session.surroundings import Surroundings

_RECALL_LIMIT_S = 5.0
_COMMIT_LIMIT_S = 5.0
"""How long the store may take, whatever limits of its own it has."""

_CLAIM_RETRY_S = 2
"""A session whose network is gone holds its conversation until that is noticed, which may take some of these."""


async def recall(around: Surroundings, conversation: str) -> Sequence[Record]:
    """Return what is remembered of ``conversation``, which is the session's from now on.

    Raises `Refused` where there is none, or where it is another session's, and what the store raises.
    """
    with trio.move_on_after(_RECALL_LIMIT_S) as limit:
        records = await around.store.recall(conversation)
    if limit.cancelled_caught:
        raise StoreBusy(f"the store did not recall within {_RECALL_LIMIT_S:g} seconds")
    if records is None:
        raise Refused(ErrorCode.PROTOCOL_VIOLATION, "There is no such conversation here; leave the field out.")
    if not around.claims.claim(conversation, around.session):
        message = "Another session is using this conversation."
        raise Refused(ErrorCode.PROTOCOL_VIOLATION, message, retry_after_s=_CLAIM_RETRY_S)
    return records


async def commit(store: Store, record: Record) -> Exception | None:
    """Have ``store`` keep ``record``; return why it does not."""
    # What was said is remembered even if the session is being cancelled around us, but not at any price.
    with trio.move_on_after(_COMMIT_LIMIT_S, shield=True):
        try:
            await store.commit(record)
        except Exception as error:
            # Whatever it was, the turn has an end to come to.
            return error
        return None
    return StoreBusy(f"the store did not commit within {_COMMIT_LIMIT_S:g} seconds")
