"""The language model of a server that has none: it finds what was meant among the sentences of our skills.

What it makes of a person's words is the call of a tool, as any model does; it says what the tools answered, word for
word. Of what is no sentence of ours it says that it did not understand, with an example of what it does. How to get a
real model is told in writing, once, by whoever greets the person.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from zlib import crc32

from voice_trio.config import Settings
from voice_trio.core.grammar.grammar import Match
from voice_trio.core.history import Message
from voice_trio.core.items import ToolUse, is_own
from voice_trio.core.tools import ThatTool
from voice_trio.engines.base import (
    SKILLS_ALONE,
    Finish,
    LanguageModel,
    Prompt,
    ReplyEvent,
    Stream,
    ToolCall,
)
from voice_trio.engines.given_words import Events, spelled
from voice_trio.engines.plug import Plug
from voice_trio.engines.synthetic import SyntheticModel
from voice_trio.entry_points import Kind
from voice_trio.skills.table import SKILLS, grammar

NO_WORDS = "I caught no words."
NOTHING_NEW = "I have nothing to add to that."
DONE = "Done."
"""Where tools answered without a word."""


class SkillsModel:
    """A language model that is a grammar."""

    name = SKILLS_ALONE
    synthetic = True

    def __init__(self, advice: str = "") -> None:
        grammar()  # Is made now, when nobody waits for an answer.
        self.advice = advice
        """How to get a real one, in sentences."""

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[Stream]:
        """Begin a reply to the person's last words, or to what the tools answered that were called for them."""
        yield Events(reply(prompt))


def reply(prompt: Prompt) -> Iterator[ReplyEvent]:
    """Yield what is answered to ``prompt``: a call, or words."""
    answers = _answers(prompt.messages)
    if answers is not None:
        more = _more(prompt)
        return spelled(" ".join(filter(None, answers)) or DONE) if more is None else _call(more)
    said = _said(prompt.messages)
    if said is None:
        return spelled(NOTHING_NEW)
    if not said.strip():
        return spelled(NO_WORDS)
    offered = _offered(prompt)
    meant = grammar().match(said, offered)
    if meant is None:
        return spelled(_not_understood(said, offered))
    return _call(meant)


def _call(meant: Match) -> Iterator[ReplyEvent]:
    return iter((ToolCall("call_0", meant.name, json.dumps(meant.arguments)), Finish("tool_calls")))


def _more(prompt: Prompt) -> Match | None:
    """Return what the person wants beside what the server has done: that was begun before they had finished."""
    calls: list[Sequence[ToolUse]] = []
    for message in reversed(prompt.messages):
        if message.calls:
            calls.append(message.calls)
        if message.role == "user":
            if len(calls) != 1 or not all(is_own(one.id) for one in calls[0]):
                return None
            meant = grammar().match(message.content, _offered(prompt))
            done = [(one.name, json.loads(one.arguments)) for one in calls[0]]
            return None if meant is None or (meant.name, meant.arguments) in done else meant
    return None


def _answers(messages: Sequence[Message]) -> list[str] | None:
    """Return what the tools answered that were asked last; None where it is not a tool that spoke last."""
    found: list[str] = []
    for message in reversed(messages):
        if message.role != "tool":
            break
        found.insert(0, message.content.strip())
    return found or None


def _said(messages: Sequence[Message]) -> str | None:
    """Return what the person said last; None where that was answered already: nothing is done twice."""
    last = next((message for message in reversed(messages) if message.role != "system"), None)
    if last is None:
        return ""
    return last.content if last.role == "user" else None


def _offered(prompt: Prompt) -> frozenset[str]:
    """Return the names of the tools that may be called."""
    names = frozenset(tool.name for tool in prompt.tools)
    match prompt.tool_choice:
        case "none":
            return frozenset()
        case ThatTool(name=name):
            return names & {name}
    return names


def _not_understood(said: str, offered: Iterable[str]) -> str:
    """Return one short sentence, with an example that depends on what was said, and on nothing else."""
    examples = [skill.example for skill in SKILLS if skill.name in offered and skill.is_shown]
    if not examples:
        return "I cannot answer that without a language model."
    # What comes last in a sentence that is spoken is what is kept in mind.
    return (
        f"I did not understand that, but you can say: {examples[crc32(said.encode(errors='replace')) % len(examples)]}"
    )


def stand_in(settings: Settings, advice: str) -> SkillsModel | SyntheticModel:
    """Return what answers where there is no language model: without skills to answer with, words are repeated."""
    return SyntheticModel(advice) if settings.skills == "off" else SkillsModel(advice)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[LanguageModel]:
    # Nobody has it who did not ask for it.
    yield stand_in(settings, "That was chosen; STREAM_LLM_ENGINE=auto takes a real one.")


PLUG = Plug(kind=Kind.LANGUAGE_MODEL, name=SKILLS_ALONE, title="skills alone", settings=Settings, open=_open)
