"""What is remembered of a turn, and how a conversation's items become a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from voice_trio.core.called import UNANSWERED, Called
from voice_trio.core.items import Item, ToolOutput, ToolUse, Words, own_result_id, own_use_id, reply_id, said_id
from voice_trio.core.messages import Origin, Outcome

CUT_OFF = " [cut off by the person]"
"""Ends a reply that was not heard to its end, so that the model knows what was not said."""

_NOTHING = "Nobody has said anything yet."
"""The whole prompt where there is nothing else: language models take none that is empty."""

_CHARS_PER_TOKEN = 4
"""A cautious average for European languages; an exact count would need each model's own tokenizer."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolUse, ...] = ()
    """What an assistant asks tools for."""
    answers: str = ""
    """Which call a tool answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One turn as it is remembered: what the person said, what they heard, how it ended."""

    conversation: str
    session: str
    turn: int
    said: str
    """The person's words; empty where no final transcript was reached, or nothing was said."""
    reply: str
    """The whole reply, as far as it was written."""
    heard: int
    """Code points of ``reply`` that the person heard."""
    outcome: Outcome
    ended_at: float
    """Seconds since 1970, UTC."""
    calls: tuple[Called, ...] = ()
    """Of the server's tools, in their order: also those of a turn that came to nothing else."""
    origin: Origin | None = None
    """Why the server began the turn, where nobody asked for it."""


def is_shorter(record: Record, than: Record) -> bool:
    """Return whether ``record`` is ``than``, cut to a part of it: its reply, its calls, or what was said."""
    same = (record.conversation, record.session, record.turn) == (than.conversation, than.session, than.turn)
    parts = record.said in ("", than.said) and record.calls in ((), than.calls)
    return same and parts and than.reply.startswith(record.reply) and record.heard <= than.heard


def left_of(record: Record) -> bool:
    """Return whether anything is."""
    return bool(record.said or record.reply or record.calls)


def recalled(record: Record, under: str = "") -> Iterator[Item]:
    """Yield the items that are left of a turn, under its ids, or under those that begin with ``under``.

    Of a completed turn that is all of it; of a cut-off one the reply as far as it was heard, and without a sound what
    was said, but nothing of one that the person cancelled; of one that failed, the person's words. What tools did is
    left of each, and so are the words that asked for it.
    """
    turn, calls = record.turn, record.calls
    heard = record.reply[: record.heard].rstrip()
    withdrawn = record.outcome is Outcome.CANCELLED and not heard and not calls
    if record.said and not withdrawn and record.outcome is not Outcome.EMPTY:
        yield Words(id=f"{under}said" if under else said_id(turn), by="person", text=record.said)
    for number, called in enumerate(calls):
        use = f"{under}use_{number}" if under else own_use_id(turn, number)
        result = f"{under}result_{number}" if under else own_result_id(turn, number)
        yield ToolUse(id=use, call=use, name=called.name, arguments=called.arguments)
        yield ToolOutput(id=result, call=use, output=called.result or UNANSWERED)
    reply = f"{under}reply" if under else reply_id(turn)
    match record.outcome:
        case Outcome.COMPLETED if record.reply:
            yield Words(id=reply, by="assistant", text=record.reply)
        case Outcome.CANCELLED | Outcome.INTERRUPTED if heard:
            yield Words(id=reply, by="assistant", text=record.reply, heard=record.heard)


REMEMBERED: Final = "remembered_"
"""Begins the id of each item of a turn that is none of the session's own."""


def remembered(records: Iterable[Record]) -> Iterator[Item]:
    """Yield the items that are left of all ``records`` (oldest first), under ids of their own."""
    for number, record in enumerate(records):
        yield from recalled(record, f"{REMEMBERED}{number}_")


def prompt(items: Iterable[Item], *, system: str, budget_tokens: int) -> list[Message]:
    """Return the messages that ask for a reply to ``items``.

    A reply that was cut off goes in as far as it was heard, marked as cut off; a tool's answer goes behind its call,
    and a call that was not answered stays out. Where that exceeds ``budget_tokens``, the oldest exchanges stay out;
    the system prompt, the conversation's own system items and what was said last always go in.
    """
    exchanges = [*_exchanges(_in_order([*items]))]
    fixed = [Message("system", system)] if system else []
    last = exchanges.pop() if exchanges else []
    said_by_system = [message for exchange in exchanges for message in exchange if message.role == "system"]
    left = budget_tokens - sum(map(_tokens, (*fixed, *said_by_system, *last)))
    room = 0
    for at, exchange in reversed([*enumerate(exchanges, start=1)]):
        left -= sum(_tokens(message) for message in exchange if message.role != "system")
        if left < 0:
            room = at
            break
    kept = [
        message
        for at, exchange in enumerate(exchanges)
        for message in exchange
        if at >= room or message.role == "system"
    ]
    return [*fixed, *kept, *last] or [Message("system", _NOTHING)]


def _exchanges(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yield what was said by turns: each begins with a person's words, but the first, which may not."""
    exchange: list[Message] = []
    for message in messages:
        if message.role == "user" and exchange:
            yield exchange
            exchange = []
        exchange.append(message)
    if exchange:
        yield exchange


def _in_order(items: Sequence[Item]) -> Iterator[Message]:
    """Yield ``items`` as messages, in an order that language models take: an answer right behind its call."""
    outputs = {item.call: item for item in items if isinstance(item, ToolOutput)}
    uses = {item.call for item in items if isinstance(item, ToolUse)}
    calls: list[ToolUse] = []
    for item in items:
        match item:
            case ToolUse(call=call) if call in outputs:
                calls.append(item)
                continue
            case ToolUse():
                continue
            case ToolOutput(call=call) if call in uses:
                continue
        yield from _answered(calls, outputs)
        calls = []
        if isinstance(item, ToolOutput):
            yield Message("system", f"A tool answered: {item.output}")
        elif isinstance(item, Words):
            yield from _worded(item)
    yield from _answered(calls, outputs)


def _answered(calls: Sequence[ToolUse], outputs: dict[str, ToolOutput]) -> Iterator[Message]:
    if calls:
        yield Message("assistant", "", calls=tuple(calls))
    for use in calls:
        yield Message("tool", outputs[use.call].output, answers=use.call)


def _worded(words: Words) -> Iterator[Message]:
    text = words.text or ""
    if words.by == "assistant" and words.heard is not None:
        heard = text[: words.heard].rstrip()
        text = heard and heard + CUT_OFF
    if text:
        yield Message("user" if words.by == "person" else words.by, text)


def _tokens(message: Message) -> int:
    chars = len(message.content) + sum(len(use.name) + len(use.arguments) for use in message.calls)
    return chars // _CHARS_PER_TOKEN + 4
