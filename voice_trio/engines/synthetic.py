"""The language model of a server that has none: it repeats what it heard, and says how to give it a mind.

It is made to be listened to: short plain sentences, the first one short enough that speech begins at once. The same
words get the same reply, at the pace of a small local model.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import trio

from voice_trio.config import Settings
from voice_trio.core.history import Message
from voice_trio.engines.base import Finish, LanguageModel, ReplyEvent, TextDelta
from voice_trio.engines.plug import Plug
from voice_trio.entry_points import Kind

TOKEN_S = 0.02
"""Before each token."""

_REPEATED_CHARS = 240
"""Of what was said: longer than most sentences, shorter than a listener's patience."""

_TOKEN = re.compile(r"\s*\S+")


class SyntheticModel:
    """A language model without one."""

    name = "synthetic"
    synthetic = True

    @asynccontextmanager
    async def stream(self, messages: Sequence[Message]) -> AsyncIterator[AsyncIterator[ReplyEvent]]:
        """Begin a reply to the last of ``messages`` that a person said."""
        said = next((message.content for message in reversed(messages) if message.role == "user"), "")
        async with aclosing(_tokens(reply(said))) as events:
            yield events


def reply(said: str) -> str:
    """Return what is answered to ``said``."""
    words = " ".join(said.split())
    if len(words) > _REPEATED_CHARS:
        words = words[:_REPEATED_CHARS].rpartition(" ")[0] or words[:_REPEATED_CHARS]
        words += ", and so on"
    # The words keep their own end, so that a question is heard as one.
    heard = f"You said: {words}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else "But I caught no words."
    return (
        f"I hear you. {heard} "
        "I can only repeat it, because no language model is configured. "
        "To get real answers, set OPENAI_API_KEY to your key, "
        "or set OPENAI_BASE_URL to the address of a model on your own machine. "
        "Then start the server again."
    )


async def _tokens(text: str) -> AsyncGenerator[ReplyEvent]:
    for token in _TOKEN.findall(text):
        await trio.sleep(TOKEN_S)
        yield TextDelta(token)
    yield Finish("stop")


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[LanguageModel]:
    yield SyntheticModel()


PLUG = Plug(kind=Kind.LANGUAGE_MODEL, name="synthetic", settings=Settings, open=_open)
