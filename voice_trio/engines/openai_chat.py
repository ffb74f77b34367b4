"""Any OpenAI-compatible chat API as a language model, through the OpenAI SDK.

The time limits here are the transport's: to connect, and between two pieces of the answer. Those of the turn (first
token, gap, sum) are the session's.

One retry, after `_RETRY_S`, and only while nothing of the reply was received: for a connection that failed, which is
mostly a kept-alive one that the other side has closed meanwhile, and for an answer of 5xx. Not for a stall or a host
that does not take the connection, since the time for it is spent; not for 429, since a person does not wait as long as
a limit lasts; not for a refusal, since the answer would be the same.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import trio

from voice_trio.config import Settings
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import Finish, TextDelta, TurnError
from voice_trio.engines.openai_client import Upstream, distrusted, open_upstream

if TYPE_CHECKING:
    from openai import AsyncAPIResponse

_RETRY_S = 0.2
_DRAIN_S = 0.1
"""Limit for what follows the last words: a connection read to its end is used again, which saves a handshake."""


@asynccontextmanager
async def open_chat_model(settings: Settings) -> AsyncIterator[ChatModel]:
    """Open the model that ``settings`` name, with the one client that every session shares; closed at the end.

    Raises `ConfigError`.
    """
    upstream = await trio.to_thread.run_sync(open_upstream, settings)
    async with upstream.client:
        yield ChatModel(upstream, settings)


class ChatModel:
    """A chat API as a language model."""

    synthetic = False

    def __init__(self, upstream: Upstream, settings: Settings) -> None:
        self.name = settings.llm_model
        self._upstream = upstream
        self._client = upstream.client
        self._address = upstream.address

    @asynccontextmanager
    async def stream(self, messages: Sequence[Message]) -> AsyncIterator[AsyncIterator[TextDelta | Finish]]:
        """Begin a reply to ``messages``; leaving the context closes the connection that carries it."""
        async with aclosing(self._events(messages)) as events:
            yield events

    async def _events(self, messages: Sequence[Message]) -> AsyncGenerator[TextDelta | Finish]:
        faults = _faults()
        may_retry = True
        while True:
            try:
                async with aclosing(self._attempt(messages)) as events:
                    async for event in events:
                        may_retry = False
                        yield event
                return
            except faults as error:
                if not (may_retry and _may_pass(error)):
                    # Without its cause: that holds what the server said, and servers repeat keys.
                    raise self._failure(error) from None
            may_retry = False
            await trio.sleep(_RETRY_S)

    async def _attempt(self, messages: Sequence[Message]) -> AsyncGenerator[TextDelta | Finish]:
        # The SDK's own stream leaves generators behind whenever it is not read to its last byte, even at [DONE], and
        # each is collected as garbage with a warning. So it only opens the response here, and errs for it.
        prompt: list[Any] = [{"role": message.role, "content": message.content} for message in messages]
        create = self._client.chat.completions.with_streaming_response.create
        async with create(model=self.name, messages=prompt, stream=True) as response, _pieces(response) as pieces:
            events = ServerSentEvents()
            async for piece in pieces:
                for data in events.push(piece):
                    if data == "[DONE]":
                        return
                    text, reason = self._read(data)
                    if text:
                        yield TextDelta(text)
                    if reason:
                        with trio.move_on_after(_DRAIN_S):
                            await _drain(pieces)
                        yield Finish(reason)
                        return

    def _read(self, data: str) -> tuple[str, str | None]:
        """Return the text and the finish reason in one event, as far as it has them. Raises `TurnError` (LLM_FAIL).

        Events with a role, usage, reasoning or nothing in them have neither; nothing is taken for granted about servers
        that only resemble the original.
        """
        try:
            event = json.loads(data)
        except ValueError:
            text = f"What the language model at {self._address} sent could not be read."
            raise TurnError(ErrorCode.LLM_FAIL, text) from None
        match event:
            case {"error": error} if error:
                raise TurnError(ErrorCode.LLM_FAIL, "The language model reported an error.")
            case {"choices": [{"delta": {"content": str(content)}, "finish_reason": str(reason)}, *_]}:
                return content, reason
            case {"choices": [{"delta": {"content": str(content)}}, *_]}:
                return content, None
            case {"choices": [{"finish_reason": str(reason)}, *_]}:
                return "", reason
        return "", None

    def _failure(self, error: Exception) -> TurnError:
        """Return what ``error`` means to the person who runs this."""
        import httpx2
        import openai

        upstream = self._upstream
        where, way = upstream.setting, upstream.way
        also = " and OPENAI_BASE_URL" if upstream.own_address else ""
        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                text = f"The language model refused the key (HTTP {error.status_code}): check OPENAI_API_KEY."
            case openai.NotFoundError():
                place = f"{self.name!r} at {self._address}"
                text = f"There is no language model {place}: check STREAM_LLM_MODEL{also}."
            case openai.RateLimitError():
                text = "The language model takes no more requests for now, or its credit is used up (HTTP 429)."
            case openai.InternalServerError():
                text = f"The language model's server has a fault (HTTP {error.status_code})."
            case openai.APIStatusError():
                text = f"The language model refused the request (HTTP {error.status_code}): check STREAM_LLM_MODEL."
            case openai.APITimeoutError(__cause__=httpx2.ConnectTimeout()):
                text = f"Could not reach the language model at {self._address}: check {where}."
            case openai.APITimeoutError() | httpx2.TimeoutException():
                return TurnError(ErrorCode.LLM_TIMEOUT, f"The language model did not answer in time.{way}")
            case openai.APIConnectionError() if why := distrusted(error):
                text = f"The certificate of {self._address} is not trusted: {why} (SSL_CERT_FILE says whose are)."
            case openai.APIConnectionError():
                text = f"Could not reach the language model at {self._address}: check {where}."
            case openai.OpenAIError():
                text = "The language model reported an error."
            case _:
                text = f"The connection to the language model at {self._address} broke off."
        return TurnError(ErrorCode.LLM_FAIL, text + way)


def _may_pass(error: Exception) -> bool:
    """Say whether ``error`` may be gone in a moment."""
    import httpx2
    import openai

    match error:
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return False
        case openai.APIConnectionError() | openai.InternalServerError():
            return True
        case openai.OpenAIError():
            return False
    return True


def _faults() -> tuple[type[Exception], ...]:
    """Return what asking and reading the answer raise; a fault of TLS in the middle comes through as it is."""
    import anyio
    import httpx2
    import openai

    return openai.OpenAIError, httpx2.RequestError, ssl.SSLError, anyio.EndOfStream


@asynccontextmanager
async def _pieces(response: AsyncAPIResponse[Any]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the bytes of ``response`` as they come, and end the generators that they come through.

    Half a dozen stand in one another, and closing the outermost closes none of the others. A cancelled read goes
    through them all.
    """
    pieces = response.iter_bytes()
    try:
        yield pieces
    finally:
        with trio.CancelScope() as scope:
            scope.cancel()
            await _drain(pieces)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what is left; an error in it is nobody's, since the reply is over."""
    with suppress(*_faults()):
        while await anext(pieces, None) is not None:
            pass


class ServerSentEvents:
    """Cuts a stream of server-sent events, in pieces of any length, into the data of each.

    Lines end at line feeds alone: text may hold the other characters that Python's own splitting ends lines at.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def push(self, piece: bytes) -> list[str]:
        """Take ``piece`` and return the data of the events that it completed, oldest first."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        complete = []
        for line in lines:
            field, _, value = line.rstrip(b"\r").partition(b":")
            if field == b"data":
                self._data.append(value.removeprefix(b" ").decode(errors="replace"))
            elif not field and not value and self._data:
                complete.append("\n".join(self._data))
                self._data = []
        return complete
