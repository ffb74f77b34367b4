"""How /ws is spelled where the session can go on over another connection."""

from __future__ import annotations

from collections.abc import Sequence

from voice_trio.core import messages as m
from voice_trio.wire.native import NativeCodec


class ResumableCodec(NativeCodec):
    """`NativeCodec`, but each message has a number, which texts bear.

    What says that it goes on has none: it is of the connection, and not of the session.
    """

    def __init__(self, since: int) -> None:
        """``since`` is the number of the last message that the client has; 0 for none."""
        super().__init__()
        self._seq = since

    def encode(self, event: m.Event) -> Sequence[str | bytes]:
        """Return the message that says ``event``, which may be none."""
        messages = super().encode(event)
        if not messages or (isinstance(event, m.SessionOpened) and event.resumed):
            return messages
        self._seq += 1
        (message,) = messages
        return messages if isinstance(message, bytes) else (f'{message[:-1]},"seq":{self._seq}}}',)
