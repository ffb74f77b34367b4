"""The marks that a model leaves in its text where its server does not take them out, and what each of them means.

They are of three shapes: tags (``<think>``, ``</tool_call>``), special tokens (``<|im_end|>``, ``<turn|>``, or
DeepSeek's with wide bars) and words of their own (``[THINK]``, ``◁think▷``). Sources: the chat templates of DeepSeek,
Qwen, Llama, Mistral, Gemma, Kimi, Command, Phi and Seed, and OpenAI's harmony format for gpt-oss.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, NamedTuple


class Mark(Enum):
    """What a mark does to the text behind it."""

    THINK = auto()
    """Thinking, until `THOUGHT`."""
    THOUGHT = auto()
    TOOL = auto()
    """A call of a tool, until `CALLED`; of some, to the end of the reply."""
    CALLED = auto()
    HEADER = auto()
    """Who speaks and in which channel, until `MESSAGE`."""
    HEADER_LINE = auto()
    """The same, until the end of the line."""
    MESSAGE = auto()
    END = auto()
    """The end of a message; what comes behind is another."""
    ANSWER = auto()
    """The answer behind the thinking; in a reply without thinking it is no mark."""
    OTHER = auto()
    """Another one's turn: the model runs on, and answers itself."""
    NOTHING = auto()


class Found(NamedTuple):
    """A mark, and where it ends."""

    mark: Mark
    end: int


class Unfinished:
    """What is there may become a mark, or not."""


UNFINISHED: Final = Unfinished()

STARTS: Final = re.compile("[<\\[◁]")
"""What every mark begins with."""

LONGEST: Final = 160
"""Characters of the longest mark."""

_THINKING: Final = frozenset(
    {"think", "thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad", "seed:think"}
)
_TOOLS: Final = frozenset(
    {"tool_call", "tool_calls", "function_call", "function_calls", "function", "tool_use", "tool_response", "invoke"}
)
_OTHERS: Final = {
    "s": Mark.NOTHING,
    "/s": Mark.END,
    "bos": Mark.NOTHING,
    "eos": Mark.END,
    "pad": Mark.NOTHING,
    "unk": Mark.NOTHING,
    "eot": Mark.END,
    "endoftext": Mark.END,
    "end_of_text": Mark.END,
    "end_of_utterance": Mark.END,
    "start_of_turn": Mark.HEADER_LINE,
    "end_of_turn": Mark.END,
    "answer": Mark.ANSWER,
    "/answer": Mark.ANSWER,
    "final_answer": Mark.ANSWER,
    "/final_answer": Mark.ANSWER,
}
_TAG_NAMES: Final = (*_THINKING, *_TOOLS, *(name.lstrip("/") for name in _OTHERS))
_TOKENS: Final = {
    "start": Mark.HEADER,
    "channel": Mark.HEADER,
    "start_header_id": Mark.HEADER,
    "im_start": Mark.HEADER_LINE,
    "turn": Mark.HEADER_LINE,
    "message": Mark.MESSAGE,
    "end_header_id": Mark.MESSAGE,
    "end": Mark.END,
    "return": Mark.END,
    "call": Mark.END,
    "im_end": Mark.END,
    "eot_id": Mark.END,
    "eom_id": Mark.END,
    "eot": Mark.END,
    "endoftext": Mark.END,
    "end_of_text": Mark.END,
    "end_of_turn": Mark.END,
    "end_of_sentence": Mark.END,
    "end_of_turn_token": Mark.END,
    "python_tag": Mark.TOOL,
    "start_of_role": Mark.HEADER,
    "end_of_role": Mark.MESSAGE,
    "user": Mark.OTHER,
    "system": Mark.OTHER,
    "observation": Mark.OTHER,
}
_CLOSED_TOKENS: Final = {
    "turn": Mark.END,
    "channel": Mark.THOUGHT,
    "tool_call": Mark.CALLED,
    "tool_response": Mark.CALLED,
}
"""Those that only end in a bar: ``<|channel>thought ... <channel|>``."""
_WORDS: Final = {
    "[THINK]": Mark.THINK,
    "[/THINK]": Mark.THOUGHT,
    "◁think▷": Mark.THINK,
    "◁/think▷": Mark.THOUGHT,
    "[TOOL_CALLS]": Mark.TOOL,
    "[ARGS]": Mark.TOOL,
    "[TOOL_RESULTS]": Mark.TOOL,
    "[/TOOL_RESULTS]": Mark.CALLED,
    "[INST]": Mark.OTHER,
    "[/INST]": Mark.NOTHING,
}

