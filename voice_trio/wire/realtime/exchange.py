"""What both directions of one connection know: what the client wants, what it waits for, and what its items are."""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from voice_trio.core.items import Item
from voice_trio.core.messages import Info
from voice_trio.wire.realtime import items
from voice_trio.wire.realtime.configuration import Configuration, Json, Offered
from voice_trio.wire.realtime.items import Order
from voice_trio.wire.realtime.shown import Shown
from voice_trio.wire.realtime.writing import Content


@dataclass(frozen=True, slots=True)
class Asked:
    """One client event that the session is to answer."""

    about: str | None
    """Its id, if the client gave it one."""
    wanted: Configuration | None = None
    """What the response is to be, that it asks for."""
    metadata: Json | None = None
    out_of_band: bool = False
    audio_end_ms: int = 0
    content: Content | None = None
    """What of an item is more than its words."""


@dataclass(slots=True)
class Spoken:
    """What is known of a reply's item beyond its words."""

    spoken: bool
    """Whether it was said, and not only written."""
    status: str = "in_progress"
    sample_rate: int | None = None
    """Of its sound as the session counts it; None where there was none yet."""

    def told(self, item: Item) -> Json:
        """Return ``item``, the reply's, as it is told."""
        return items.told(item, spoken=self.spoken, status=self.status)


@dataclass(slots=True)
class Exchange:
    """One connection's. Nobody else knows of it."""

    offered: Offered
    wanted: Configuration
    expires_at: int
    """Seconds since 1970."""
    session: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    """What the client knows it by. It is not the session's own id, which a client that writes first could miss."""
    order: Order = field(default_factory=Order)
    replies: dict[str, Spoken] = field(default_factory=dict)
    """Item -> what is known of it."""
    shown: Shown = field(default_factory=Shown)
    responses: dict[str, int] = field(default_factory=dict)
    """Those that are under way, and the turns that make them."""
    dropped_ms: float = 0.0
    """How long the sound is that was appended and not handed on."""
    _pending: defaultdict[str, deque[Asked]] = field(default_factory=lambda: defaultdict(deque))
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def ask(self, command: str, asked: Asked) -> None:
        """The session was asked to do the command of that name."""
        self._pending[command].append(asked)

    def answered(self, command: str) -> Asked:
        """Return what the session answers now, of all that asked for the command of that name the first."""
        waiting = self._pending[command]
        return waiting.popleft() if waiting else Asked(None)

    def new_id(self, kind: str) -> str:
        """Return an id that was never used; ``kind`` begins it."""
        return f"{kind}_{next(self._numbers):06}"

    def new_item_id(self) -> str:
        """Return the same for an item, which no client can have thought of."""
        return f"item_{secrets.token_hex(10)}"

    def stamped(self, event: Json) -> Json:
        """Return the server event ``event`` with an id of its own."""
        return {"type": event["type"], "event_id": self.new_id("event"), **event}

    def renew(self, news: Info) -> None:
        """There are other engines now, as ``news`` has it."""
        self.offered = replace(
            self.offered,
            model=news.llm or self.offered.model,
            voices=self.offered.voices if news.voices is None else news.voices,
            languages=self.offered.languages if news.languages is None else news.languages,
        )

    def told_session(self) -> dict[str, Any]:
        """Return the session object."""
        return self.wanted.told(self.offered, session=f"sess_{self.session}", expires_at=self.expires_at)
