"""How a session says goodbye, by name, and what a client is told when it is brought to an end.

What number a name has on a socket, if it has one there, is the codec's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from voice_trio.core.messages import DrainCode, InfoCode


class Farewell(Enum):
    """Why a link is closed."""

    NORMAL = "normal"
    SERVER_STOPPING = "server stopping"
    IDLE = "idle"
    SESSION_LIMIT = "session limit"
    PLACE_NEEDED = "place needed"
    """The session makes way for another client's."""
    NO_ROOM = "no room"
    """There was no place for a session from the first."""
    UNAUTHORIZED = "unauthorized"
    WRONG_STATE = "wrong state"
    """Too many messages that were not possible in their state."""
    SLOW_READER = "slow reader"
    """The client does not take what it is sent."""
    FLOOD = "flood"
    """More came than a person can have said."""
    UNSUPPORTED = "unsupported"
    """A message of a kind that is not known."""
    BAD_DATA = "bad data"
    """A message of a known kind, spelled wrongly, or of no kind at all."""
    TOO_LARGE = "too large"
    INTERNAL = "internal"
    TAKEN_OVER = "taken over"
    """The session goes on, over another connection."""


class Goodbye(NamedTuple):
    """The farewell, and a few words about it for the client's developer."""

    farewell: Farewell
    reason: str = ""


class Drained(NamedTuple):
    """What a client is told of a session that is brought to an end."""

    message: str
    goodbye: Goodbye


DRAINED: Mapping[DrainCode, Drained] = {
    InfoCode.SHUTTING_DOWN: Drained(
        "The server is stopping.", Goodbye(Farewell.SERVER_STOPPING, "the server is stopping")
    ),
    InfoCode.IDLE_TIMEOUT: Drained("Nothing was said for a long time.", Goodbye(Farewell.IDLE, InfoCode.IDLE_TIMEOUT)),
    InfoCode.SESSION_LIMIT: Drained(
        "The session has reached its longest time.", Goodbye(Farewell.SESSION_LIMIT, InfoCode.SESSION_LIMIT)
    ),
    InfoCode.PLACE_NEEDED: Drained(
        "The server is full, and your address has most of its places: this one is needed for somebody else.",
        Goodbye(Farewell.PLACE_NEEDED, InfoCode.PLACE_NEEDED),
    ),
}
