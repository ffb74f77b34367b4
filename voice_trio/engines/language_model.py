"""What a session asks of a language model, and what it gives: a reply, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from voice_trio.core.errors import EngineError
from voice_trio.core.history import Message
from voice_trio.core.messages import ErrorCode
from voice_trio.core.tools import Tool as Tool, ToolChoice as ToolChoice

SKILLS_ALONE = "skills"
"""The name of the stand-in that answers with our skills."""


class TextDelta(NamedTuple):
    """The next piece of a reply, never empty."""

    text: str


class Alive(NamedTuple):
    """The model is at work, and nothing of it is to be said."""

    at: Literal["thinking", "tool_call", "waiting"]
    """``waiting``: the other side shows that it is still there, and nothing else."""


class ToolCall(NamedTuple):
    """The model wants a tool to be used. It comes once it is whole, after whatever text there is."""

    id: str
    """Not empty, and its own among the calls of a reply."""
    name: str
    """Not empty. It may be none of those offered."""
    arguments: str
    """JSON as the model wrote it, ``{}`` where it wrote none. It may be broken, and need not fit the tool."""


class Usage(NamedTuple):
    """What the server counts."""

    prompt_tokens: int
    completion_tokens: int


class Finish(NamedTuple):
    """The reply is over, and whole as far as the model is concerned."""

    reason: str
    """As the model says it: ``stop``, ``length``, ``content_filter``, ``tool_calls``."""
    usage: Usage | None = None
    """Where the server tells."""


ReplyEvent = TextDelta | Alive | ToolCall | Finish


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked."""

    messages: Sequence[Message]
    tools: Sequence[Tool] = ()
    """What it may ask for. A model that cannot ask leaves them aside."""
    tool_choice: ToolChoice = "auto"
    """Whether it is to ask, where there are tools."""
    max_tokens: int | None = None
    """The most that it may write, as it counts; it is `Finish`ed for ``length`` then. A model that cannot count leaves
    it aside."""


class Stream(Protocol):
    """A reply on its way."""

    async def receive(self) -> ReplyEvent:
        """Return what comes next; after a `Finish`, nothing does.

        It may be cancelled at any moment, and asked again: nothing is lost.
        Raises `EngineError` (LLM_FAIL, LLM_TIMEOUT), also for a reply that breaks off before its `Finish`.
        """


def broken_off() -> EngineError:
    """Return what a `Stream` raises that ends before its `Finish`."""
    return EngineError(ErrorCode.LLM_FAIL, "The reply broke off before its end.")


class LanguageModel(Protocol):
    """Text to text, a token at a time. One instance serves every session."""

    @property
    def name(self) -> str:
        """As told to clients."""

    @property
    def synthetic(self) -> bool:
        """Whether there is no language model, and replies are what `instead_of` says.

        Such a one may say in an attribute ``advice`` how to get one: see `advice_of`.
        """

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Stream]:
        """Begin a reply to ``prompt``; leaving the context ends it upstream too.

        Its text is what is to be said and remembered, without thinking and without marks of the model's template.
        """


def advice_of(model: LanguageModel) -> str | None:
    """Return, in sentences, how to get a better model than ``model``, where that is a stand-in that knows."""
    return getattr(model, "advice", None) or None


def instead_of(model: LanguageModel) -> str:
    """Return what ``model`` does where it only stands in for a language model, as the end of a sentence."""
    return "only its skills answer" if model.name == SKILLS_ALONE else "replies only repeat what was heard"


def is_metered(model: LanguageModel) -> bool:
    """Return whether somebody pays for what ``model`` writes, as it may say in an attribute ``metered``."""
    return bool(getattr(model, "metered", False))


@runtime_checkable
class Leasable(LanguageModel, Protocol):
    """A language model in the place of which another one may come while the server runs."""

    def leased(self) -> LanguageModel:
        """Return the one that is here now: a turn keeps it to its end."""


@runtime_checkable
class Swapping(Leasable, Protocol):
    """One that tells when it happens."""

    async def wait_other(self, than: LanguageModel) -> LanguageModel:
        """Return the one that is here as soon as it is another ``than`` that."""
