"""Any OpenAI-compatible chat API as a language model, through the OpenAI SDK.

The time limits here are the transport's: to connect, and between two pieces of the answer. Those of the turn (first
token, gap, sum) are the session's.

One retry, after `_RETRY_S`, and only while nothing of the reply was received: for a connection that failed, which is
mostly a kept-alive one that the other side has closed meanwhile, and for an answer of 5xx. Not for a stall or a host
that does not take the connection, since the time for it is spent; not for 429, since a person does not wait as long as
a limit lasts; not for a refusal, since the answer would be the same.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from math import inf

import outcome
import trio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.core.model_lists import ModelList, read_models
from voice_trio.core.unpacking import CannotUnpack, Unpacker
from voice_trio.engines.base import Alive, EngineError, Finish, Prompt, ReplyEvent, Stream, TextDelta, broken_off
from voice_trio.engines.openai_chat.client import (
    OPENAI_MODEL,
    Upstream,
    distrusted,
    is_configured,
    open_upstream,
)
from voice_trio.engines.openai_chat.pieces import drain, faults, next_of, pieces_of
from voice_trio.engines.openai_chat.reply import Place, ReplyReader
from voice_trio.engines.openai_chat.request import request_of
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind
from voice_trio.waiting import alongside

_RETRY_S = 0.2
_DRAIN_S = 0.5
"""Limit for what follows the last words: a connection read to its end is used again, which saves a handshake."""
_GOES_ON_S = 2.0
"""The same for a reply that may go on, since the server says with every piece that it ends there."""
_NO_LIST = frozenset({404, 405, 501})
"""What a server answers that has no list of models."""
_MAX_LIST_BYTES = 256 * 1024
"""Of a list of models. One of a thousand is half of it."""
_MAX_BODY_BYTES = 16_000_000
"""Of a reply's body, unpacked. A minute of thinking, spelled as wastefully as servers do, is a third of it."""


@asynccontextmanager
async def open_chat_model(settings: Settings, found: str = "") -> AsyncIterator[ChatModel]:
    """Open the model that ``settings`` name, with the one client that every session shares; closed at the end.

    ``found`` is what runs there, where it was found on this machine and not named. Raises `ConfigError`.
    """
    upstream = await trio.to_thread.run_sync(open_upstream, settings, found)
    async with upstream.client:
        yield ChatModel(upstream, settings)