_TAG: Final = re.compile(r"<(/?)([a-z][a-z0-9_:]{0,23})(?:[\s=][^<>]{0,100})?(/?)>", re.IGNORECASE)
_TAG_BEGUN: Final = re.compile(r"</?([a-z][a-z0-9_:]{0,23})?([\s=][^<>]{0,100})?/?", re.IGNORECASE)
_TOKEN: Final = re.compile(r"<([|｜]?)([\w▁/][\w▁.:/-]{0,39})([|｜]?)>")
_TOKEN_BEGUN: Final = re.compile(r"<(?:[|｜](?:[\w▁/][\w▁.:/-]{0,39}[|｜]?)?|[\w▁/][\w▁.:/-]{0,39}[|｜])")


def mark_at(text: str, at: int) -> Found | Unfinished | None:
    """Return the mark that begins at character ``at`` of ``text``; None where none does."""
    if text[at] != "<":
        return _word_at(text, at)
    token = _TOKEN.match(text, at)
    if token and (token[1] or token[3]):
        kind = _token(token[2].lower().replace("▁", "_"), opened=bool(token[1]), closed=bool(token[3]))
        return kind and Found(kind, token.end())
    tag = _TAG.match(text, at)
    if tag:
        mark = _tag(tag[2].lower(), closing=bool(tag[1]), empty=bool(tag[3]))
        return mark and Found(mark, tag.end())
    if len(text) - at > LONGEST:
        return None
    if _TOKEN_BEGUN.fullmatch(text, at):
        return UNFINISHED
    begun = _TAG_BEGUN.fullmatch(text, at)
    if begun and _may_become_tag((begun[1] or "").lower(), whole=begun[2] is not None or text[-1] == "/"):
        return UNFINISHED
    return None


def _word_at(text: str, at: int) -> Found | Unfinished | None:
    for word, mark in _WORDS.items():
        if text.startswith(word, at):
            return Found(mark, at + len(word))
    rest = text[at : at + LONGEST]
    return UNFINISHED if any(word.startswith(rest) for word in _WORDS) else None


def _may_become_tag(name: str, *, whole: bool) -> bool:
    if not name:
        return True
    return name in _TAG_NAMES if whole else any(known.startswith(name) for known in (*_TAG_NAMES, *_CLOSED_TOKENS))


def _tag(name: str, *, closing: bool, empty: bool) -> Mark | None:
    if name in _THINKING:
        return Mark.NOTHING if empty else Mark.THOUGHT if closing else Mark.THINK
    if name in _TOOLS:
        return Mark.NOTHING if empty else Mark.CALLED if closing else Mark.TOOL
    return _OTHERS.get(f"/{name}" if closing else name)


def _token(name: str, *, opened: bool, closed: bool) -> Mark | None:
    if not opened:
        return _CLOSED_TOKENS.get(name)
    if not closed and name == "channel":
        return Mark.THINK
    if name in _TOKENS:
        return _TOKENS[name]
    over = name.startswith(("/", "end")) or name.endswith("_end")
    if "thought" in name or "think" in name:
        return Mark.THOUGHT if over else Mark.THINK
    if "tool" in name or "function" in name or "action" in name:
        return Mark.CALLED if over else Mark.TOOL
    return Mark.NOTHING
