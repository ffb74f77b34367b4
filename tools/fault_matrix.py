"""What each fault of STREAM_FAULTS comes to. docs/testing.md shows this table; tests/session/test_faults.py runs it.

Each row is a conversation of two spoken turns with default settings, of which the first suffers the fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.misbehave import KINDS
from voice_trio.core.messages import CallState, ErrorCode, Outcome

SENTENCES = ("It is sunny in London today. ", "Enjoy the rest of your day.")
"""The reply: two phrases."""


class Kept(StrEnum):
    """What is remembered of the turn. Whether it is, `done` says."""

    NOTHING = "nothing"
    WORDS = "the words"
    PART = "the words, and the reply as far as it was heard"
    UNHEARD = "the words, and the reply as unheard"
    ALL = "the words and the reply"


@dataclass(frozen=True)
class Row:
    """A fault, and what comes of it."""

    faults: str
    errors: Sequence[ErrorCode]
    """What the client is told, in order: each names the turn and is recoverable."""
    outcome: Outcome
    kept: Kept
    note: str
    next_outcome: Outcome = Outcome.COMPLETED
    """How the turn after it ends, in which there is no fault."""


FAIL, DONE, LATE = Outcome.FAILED, Outcome.COMPLETED, Outcome.TIMED_OUT

ROWS = (
    Row("asr:delay=2s#1", (), DONE, Kept.ALL, "the final comes 2 s late"),
    Row("asr:delay=20s#1", (ErrorCode.ASR_TIMEOUT,), LATE, Kept.NOTHING, "after `STREAM_ASR_TIMEOUT_S`"),
    Row("asr:drip=500ms#1", (), DONE, Kept.ALL, "every partial, and the final, half a second late"),
    Row("asr:hang#1", (ErrorCode.ASR_TIMEOUT,), LATE, Kept.NOTHING, "after `STREAM_ASR_TIMEOUT_S`"),
    Row("asr:hang=1#1", (ErrorCode.ASR_TIMEOUT,), LATE, Kept.NOTHING, "the same, and only one partial before"),
    Row("asr:error#1", (ErrorCode.ASR_FAIL,), FAIL, Kept.NOTHING, "when the person has spoken"),
    Row("asr:error=1#1", (ErrorCode.ASR_FAIL,), FAIL, Kept.NOTHING, "after one partial, while the person speaks"),
    Row("asr:crash#1", (), DONE, Kept.ALL, "another process hears the whole utterance again"),
    Row("asr:crash=1#1", (), DONE, Kept.ALL, "the same, while the person speaks"),
    Row("asr:garbage#1", (), DONE, Kept.ALL, "what is no text is replaced, the rest taken at its word"),
    Row("asr:garbage=1#1", (), DONE, Kept.ALL, "the same, in the partials too"),
    Row("llm:delay=2s#1", (), DONE, Kept.ALL, "the first token comes 2 s late"),
    Row("llm:delay=6s#1", (ErrorCode.LLM_TIMEOUT,), LATE, Kept.WORDS, "after `STREAM_LLM_FIRST_TOKEN_S`"),
    Row("llm:drip#1", (), DONE, Kept.ALL, "a letter each 0.1 s, spoken in phrases all the same"),
    Row(
        "llm:drip=1s#1",
        (ErrorCode.LLM_TIMEOUT,),
        LATE,
        Kept.PART,
        "after `STREAM_LLM_TIMEOUT_S` of waiting; what was written is spoken",
    ),
    Row("llm:hang#1", (ErrorCode.LLM_TIMEOUT,), LATE, Kept.WORDS, "after `STREAM_LLM_FIRST_TOKEN_S`"),
    Row("llm:hang=3#1", (ErrorCode.LLM_TIMEOUT,), LATE, Kept.PART, "what was written is spoken"),
    Row("llm:error#1", (ErrorCode.LLM_FAIL,), FAIL, Kept.WORDS, "at once"),
    Row("llm:error=3#1", (ErrorCode.LLM_FAIL,), FAIL, Kept.UNHEARD, "at once; no phrase was whole"),
    Row("llm:error=8#1", (ErrorCode.LLM_FAIL,), FAIL, Kept.PART, "at once; whole phrases are spoken"),
    Row("llm:garbage#1", (), DONE, Kept.ALL, "what is no text is replaced, the rest is written as it came"),
    Row("tts:delay=2s#1", (), DONE, Kept.ALL, "the first sound comes 2 s late"),
    Row("tts:delay=11s#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the phrase is skipped after `STREAM_TTS_TIMEOUT_S`"),
    Row("tts:drip#1", (), DONE, Kept.ALL, "the first phrase takes 0.1 s a letter"),
    Row("tts:hang#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the phrase is skipped after `STREAM_TTS_TIMEOUT_S`"),
    Row("tts:hang#2", (ErrorCode.TTS_FAIL,), DONE, Kept.PART, "the same, of the last phrase"),
    Row("tts:hang#1, tts:hang#2", (ErrorCode.TTS_FAIL,) * 2, FAIL, Kept.UNHEARD, "the same; nothing is spoken"),
    Row("tts:error#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the phrase is skipped at once"),
    Row("tts:error#1, tts:error#2", (ErrorCode.TTS_FAIL,) * 2, FAIL, Kept.UNHEARD, "the same; nothing is spoken"),
    Row("tts:crash#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the phrase is skipped; another process says the next"),
    Row("tts:garbage#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "what cannot be played is not sent: it is skipped"),
    Row("store:delay=2s#1", (), DONE, Kept.ALL, "`done` comes 2 s late"),
    Row("store:delay=6s#1", (ErrorCode.INTERNAL,), DONE, Kept.NOTHING, "`done` comes 5 s late"),
    Row("store:hang#1", (ErrorCode.INTERNAL,), DONE, Kept.NOTHING, "`done` comes 5 s late"),
    Row("store:hang=recall#1", (ErrorCode.INTERNAL,), FAIL, Kept.NOTHING, "after 5 s, before anything is heard"),
    Row("store:error#1", (ErrorCode.INTERNAL,), DONE, Kept.NOTHING, "the reply was spoken"),
    Row("store:error=recall#1", (ErrorCode.INTERNAL,), FAIL, Kept.NOTHING, "before anything is heard"),
    Row("store:full#1", (ErrorCode.INTERNAL,), DONE, Kept.NOTHING, "the reply was spoken"),
)

LONG_REPLY = ("This is the first sentence here. ", "And this is a second one. ", "It is not the last one. ") * 6
"""What is spoken into, a word each quarter of a second."""


@dataclass(frozen=True)
class IntoReply:
    """A fault while the reply of the first turn is held, since somebody says a word into it."""

    faults: str
    said: str
    outcome: Outcome
    """How the first turn ends."""
    errors: Sequence[ErrorCode]
    """What the client is told in it: each is recoverable."""
    released: bool
    """Whether the reply goes on, for a while or to its end."""
    next_final: str | None
    """What is heard in the next turn; None where there is none."""
    note: str


CUT = Outcome.INTERRUPTED

INTO_REPLIES = (
    IntoReply(
        "asr:delay=1s#2", "about london", CUT, (), False, "about london", "after 1 s, in which the reply stands still"
    ),
    IntoReply(
        "asr:delay=20s#2", "about london", CUT, (), True, "about london", "after `STREAM_ASR_TIMEOUT_S`, by the partial"
    ),
    IntoReply("asr:drip=500ms#2", "about london", CUT, (), False, "about london", "half a second late, or more"),
    IntoReply(
        "asr:hang=0#2",
        "about london",
        DONE,
        (),
        True,
        "about london",
        "goes on after 3 s; heard when the reply is over",
    ),
    IntoReply("asr:error=0#2", "about london", CUT, (), False, "about london", "heard once more, when it is over"),
    IntoReply(
        "asr:error=0#2, asr:error=0#3", "about london", DONE, (), True, "about london", "heard when the reply is over"
    ),
    IntoReply("asr:crash=0#2", "about london", CUT, (), False, "about london", "another process hears it"),
    IntoReply("asr:error=0#2", "mhm", DONE, (), True, None, "heard once more, when it is over"),
    IntoReply("llm:error=12#1", "mhm", FAIL, (ErrorCode.LLM_FAIL,), True, None, "whole phrases are spoken"),
    IntoReply("llm:hang=12#1", "mhm", LATE, (ErrorCode.LLM_TIMEOUT,), True, None, "whole phrases are spoken"),
    IntoReply(
        "llm:error=12#1", "about london", CUT, (ErrorCode.LLM_FAIL,), False, "about london", "the same, until then"
    ),
    IntoReply("tts:error#2", "mhm", DONE, (ErrorCode.TTS_FAIL,), True, None, "the phrase is skipped"),
    IntoReply("tts:hang#2", "about london", CUT, (), False, "about london", "the phrase is nobody's any more"),
    IntoReply(
        "store:hang#1",
        "about london",
        CUT,
        (ErrorCode.INTERNAL,),
        False,
        "about london",
        "the next turn begins 5 s late",
    ),
)

DRAFTED = (
    Row("asr:error#1", (ErrorCode.ASR_FAIL,), FAIL, Kept.NOTHING, "what was drafted is discarded"),
    Row("asr:hang#1", (ErrorCode.ASR_TIMEOUT,), LATE, Kept.NOTHING, "the same, after `STREAM_ASR_TIMEOUT_S`"),
    Row("llm:delay=2s#1", (), DONE, Kept.ALL, "it becomes the reply, and comes 2 s after it was begun"),
    Row("llm:drip=50ms#1", (), DONE, Kept.ALL, "what is written by then comes at once, the rest a letter each 50 ms"),
    Row("llm:hang#1", (ErrorCode.LLM_TIMEOUT,), LATE, Kept.WORDS, "`STREAM_LLM_FIRST_TOKEN_S` after it was begun"),
    Row("llm:hang=3#1", (ErrorCode.LLM_TIMEOUT,), LATE, Kept.PART, "what was written is spoken"),
    Row("llm:error#1", (), DONE, Kept.ALL, "the model is asked once more, at the end"),
    Row("llm:error=8#1", (), DONE, Kept.ALL, "the same; of the first reply nothing is said"),
    Row("llm:error#1, llm:error#2", (ErrorCode.LLM_FAIL,), FAIL, Kept.WORDS, "the same, and told"),
    Row("llm:garbage#1", (), DONE, Kept.ALL, "what is no text is replaced, the rest is written as it came"),
    Row("tts:delay=2s#1", (), DONE, Kept.ALL, "the first sound comes 2 s after it was begun"),
    Row("tts:hang#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the phrase is skipped after `STREAM_TTS_TIMEOUT_S`"),
    Row("tts:error#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the phrase is skipped when the draft becomes the reply"),
    Row("tts:crash#1", (ErrorCode.TTS_FAIL,), DONE, Kept.ALL, "the same; another process says the next"),
    Row("store:hang#1", (ErrorCode.INTERNAL,), DONE, Kept.NOTHING, "`done` comes 5 s late"),
)
"""The same, of turns whose reply is begun in a pause."""


@dataclass(frozen=True)
class OfTool:
    """A fault of a tool, and what comes of it."""

    faults: str
    state: CallState
    """How the call ends."""
    told: str | None
    """With what the language model goes on; None: what is garbage, as far as it is text."""
    note: str


TOOL_ANSWER = "It is noon."

OF_TOOLS = (
    OfTool("tool:delay=2s#1", CallState.DONE, TOOL_ANSWER, "2 s late; meanwhile, something is said"),
    OfTool(
        "tool:hang#1",
        CallState.FAILED,
        "The tool did not answer within 10 seconds.",
        "after `STREAM_TOOL_TIMEOUT_S`; meanwhile, something is said",
    ),
    OfTool("tool:error#1", CallState.FAILED, "This was made to fail (STREAM_FAULTS).", "at once"),
    OfTool("tool:garbage#1", CallState.DONE, None, "what is no text is replaced, and what is too long cut"),
)
"""Of a turn whose reply asks for one tool, which answers `TOOL_ANSWER`."""

OF_MCP = OfTool(
    "mcp:crash#1",
    CallState.DONE,
    "The MCP server home ended during the call. It may be done all the same.",
    "at once, of a tool that has effects; the server is started anew",
)
"""Of the same with a tool of the MCP server ``home``."""

REFUSED = ("llm:crash", "remote:hang")
"""What engines of this machine cannot suffer: the server does not start."""


@dataclass(frozen=True)
class Manner:
    """A kind of misbehaviour of tools/misbehave.py, and what comes of it."""

    name: str
    end: str
    """How the session ends; a close as ``closed CODE``."""
    said: Sequence[str]
    """The errors and infos before that."""
    kept: Kept | None
    """What is remembered of its turn; None where it has none."""
    note: str


MANNERS = (
    Manner("stalled_reader", "cut off", (), Kept.PART, "after `STREAM_SEND_TIMEOUT_S`; the turn is cancelled"),
    Manner("stalled_writer", "ended", (), Kept.NOTHING, "after 40 s without a pong; the turn is cancelled"),
    Manner("half_closed", "ended", (), Kept.PART, "at once; the turn is cancelled"),
    Manner("reset", "reset by the client", (), Kept.PART, "at once; the turn is cancelled"),
    Manner("cut_messages", "closed 1007", ("PROTOCOL_VIOLATION",), None, "whatever the byte"),
    Manner("cut_frames", "ended", (), None, "at once, whatever the byte"),
    Manner("split_messages", "still open", ("nothing_to_cancel",), None, "every message is understood"),
    Manner("oversized", "closed 1009", ("PROTOCOL_VIOLATION",), Kept.NOTHING, "the turn is cancelled"),
    Manner(
        "out_of_order",
        "closed 1008",
        ("PROTOCOL_VIOLATION, recoverable", "PROTOCOL_VIOLATION"),
        None,
        "four are answered, the fifth within 10 s ends the session",
    ),
    Manner("flood", "closed 1008", ("nothing_to_cancel", "PROTOCOL_VIOLATION"), None, "after a hundred at once"),
    Manner("fast_audio", "still open", (), Kept.NOTHING, "up to 1.5 of real time is taken for good"),
)


def manners_table() -> str:
    """Return the manners in Markdown."""
    lines = ["| name | the client | errors and infos | the session | memory holds | |", "|---|---|---|---|---|---|"]
    for manner in MANNERS:
        does = (KINDS[manner.name].__doc__ or "").rstrip(".")
        heard = "; ".join(manner.said) or "none"
        kept = manner.kept or "there is no turn"
        lines.append(
            f"| `{manner.name}` | {does[0].lower()}{does[1:]} | {heard} | {manner.end} | {kept} | {manner.note} |"
        )
    return "\n".join(lines)


def into_replies_table() -> str:
    """Return the rows of `INTO_REPLIES` in Markdown."""
    lines = ["| fault | said | the first turn ends | it says | the reply | the next turn hears | |", "|---" * 7 + "|"]
    for row in INTO_REPLIES:
        errors = ", ".join(row.errors) or "no error"
        goes_on = "is held, and goes on" if row.released else "is held"
        heard = row.next_final or "there is none"
        lines.append(f"| `{row.faults}` | {row.said} | {row.outcome} | {errors} | {goes_on} | {heard} | {row.note} |")
    return "\n".join(lines)


def drafted_table() -> str:
    """Return the rows of `DRAFTED` in Markdown."""
    return "\n".join(_lines(DRAFTED))


def tools_table() -> str:
    """Return the rows of `OF_TOOLS`, and `OF_MCP`, in Markdown."""
    lines = ["| fault | `tool` says | the language model is told | |", "|---|---|---|---|"]
    lines += [
        f"| `{row.faults}` | {row.state} | {row.told or 'what was answered'} | {row.note} |"
        for row in (*OF_TOOLS, OF_MCP)
    ]
    return "\n".join(lines)


def table() -> str:
    """Return the rows in Markdown."""
    refused = [f"| `{faults}` | the server does not start, and says why | | | | |" for faults in REFUSED]
    return "\n".join([*_lines(ROWS), *refused])


def _lines(rows: Iterable[Row]) -> list[str]:
    lines = [
        "| fault | the client sees | the turn ends | memory holds | the next turn | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        seen = ", ".join(dict.fromkeys(row.errors)) or "no error"
        seen += " for each phrase" if len(row.errors) > 1 else ""
        seen += ", recoverable" if row.errors else ""
        next_turn = "works" if row.next_outcome is Outcome.COMPLETED else f"ends {row.next_outcome}"
        lines.append(f"| `{row.faults}` | {seen} | {row.outcome} | {row.kept} | {next_turn} | {row.note} |")
    return lines
