"""A turn's record as the columns of a row, in whatever database."""

from __future__ import annotations

from voice_trio.core.called import read_calls, spelled
from voice_trio.core.history import Record
from voice_trio.core.messages import Origin, Outcome
from voice_trio.memory.base import StoreError

RECORD = "conversation, session, turn, said, reply, heard, outcome, ended_at, calls, origin"
"""What a turn's record is made of."""

Row = tuple[str, str, int, str, str, int, str, float, str, str]


def row_of(record: Record) -> Row:
    """Return what a row holds of ``record``, its columns in the order of `RECORD`."""
    return (
        record.conversation,
        record.session,
        record.turn,
        storable(record.said),
        storable(record.reply),
        record.heard,
        str(record.outcome),
        record.ended_at,
        storable(spelled(record.calls)),
        record.origin or "",
    )


def storable(text: str) -> str:
    """Return ``text`` with a mark for each lone surrogate, which UTF-8 has no bytes for; its length stays the same."""
    return text.encode(errors="replace").decode()


def record_of(
    conversation: str,
    session: str,
    turn: int,
    said: str,
    reply: str,
    heard: int,
    outcome: str,
    ended_at: float,
    calls: str,
    origin: str,
) -> Record:
    """Return what a row holds, its columns in this order; raises `StoreError` for one that is damaged."""
    try:
        if not all(isinstance(text, str) for text in (said, reply, calls)) or not isinstance(heard, int):
            raise ValueError("another type")
        return Record(
            conversation=conversation,
            session=session,
            turn=turn,
            said=said,
            reply=reply,
            heard=heard,
            outcome=Outcome(outcome),
            ended_at=ended_at,
            calls=read_calls(calls),
            origin=Origin(origin) if origin else None,
        )
    except (ValueError, RecursionError):
        raise StoreError(f"turn {turn!r} of session {session!r} is damaged in the database") from None
