"""A language model without one: it repeats what it heard, in one short sentence.

How to get a real one is told in writing, once, by whoever greets the person. The same words get the same reply, at the
pace of a small local model.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.engines.base import Finish, LanguageModel, Prompt, ReplyEvent, Stream, TextDelta
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind

TOKEN_S = 0.02
"""Before each token."""

_REPEATED_CHARS = 160
"""Of what was said: longer than most sentences, shorter than a listener's patience."""

_TOKEN = re.compile(r"\s*\S+")


class SyntheticModel:
    """A language model without one."""

    name = "synthetic"
    synthetic = True

    def __init__(self, advice: str = "") -> None:
        self.advice = advice
        """How to get a real one, in sentences."""

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin a reply to the last of the messages that a person said."""
        said = next((message.content for message in reversed(prompt.messages) if message.role == "user"), "")
        yield _Tokens(reply(said), prompt.max_tokens)


def reply(said: str) -> str:
    """Return what is answered to ``said``."""
    words = " ".join(said.split())
    if len(words) > _REPEATED_CHARS:
        words = words[:_REPEATED_CHARS].rpartition(" ")[0] or words[:_REPEATED_CHARS]
        words += ", and so on"
    # The words keep their own end, so that a question is heard as one.
    return f"You said: {words}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else "I caught no words."


class _Tokens:
    """A text a word at a time, each of them `TOKEN_S` after the one before it was taken."""

    def __init__(self, text: str, most: int | None) -> None:
        """There are at most so many words."""
        words = _TOKEN.findall(text)
        self._left = deque(words[:most])
        self._reason = "stop" if most is None or len(words) <= most else "length"
        self._next_at = trio.current_time() + TOKEN_S

    async def receive(self) -> ReplyEvent:
        if not self._left:
            await trio.lowlevel.checkpoint()
            return Finish(self._reason)
        await trio.sleep_until(self._next_at)
        self._next_at = trio.current_time() + TOKEN_S
        return TextDelta(self._left.popleft())


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[LanguageModel]:
    # Nobody has it who did not ask for it.
    yield SyntheticModel("That was chosen; STREAM_LLM_ENGINE=auto takes a real one.")


PLUG = Plug(kind=Kind.LANGUAGE_MODEL, name="synthetic", title="none", settings=Settings, open=_open)
