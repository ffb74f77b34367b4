"""The turn's mind: a prompt in, tokens and phrases out, under time limits that count only the waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import inf

import trio

from voice_trio.config import PHRASE_GAP_MS
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.core.phrases import Phrase, PhraseAggregator
from voice_trio.core.surrogates import Mender
from voice_trio.engines.base import Finish, LanguageModel, TextDelta, TurnError

_PHRASE_GAP_S = PHRASE_GAP_MS / 1000


async def write(
    prompt: Sequence[Message],
    model: LanguageModel,
    phrases: trio.MemorySendChannel[Phrase],
    *,
    token_timeout_s: float,
    timeout_s: float,
    emit_token: Callable[[str], Awaitable[None]],
) -> None:
    """Write the reply to ``prompt``: every token to ``emit_token``, its phrases to ``phrases``, which is then closed.

    ``token_timeout_s`` bounds the wait for each token, ``timeout_s`` the sum of these waits. Raises `TurnError`
    (LLM_FAIL, LLM_TIMEOUT).
    """
    aggregator, mender = PhraseAggregator(), Mender()
    patience = _Patience(token_timeout_s, timeout_s)
    # A wait for a token is abandoned where a gap ends a phrase, and an iterator that is cancelled in mid-step is broken
    # for good. So a task of its own steps it, and only the wait on a channel is abandoned.
    send, tokens = trio.open_memory_channel[TextDelta | Finish](0)
    async with phrases:
        async with send, tokens, trio.open_nursery() as nursery:
            nursery.start_soon(_pull, model, prompt, send)
            gap_s = inf
            while True:
                match await patience.receive(tokens, gap_s):
                    case TextDelta(text):
                        whole = mender.push(text)
                        if whole:
                            await emit_token(whole)
                        ready = aggregator.push(whole)
                        gap_s = _PHRASE_GAP_S
                    case Finish():
                        break
                    case None:
                        ready = aggregator.flush()
                        gap_s = inf
                for phrase in ready:
                    await phrases.send(phrase)
            nursery.cancel_scope.cancel()
        for phrase in aggregator.finish():
            await phrases.send(phrase)


async def _pull(
    model: LanguageModel, prompt: Sequence[Message], send: trio.MemorySendChannel[TextDelta | Finish]
) -> None:
    async with model.stream(prompt) as events:
        async for event in events:
            await send.send(event)
            if isinstance(event, Finish):
                return
    raise TurnError(ErrorCode.LLM_FAIL, "The reply broke off before its end.")


class _Patience:
    """The time spent waiting for the model, held against its limits.

    Time that the model is made to wait, because the listener has not caught up, is not in it.
    """

    def __init__(self, token_s: float, total_s: float) -> None:
        self._token_s = token_s
        self._left_s = total_s
        self._since_token_s = 0.0

    async def receive(
        self, tokens: trio.MemoryReceiveChannel[TextDelta | Finish], gap_s: float
    ) -> TextDelta | Finish | None:
        """Return the next event; None when there is none for ``gap_s``. Raises `TurnError` (LLM_TIMEOUT)."""
        # A token that was there already when its limit passed is taken all the same, and leaves less than nothing.
        limit_s = max(0.0, min(self._token_s - self._since_token_s, self._left_s))
        began_at = trio.current_time()
        event = None
        with trio.move_on_after(min(gap_s, limit_s)):
            event = await tokens.receive()
        waited_s = trio.current_time() - began_at
        self._left_s -= waited_s
        self._since_token_s = 0.0 if event else self._since_token_s + waited_s
        if event is None and limit_s <= gap_s:
            raise TurnError(ErrorCode.LLM_TIMEOUT, "The language model did not answer in time.")
        return event
