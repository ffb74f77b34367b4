"""How a session says goodbye, and what a client is told when it is brought to an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from voice_trio.core.messages import DrainCode, InfoCode
from voice_trio.core.wire import CloseCode


@dataclass(frozen=True, slots=True)
class Farewell:
    """How a session says goodbye."""

    close_code: int
    reason: str


class Drained(NamedTuple):
    """What a client is told of a session that is brought to an end."""

    message: str
    farewell: Farewell


DRAINED: Mapping[DrainCode, Drained] = {
    InfoCode.SHUTTING_DOWN: Drained(
        "The server is stopping.", Farewell(CloseCode.GOING_AWAY, "the server is stopping")
    ),
    InfoCode.IDLE_TIMEOUT: Drained(
        "Nothing was said for a long time.", Farewell(CloseCode.NORMAL, InfoCode.IDLE_TIMEOUT)
    ),
    InfoCode.SESSION_LIMIT: Drained(
        "The session has reached its longest time.", Farewell(CloseCode.NORMAL, InfoCode.SESSION_LIMIT)
    ),
    InfoCode.PLACE_NEEDED: Drained(
        "The server is full, and your address has most of its places: this one is needed for somebody else.",
        Farewell(CloseCode.TRY_AGAIN_LATER, InfoCode.PLACE_NEEDED),
    ),
}
