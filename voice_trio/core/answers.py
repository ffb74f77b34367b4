"""What a session says to clients to whom utterances, replies and items are things of their own.

Wires that have no such things leave all of it unsaid. None of it is of a turn, so it goes out even if its turn is cut
off: an item that was added stays. A turn's number names what it says and its reply.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice_trio.core.codes import ErrorCode, Why
from voice_trio.core.items import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """Somebody began to speak, and turn ``utterance`` hears them."""

    utterance: int
    sample: int
    """The session's, counted from the first that the client ever sent, at 16 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped:
    """They have finished. The item follows."""

    utterance: int
    sample: int
    """Just before it they were last heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodySpoke:
    """Nobody has for as long as the client wanted to wait, and turn ``reply`` says something to that."""

    reply: int
    from_sample: int
    """The session's, when the latest reply had been heard."""
    to_sample: int
    """The one that comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyAccepted:
    """A `Respond` is turn ``reply``, which is announced when those before it are over."""

    reply: int
    beside: bool = False
    """Whether it runs beside all others, and is announced at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliesCancelled:
    """A `CancelReply` was followed; the turns that it ends are over later. Where there was none, an `Info` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAdded:
    """There is an item more: one that the client added, or what was said in a turn, its reply, or a use of a tool.

    What was said has no text yet where it was spoken, and nor has a reply: `Final` and `Token` have it.
    """

    item: Item
    after: str | None
    """Id of the item before it; None where it is the first."""
    by_client: bool = False
    """Whether it is what the client added; its id may be like one of a turn's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemHeard:
    """An item that the client added as sound has its words; empty where there were none, or recognition failed."""

    item: str
    text: str
    code: ErrorCode | None = None
    """What went wrong, if anything did; ``message`` says it in words."""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRead:
    """What an item is by now."""

    item: Item
    written: bool = False
    """Whether it is a person's words that the client added, and not what was said in a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDeleted:
    """An item is no more."""

    item: str
    by_client: bool = True
    """Whether the client asked for that; else the person has, aloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCut:
    """A reply was cut, and is now this."""

    item: Item
    samples: int
    """As it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was gathered is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """A command was not followed."""

    command: str
    """Its name."""
    why: Why
    message: str
    item: str | None = None
    """The id that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the codec wanted to be said."""

    body: str


Aside = (
    SpeechStarted
    | SpeechStopped
    | NobodySpoke
    | ReplyAccepted
    | RepliesCancelled
    | ItemAdded
    | ItemHeard
    | ItemRead
    | ItemDeleted
    | ItemCut
    | Cleared
    | Declined
    | Answered
)
