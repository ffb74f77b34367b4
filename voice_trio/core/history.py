"""What is remembered of a turn, and what of it goes into the next prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voice_trio.core.messages import Outcome

CUT_OFF = " [cut off by the person]"
"""Ends a remembered reply that was not heard to its end, so that the model knows what was not said."""

_CHARS_PER_TOKEN = 4
"""A cautious average for European languages; an exact count would need each model's own tokenizer."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One turn as it is remembered: what the person said, what they heard, how it ended."""

    conversation: str
    session: str
    turn: int
    said: str
    """The person's words; empty where no final transcript was reached."""
    reply: str
    """The whole reply, as far as it was written."""
    heard: int
    """Code points of ``reply`` that the person heard."""
    outcome: Outcome
    ended_at: float
    """Seconds since 1970, UTC."""


def prompt(records: Sequence[Record], said: str, *, system: str, budget_tokens: int) -> list[Message]:
    """Return the messages that ask for a reply to ``said`` after ``records`` (oldest first).

    A completed turn goes in whole; a cut-off one as far as it was heard, marked as cut off; of one cancelled before a
    sound, nothing; of one that failed, the person's words without a reply. Where that exceeds ``budget_tokens``, the
    oldest turns stay out; the system prompt and ``said`` always go in.
    """
    fixed = [Message("system", system)] if system else []
    last = Message("user", said)
    left = budget_tokens - sum(_tokens(message) for message in (*fixed, last))
    kept: list[Message] = []
    for record in reversed(records):
        messages = _recalled(record)
        left -= sum(_tokens(message) for message in messages)
        if left < 0:
            break
        kept[:0] = messages
    return [*fixed, *kept, last]


def _recalled(record: Record) -> list[Message]:
    if not record.said:
        return []
    user = Message("user", record.said)
    match record.outcome:
        case Outcome.COMPLETED:
            return [user, Message("assistant", record.reply)] if record.reply else [user]
        case Outcome.CANCELLED | Outcome.INTERRUPTED:
            heard = record.reply[: record.heard].rstrip()
            return [user, Message("assistant", heard + CUT_OFF)] if heard else []
        case _:
            return [user]


def _tokens(message: Message) -> int:
    return len(message.content) // _CHARS_PER_TOKEN + 4
