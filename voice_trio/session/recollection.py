"""What a turn knows of those before it, and what it leaves to those that come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog
import trio

from voice_trio.core import messages as m
from voice_trio.core.called import Called
from voice_trio.core.errors import Refused
from voice_trio.core.history import Record, left_of
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.memory.base import Store, StoreBusy, StoreError, StoreUnsure
from voice_trio.session.asked import Asked, Unasked
from voice_trio.session.report import report
from voice_trio.session.surroundings import Surroundings

log = structlog.get_logger()

_RECALL_LIMIT_S = 5.0
_COMMIT_LIMIT_S = 5.0
"""How long the store may take, whatever limits of its own it has."""

_CLAIM_RETRY_S = 2
"""A session whose network is gone holds its conversation until that is noticed, which may take some of these."""


async def recall(around: Surroundings, conversation: str) -> Sequence[Record]:
    """Return what is remembered of ``conversation``, which is the session's from now on.

    Raises `Refused` where there is none, or where it is another session's, and what the store raises.
    """
    had, known = around.claims.has(conversation, around.session), False
    try:
        with trio.move_on_after(_RECALL_LIMIT_S) as limit:
            # Claimed first: what is read before might not be the end of it any more.
            if not await around.claims.claim(conversation, around.session):
                message = "Another session is using this conversation."
                raise Refused(ErrorCode.PROTOCOL_VIOLATION, message, retry_after_s=_CLAIM_RETRY_S)
            records = await around.store.recall(conversation)
            known = records is not None
    finally:
        if not had and not known:
            around.claims.give_back(conversation, around.session)
    if limit.cancelled_caught:
        raise StoreBusy(f"the store did not recall within {_RECALL_LIMIT_S:g} seconds")
    if records is None:
        raise Refused(ErrorCode.PROTOCOL_VIOLATION, "There is no such conversation here; leave the field out.")
    around.wishes.claimed(conversation)
    return records


async def try_claim(around: Surroundings, conversation: str) -> bool:
    """Return whether ``conversation`` is the session's from now on; False, too, where the store cannot tell."""
    try:
        with trio.move_on_after(_RECALL_LIMIT_S):
            return await around.claims.claim(conversation, around.session)
        reason = f"the store did not answer within {_RECALL_LIMIT_S:g} seconds"
    except StoreError as error:
        reason = str(error)
    log.warning("a conversation cannot be claimed for now", session_id=around.session, reason=reason)
    return False


def record_of(
    around: Surroundings, asked: Asked, outcome: Outcome, said: str, reply: str, heard: int, calls: Sequence[Called]
) -> Record:
    """Return what there is to remember of a turn in which that was ``said``, and ``heard`` of the ``reply``.

    Where nothing was said in it, it is what was written for it to answer, and was answered.
    """
    answers = isinstance(asked.request, m.Respond) and not (isinstance(asked.request, Unasked) and asked.request.words)
    if answers and (heard or calls or outcome is Outcome.COMPLETED):
        said = asked.conversation.written(asked.number)
    return Record(
        conversation=asked.conversation.name,
        session=around.session,
        turn=asked.number,
        said=said,
        reply=reply,
        heard=heard,
        outcome=outcome,
        ended_at=around.wall_clock(),
        calls=tuple(calls),
        origin=asked.origin,
    )


async def remember(around: Surroundings, asked: Asked, record: Record) -> bool | None:
    """Commit a turn's ``record``, if there is anything to remember; return whether it is kept, None if nobody knows."""
    out_of_band = isinstance(asked.request, m.Respond) and asked.request.out_of_band
    if out_of_band or not left_of(record):
        return False
    failure = await _write(around.store.commit, record)
    if failure is None:
        asked.conversation.keep(record)
        return True
    around.outbox.append(report(failure, session=around.session, turn=asked.number))
    if isinstance(failure, StoreUnsure):
        asked.conversation.doubt(record)
        return None
    return False


async def amend(store: Store, record: Record) -> Exception | None:
    """Have ``store`` cut what it keeps to ``record``; return why it does not."""
    return await _write(store.amend, record)


async def _write(write: Callable[[Record], Awaitable[None]], record: Record) -> Exception | None:
    # What was said is remembered even if the session is being cancelled around us, but not at any price.
    with trio.move_on_after(_COMMIT_LIMIT_S, shield=True):
        try:
            await write(record)
        except Exception as error:
            # Whatever it was, the turn has an end to come to.
            return error
        return None
    return StoreBusy(f"the store did not write within {_COMMIT_LIMIT_S:g} seconds")