class ChatModel:
    """A chat API as a language model."""

    synthetic = False

    def __init__(self, upstream: Upstream, settings: Settings) -> None:
        self.name = settings.llm_model or OPENAI_MODEL
        self.metered = upstream.metered
        self._upstream = upstream
        self._client = upstream.client
        self._place = Place(upstream.address, upstream.setting)
        self._goes_on_s = min(_GOES_ON_S, settings.llm_first_token_s / 2)
        self._thinks_first: bool | None = None
        """What the replies so far have shown of the model, which is the same for all."""

    async def models(self) -> ModelList | None:
        """Return what the server lists; None where it has no list that could be read. Raises `EngineError`."""
        import openai

        body = b""
        try:
            async with self._client.models.with_streaming_response.list() as response, pieces_of(response) as pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) > _MAX_LIST_BYTES:
                        return None
        except faults() as error:
            if isinstance(error, openai.APIStatusError) and error.status_code in _NO_LIST:
                return None
            raise self._failure(error) from None
        return read_models(body)

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin a reply to ``prompt``; leaving the context closes the connection that carries it."""
        send, events = trio.open_memory_channel[outcome.Maybe[ReplyEvent]](0)
        stream = _Pumped(events)
        async with alongside(partial(self._pump, prompt, send)):
            yield stream
            if stream.finished:
                # It leaves the connection to the next reply, for which it must not be cancelled.
                with suppress(trio.EndOfChannel):
                    await events.receive()

    async def _pump(self, prompt: Prompt, send: trio.MemorySendChannel[outcome.Maybe[ReplyEvent]]) -> None:
        with send:
            try:
                async with aclosing(self._events(prompt)) as events:
                    async for event in events:
                        await send.send(outcome.Value(event))
                        if isinstance(event, Finish):
                            return
                raise broken_off()
            except EngineError as error:
                await send.send(outcome.Error(error))

    async def _events(self, prompt: Prompt) -> AsyncGenerator[ReplyEvent]:
        wrong = faults()
        may_retry = True
        while True:
            try:
                async with aclosing(self._attempt(prompt)) as events:
                    async for event in events:
                        may_retry = may_retry and event == Alive("waiting")
                        yield event
                return
            except CannotUnpack:
                text = f"What {self._upstream.address} sent is packed in a way that nobody asked for."
                raise EngineError(ErrorCode.LLM_FAIL, text) from None
            except wrong as error:
                if not (may_retry and _may_pass(error)):
                    # Without its cause: that holds what the server said, and servers repeat keys.
                    raise self._failure(error) from None
            may_retry = False
            await trio.sleep(_RETRY_S)

    async def _attempt(self, prompt: Prompt) -> AsyncGenerator[ReplyEvent]:
        # The SDK's own stream leaves generators behind whenever it is not read to its last byte, even at [DONE], and
        # each is collected as garbage with a warning. So it only opens the response here, and errs for it.
        request = request_of(prompt, self.name, is_openai=not self._upstream.own_address)
        create = self._client.chat.completions.with_streaming_response.create
        async with create(**request) as response, pieces_of(response) as pieces:
            reply = ReplyReader(self._place, self.name, thinks_first=self._thinks_first)
            unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
            left = _MAX_BODY_BYTES
            ends_at = inf
            while not reply.over:
                piece = await next_of(pieces, ends_at, may_fail=reply.is_whole)
                if piece is None:
                    break
                had_text = False
                for step in unpacker.push(piece):
                    left -= len(step)
                    for event in reply.push(step):
                        had_text = had_text or isinstance(event, TextDelta)
                        yield event
                    if reply.over or left < 0:
                        break
                for event in reply.pause():
                    had_text = True
                    yield event
                if left < 0:
                    raise EngineError(
                        ErrorCode.LLM_FAIL, f"What {self._upstream.address} sent is longer than any reply."
                    )
                if reply.is_whole and (had_text or ends_at == inf):
                    ends_at = trio.current_time() + (self._goes_on_s if reply.may_go_on else _DRAIN_S)
            for last in reply.finish():
                yield last
            if reply.is_whole:
                if reply.learnt is not None and self._thinks_first is not True:
                    self._thinks_first = reply.learnt
                with trio.move_on_after(_DRAIN_S):
                    await drain(pieces)
                yield Finish(reply.reason or "stop", reply.usage)

    def _failure(self, error: Exception) -> EngineError:
        """Return what ``error`` means to the person who runs this."""
        import httpx2
        import openai

        from voice_trio.engines.openai_chat.http import Redirected

        upstream = self._upstream
        where, way, name = upstream.setting, upstream.way, upstream.setting_of_name
        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                code, check = error.status_code, upstream.setting_of_key
                text = f"The language model refused the key (HTTP {code}): check {check}."
            case openai.NotFoundError():
                place = f"{self.name!r} at {upstream.address}"
                text = f"There is no language model {place}: check {upstream.model_setting}."
            case openai.RateLimitError():
                text = "The language model takes no more requests for now, or its credit is used up (HTTP 429)."
            case openai.InternalServerError():
                text = f"The language model's server has a fault (HTTP {error.status_code})."
            case openai.APIStatusError():
                text = f"The language model refused the request (HTTP {error.status_code}): check {name}."
            case Redirected():
                text = f"The language model at {upstream.address} sends to {error}: check {where}."
            case openai.APITimeoutError(__cause__=httpx2.ConnectTimeout()):
                text = f"Could not reach the language model at {upstream.address}: check {where}."
            case openai.APITimeoutError() | httpx2.TimeoutException():
                return EngineError(ErrorCode.LLM_TIMEOUT, f"The language model did not answer in time.{way}")
            case openai.APIConnectionError() if why := distrusted(error):
                text = f"The certificate of {upstream.address} is not trusted: {why} (SSL_CERT_FILE says whose are)."
            case openai.APIConnectionError():
                text = f"Could not reach the language model at {upstream.address}: check {where}."
            case openai.OpenAIError():
                text = "The language model reported an error."
            case _:
                text = f"The connection to the language model at {upstream.address} broke off."
        return EngineError(ErrorCode.LLM_FAIL, text + way)


class _Pumped:
    """A reply whose receiver may be cancelled: what the SDK gives is broken for good once a step of it was.

    So a task of its own takes those steps, and only a wait on a channel is abandoned.
    """

    def __init__(self, events: trio.MemoryReceiveChannel[outcome.Maybe[ReplyEvent]]) -> None:
        self.finished = False
        self._events = events

    async def receive(self) -> ReplyEvent:
        event = (await self._events.receive()).unwrap()
        self.finished = isinstance(event, Finish)
        return event


def _may_pass(error: Exception) -> bool:
    """Say whether ``error`` may be gone in a moment."""
    import httpx2
    import openai

    from voice_trio.engines.openai_chat.http import Redirected

    match error:
        case openai.APITimeoutError() | httpx2.TimeoutException() | Redirected():
            return False
        case openai.APIConnectionError() | openai.InternalServerError():
            return True
        case openai.OpenAIError():
            return False
    return True


def _missing(settings: Settings) -> str | None:
    if is_configured(settings):
        return None
    return "none is configured: set OPENAI_API_KEY, or OPENAI_BASE_URL for a local one"


PLUG = Plug(
    kind=Kind.LANGUAGE_MODEL,
    name="openai-chat",
    title="a chat API",
    settings=Settings,
    open=open_chat_model,
    missing=_missing,
    quality=50,
)
