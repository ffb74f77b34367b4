"""The language model that is found on this machine, and our skills in its place until there is one.

While none is found it is looked for again and again, at growing intervals. One that is found stays, whatever else is
started later, until a reply of its fails: then it is looked for anew, and the next turn has what is there by then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
import trio

from voice_trio.config import Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.engines.base import EngineError, LanguageModel, Prompt, ReplyEvent, Stream
from voice_trio.engines.local_llm import finder
from voice_trio.engines.local_llm.finder import Answer, Connect, Found, LocalServer
from voice_trio.engines.openai_chat.model import open_chat_model
from voice_trio.engines.plug import Plug
from voice_trio.engines.skills_model import stand_in
from voice_trio.entry_points import Kind
from voice_trio.waiting import alongside

log = structlog.get_logger()

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 30.0
"""Between two looks, each twice as long as the one before."""

_NONE_HERE = (
    "Start Ollama, LM Studio, llama.cpp, vLLM or Jan on this machine, with a model, and it is used within half a "
    "minute. Or set OPENAI_API_KEY or OPENAI_BASE_URL, and start the server again."
)

Ask = Callable[[], Awaitable[Sequence[Answer]]]
"""Asks all servers, as `finder.ask` does."""


class LocalModel:
    """Whatever language model this machine has at the moment."""

    def __init__(self, settings: Settings, ask: Ask, opened: AsyncExitStack) -> None:
        """``opened`` closes what was found: a turn may still be using one when another is there."""
        self.answers: Sequence[Answer] = ()
        """What the servers said when they were last asked."""
        self._settings = settings
        self._ask = ask
        self._opened = opened
        self._known: dict[Found, LanguageModel] = {}
        self._stand_in = stand_in(settings, _NONE_HERE)
        self._now: LanguageModel = self._stand_in
        self._swapped = trio.Event()
        self._failed = trio.Event()
        self._looking = trio.Lock()
        """Of two looks at once the older one could be the last to say what is here."""

    @property
    def name(self) -> str:
        """That of the one which is here now."""
        return self._now.name

    @property
    def synthetic(self) -> bool:
        """Whether none is here."""
        return self._now.synthetic

    @property
    def advice(self) -> str | None:
        """How to get one, while none is here."""
        return self._stand_in.advice if self.synthetic else None

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Stream]:
        """Begin a reply of the one that is here now."""
        return self._now.stream(prompt)

    def leased(self) -> LanguageModel:
        """Return the one that is here now."""
        return self._now

    async def wait_other(self, than: LanguageModel) -> LanguageModel:
        """Return the one that is here as soon as it is another ``than`` that."""
        while self._now is than:
            await self._swapped.wait()
        return self._now

    async def look(self) -> None:
        """Look what is here, and go on with that. Never raises for what servers answer."""
        async with self._looking:
            self.answers = await self._ask()
            found = finder.choose(self.answers, self._settings.llm_model)
            if found is None and self._settings.llm_model:
                self._refuse_others(self._settings.llm_model)
            self._put(self._stand_in if found is None else await self._open(found))

    async def keep_looking(self) -> None:
        """Look again while none is here, and after a failure of the one that is."""
        wait_s = FIRST_WAIT_S
        while True:
            if self.synthetic:
                with trio.move_on_after(wait_s) as waited:
                    await self._swapped.wait()
                if not waited.cancelled_caught:
                    continue  # Somebody else has looked.
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            else:
                await self._failed.wait()
                wait_s = FIRST_WAIT_S
            self._failed = trio.Event()
            await self.look()

    def _put(self, model: LanguageModel) -> None:
        if model is self._now:
            return
        before, self._now = self._now, model
        self._swapped.set()
        self._swapped = trio.Event()
        if model.synthetic:
            log.warning("the language model is gone", model=before.name)
        else:
            log.info("a language model is here", model=model.name)

    def _refuse_others(self, wanted: str) -> None:
        """Say, once, that what is here is not what was asked for: nobody is to talk with another one unawares."""
        advice = f"No server on this machine has {wanted}, which STREAM_LLM_MODEL asks for."
        if self._stand_in.advice != advice:
            self._stand_in.advice = advice
            log.warning("the language model asked for is not here", reason=advice, answers=[*map(str, self.answers)])

    async def _open(self, found: Found) -> LanguageModel:
        if found not in self._known:
            where = {"openai_base_url": found.server.base_url, "llm_model": found.model, "openai_api_key": None}
            settings = self._settings.model_copy(update=where)
            chat = await self._opened.enter_async_context(open_chat_model(settings, found.server.called))
            self._known[found] = _FoundModel(chat, found, lambda: self._failed.set())
        return self._known[found]


class _FoundModel:
    """A model that was found, which says when it failed."""

    synthetic = False

    def __init__(self, chat: LanguageModel, found: Found, failed: Callable[[], None]) -> None:
        self.name = f"{_file_name(found.model)} ({found.server.called})"
        self._chat = chat
        self._failed = failed

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin a reply to ``prompt``."""
        async with self._chat.stream(prompt) as stream:
            yield _Watched(stream, self._failed)


class _Watched:
    """A reply of which somebody is told that it failed."""

    def __init__(self, stream: Stream, failed: Callable[[], None]) -> None:
        self._stream = stream
        self._failed = failed

    async def receive(self) -> ReplyEvent:
        try:
            return await self._stream.receive()
        except EngineError as error:
            # One that is slow is still here.
            if error.code is ErrorCode.LLM_FAIL:
                self._failed()
            raise


def _file_name(model: str) -> str:
    """Return what to call ``model``: llama.cpp calls one by the path of its file."""
    return model.replace("\\", "/").rpartition("/")[2] if model.lower().endswith(".gguf") else model


@asynccontextmanager
async def open_local_model(
    settings: Settings,
    servers: Sequence[LocalServer] | None = None,
    *,
    ask_s: float = finder.ASK_S,
    connect: Connect = trio.open_tcp_stream,
) -> AsyncIterator[LocalModel]:
    """Look for one of ``servers`` (`finder.SERVERS`) on this machine, for at most ``ask_s``, and keep looking."""
    # Where one of them would listen this server may, and would find itself.
    others = [one for one in (finder.SERVERS if servers is None else servers) if one.port != settings.port]
    async with AsyncExitStack() as opened:
        model = LocalModel(settings, partial(finder.ask, others, within_s=ask_s, connect=connect), opened)
        await model.look()
        async with alongside(model.keep_looking):
            yield model


PLUG = Plug(
    kind=Kind.LANGUAGE_MODEL,
    name="local",
    title="the language model of this machine",
    settings=Settings,
    open=open_local_model,
    # Better than none at all, and no better than any that somebody brought along.
    quality=1,
)
