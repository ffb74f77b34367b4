"""A connection of OpenAI's Realtime API, from the server's side.

`asking` has what a client may ask, and `telling` what it is told; each is a table, of which this is the frame.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from voice_trio.core import messages as m
from voice_trio.session.farewell import Farewell
from voice_trio.wire.codec import CLOSE_CODES
from voice_trio.wire.realtime.asking import Asking
from voice_trio.wire.realtime.configuration import Configuration, Offered
from voice_trio.wire.realtime.exchange import Exchange
from voice_trio.wire.realtime.telling import Telling

MAX_MESSAGE_BYTES: Final = 21_000_000
"""The longest message of a client: 15 MiB of audio in base64, and what stands around it."""

_INVALID_KEY: Final = 3000


class RealtimeCodec:
    """One connection. It remembers what the client configured and waits for, and what is open of each response."""

    def __init__(self, offered: Offered, wanted: Configuration, *, expires_at: int) -> None:
        """The session begins with ``wanted``, and is over ``expires_at``, in seconds since 1970, at the latest."""
        self._exchange = Exchange(offered, wanted, expires_at)
        self._asking = Asking(self._exchange, self._answer)
        self._telling = Telling(self._exchange)

    def decode(self, data: str | bytes) -> Sequence[m.Command]:
        """Return what the client asks with one message. What is wrong with it is answered, and ends nothing."""
        return self._asking.commands(data)

    def encode(self, event: m.Event) -> Sequence[str | bytes]:
        """Return the messages that say ``event``."""
        if isinstance(event, m.Answered):
            return [event.body]
        return [self._spelled(told) for told in self._telling.events(event)]

    def close_code(self, farewell: Farewell) -> int:
        """Return the number that a WebSocket is closed with."""
        return _INVALID_KEY if farewell is Farewell.UNAUTHORIZED else CLOSE_CODES[farewell]

    def _answer(self, event: dict[str, Any]) -> m.Answer:
        """Return what has ``event`` said in its place; it is spelled now, and once."""
        return m.Answer(body=self._spelled(event))

    def _spelled(self, event: dict[str, Any]) -> str:
        return json.dumps(self._exchange.stamped(event), ensure_ascii=False, separators=(",", ":"))
