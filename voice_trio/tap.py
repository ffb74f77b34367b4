"""The one place where something may stand between a session and its engines and store.

Whatever a session asks of them goes through the `Tap` that was given: it may note the call and its answer, change them,
let the call fail, or answer without asking anybody. Recording, replay, injected faults and the explorer are taps, so
that each of them says only what it is for. `tapped` has what can be asked, written down once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
S = TypeVar("S")
K = TypeVar("K")

Asked = Literal[
    "detect", "weigh", "open", "feed", "hypothesize", "anticipate", "settle", "stream", "receive", "use", "leave",
    "speak", "piece", "begin", "recall", "commit", "amend", "prune", "claim",
    "alerts", "put_alert", "remove_alerts",
]  # fmt: skip
"""What can be asked. ``weigh`` asks whether a pause is the end, ``use`` a tool;
``open``, ``stream`` and ``speak`` begin an utterance, a reply and a phrase; ``leave`` ends it."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One question of a session's. Each is itself and no other, so that a tap can keep what belongs to it."""

    asked: Asked
    arguments: Mapping[str, Any] = field(default_factory=dict)
    within: Call | None = None
    """The call that began the utterance, the reply or the phrase which this one is about."""


class Tap:
    """Stands between, and does nothing. What does something overrides what it needs."""

    async def call(self, call: Call, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to ``call``, which ``ask`` gets from whom it is meant for."""
        return await ask()

    def at_once(self, call: Call, ask: Callable[[], T]) -> T:
        """Do the same for what is answered without waiting: ``detect`` and ``feed``."""
        return ask()

    def left(self, begun: Call) -> None:
        """What ``begun`` began is over, however it ended; also where it did not get to begin."""


class Keeping(Tap, Generic[K]):
    """A tap that keeps something of each utterance, reply and phrase, from its beginning until it is left."""

    def __init__(self) -> None:
        self.kept: dict[Call, K] = {}
        """By the call that began it."""

    def of(self, call: Call) -> K:
        """Return what is kept of that which ``call`` is about."""
        assert call.within is not None
        return self.kept[call.within]

    def left(self, begun: Call) -> None:
        """Keep it no longer; there may be nothing, where its beginning failed."""
        self.kept.pop(begun, None)
