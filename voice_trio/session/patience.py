"""How long a turn waits for its model."""

from __future__ import annotations

from math import inf

import trio

from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import Alive, EngineError, Finish, ReplyEvent, Stream, TextDelta, ToolCall


class Patience:
    """The time spent waiting for the model, held against its limits.

    Time that the model is made to wait, because the listener has not caught up, is not in it. A wait that begins
    after a sign of life is no wait for the next token: it is held against the limit for these, and against no other.
    """

    def __init__(self, token_s: float, total_s: float, reasoning_s: float) -> None:
        """``token_s`` bounds each wait for anything, ``total_s`` the sum of those for text.

        ``reasoning_s`` bounds the sum of those in which the model only shows that it works.
        """
        self.signs: set[str] = set()
        """How it did: see `Alive`."""
        self._token_s = token_s
        self._left_s = total_s
        self._reasoning_left_s = reasoning_s
        self._reasons = False
        self._since_event_s = 0.0

    def begin_anew(self) -> None:
        """The next wait is for the first of another answer; what was spent of the sums is."""
        self._reasons = False
        self._since_event_s = 0.0

    async def receive(self, stream: Stream, gap_s: float = inf) -> TextDelta | ToolCall | Finish | None:
        """Return what comes next; None when there is no text for ``gap_s``. Raises `EngineError` (LLM_TIMEOUT)."""
        gap_left_s = gap_s
        while True:
            began_at = trio.current_time()
            event = await self._receive(stream, gap_left_s)
            if isinstance(event, Alive):
                self.signs.add(event.at)
            else:
                return event
            gap_left_s = max(0.0, gap_left_s - (trio.current_time() - began_at))

    async def _receive(self, stream: Stream, gap_s: float) -> ReplyEvent | None:
        # An event that was there already when its limit passed is taken all the same, and leaves less than nothing.
        left_s = self._reasoning_left_s if self._reasons else self._left_s
        limit_s = max(0.0, min(self._token_s - self._since_event_s, left_s))
        began_at = trio.current_time()
        event = None
        with trio.move_on_after(min(gap_s, limit_s)):
            event = await stream.receive()
        waited_s = trio.current_time() - began_at
        if self._reasons:
            self._reasoning_left_s -= waited_s
        else:
            self._left_s -= waited_s
        if event is None:
            self._since_event_s += waited_s
            if limit_s <= gap_s:
                raise EngineError(ErrorCode.LLM_TIMEOUT, "The language model did not answer in time.")
            return None
        self._since_event_s = 0.0
        self._reasons = isinstance(event, Alive | ToolCall)
        return event
