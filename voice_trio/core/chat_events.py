"""What one event of a chat completion says, in all the forms in which servers that resemble OpenAI's spell it.

Nothing is taken for granted: a field may be missing, null, of another type, or stand where it does not belong. What is
not known is nothing, so that a new field harms nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any, Final

from voice_trio.core.codes import InfoCode
from voice_trio.core.strange_text import parse
from voice_trio.core.tools import Fragment

MAX_VALUES: Final = 30_000
"""In one event. JSON is read in one step, which takes its time for each value, and hardly any for the text in it."""


class Unreadable(Exception):
    """The data is no JSON, or holds more or deeper values than can be read."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the reply, never empty. A refusal is one: it is what the model answers."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the model's thinking, whatever it is."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a call of a tool."""

    fragment: Fragment = field(default_factory=Fragment)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many tokens the server counts of the prompt and of the reply, up to here."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The server says why the reply ends here. Some say so with every event."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more comes."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The server reports an error. What it says of it stays out: servers repeat keys and prompts."""


Part = Said | Thought | ToolCall | Counted | Finished | Done | Failed

_DONE: Final = frozenset({"[done]", "done"})
_LONGEST_WORD: Final = 20
_NO_REASON: Final = frozenset({"", "null", "none"})
"""What stands for no reason, in any case."""
_REASONING: Final = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
_THINKING_PARTS: Final = frozenset({"thinking", "redacted_thinking", "reasoning", "thought", "reasoning_text"})
_TOOL_PARTS: Final = frozenset({"tool_use", "tool_call", "function_call"})
_ERRORS: Final = ("error", "detail", "message", "msg")
"""What an answer holds that is no completion: an object or a sentence about what went wrong."""


class ChatEvents:
    """The events of one reply, in order."""

    def __init__(self) -> None:
        self.model = ""
        """What the server says that the model is called."""
        self.is_chat = False
        """Something of a completion was read."""
        self._streams = False

    def read(self, data: str) -> Iterator[Part]:
        """Yield what the event with ``data`` says; nothing where it says nothing. Raises `Unreadable`."""
        word = data[:_LONGEST_WORD].strip().casefold()
        if word in _DONE and len(data) <= _LONGEST_WORD:
            yield Done()
            return
        if not word and not data.strip():
            return
        event = _parsed(data)
        match event:
            case {"model": str(name)}:
                self.model = self.model or name
        match event:
            case {"usage": {"prompt_tokens": int(prompt), "completion_tokens": int(completion)}} | {
                "prompt_eval_count": int(prompt),
                "eval_count": int(completion),
            } if prompt >= 0 and completion >= 0:
                yield Counted(prompt, completion)
        match event:
            case {"choices": [*choices], **others}:
                self.is_chat = True
                if _is_there(others.get("error")):
                    yield Failed()
                for choice in choices:
                    if isinstance(choice, dict) and choice.get("index") in (0, None):
                        yield from self._choice(choice)
                if others.get("object") == "chat.completion":
                    yield Done()
            case {"error": error} if _is_there(error):
                yield Failed()
            case {"choices": _} | {"usage": _}:
                pass
            case {"message": {"content": _} as message, "done": bool(done)}:
                self.is_chat = True
                # As Ollama's own API has it.
                yield from _message(message)
                if done:
                    yield Finished("stop")
            case {"object": "error"} | {"type": "error"}:
                yield Failed()
            case dict() if any(_is_there(event.get(name)) for name in _ERRORS):
                yield Failed()

    def _choice(self, choice: dict[str, Any]) -> Iterator[Part]:
        match choice:
            case {"delta": dict(delta)}:
                for part in _message(delta):
                    self._streams = self._streams or isinstance(part, Said | ToolCall)
                    yield part
            case {"delta": str(text)} | {"text": str(text)} if text:
                yield Said(text)
            case {"message": dict(message)} if not self._streams:
                # Behind pieces, it is all of them once more.
                yield from _message(message)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason.casefold() not in _NO_REASON:
            yield Failed() if reason == "error" else Finished(reason)


def _message(message: dict[str, Any]) -> Iterator[Part]:
    if any(_is_there(message.get(name)) for name in _REASONING):
        yield Thought()
    yield from _content(message.get("content"))
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        yield Said(refusal)
    match message.get("tool_calls"):
        case [*calls]:
            for call in calls:
                yield ToolCall(_fragment(call))
        case calls if _is_there(calls):
            yield ToolCall()
    if _is_there(called := message.get("function_call")):
        # There was one at most when it was called so.
        yield ToolCall(_fragment({"index": 0, "function": called}))


def _fragment(call: Any) -> Fragment:
    match call:
        case {"function": dict(function)} | {"type": "tool_use", **function}:
            index, number = call.get("index"), call.get("id")
            name, arguments = function.get("name"), function.get("arguments", function.get("input"))
            return Fragment(
                index if isinstance(index, int) else None,
                number if isinstance(number, str) else "",
                name if isinstance(name, str) else "",
                # Some send them whole, as an object.
                arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else "",
            )
    return Fragment()


def _content(content: Any) -> Iterator[Part]:
    match content:
        case str(text):
            if text:
                yield Said(text)
        case [*parts]:
            for part in parts:
                # Not lists in lists: nobody sends them, and they could be as deep as they like.
                if isinstance(part, str | dict):
                    yield from _content(part)
        case {"type": str(kind)} if kind in _THINKING_PARTS:
            yield Thought()
        case {"type": str(kind)} if kind in _TOOL_PARTS:
            yield ToolCall(_fragment(content))
        case {"text": str(text)} | {"text": {"value": str(text)}} | {"refusal": str(text)} if text:
            yield Said(text)


def _is_there(value: Any) -> bool:
    return value not in (None, "", [], {}, False)


def _parsed(data: str) -> Any:
    if sum(map(data.count, "[{,")) > MAX_VALUES:
        raise Unreadable
    try:
        return parse(data)
    except (ValueError, RecursionError):
        # Without its cause, which holds the data.
        raise Unreadable from None


_REASONS = {
    "content_filter": "A filter of the language model's kept its reply back.",
    "safety": "A filter of the language model's kept its reply back.",
    "refusal": "The language model refused to answer.",
}


def cut_short(reason: str) -> tuple[InfoCode, str] | None:
    """Return what is told of a reply that ended for ``reason`` before it was whole; None where it was whole."""
    return _CUTS.get(reason.lower())


_CUTS: Final = {
    "length": (InfoCode.REPLY_CUT, "The reply is too long, and is cut here."),
    "content_filter": (InfoCode.REPLY_FILTERED, "A filter of the language model's cut the reply off."),
}


def why_empty(reason: str, signs: Set[str], *, wrote: bool) -> str:
    """Return the sentence for a reply that ended for ``reason``, as the model calls it.

    ``signs`` are those of `Alive` that there were; ``wrote`` says whether there was text, which the voice left out.
    """
    known = _REASONS.get(reason.lower())
    if known:
        return known
    if wrote:
        return "The language model's reply has nothing in it that can be spoken."
    if "tool_call" in signs or reason in ("tool_calls", "function_call"):
        return "The language model asked for a tool instead of answering, and there is none here."
    if "thinking" in signs:
        if reason == "length":
            return "The language model came to its limit of length while it was thinking, and said nothing."
        return "The language model was only thinking, and said nothing."
    if reason == "length":
        return "The language model came to its limit of length before it said anything."
    return "The language model's reply was empty."
