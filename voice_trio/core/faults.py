"""How faults are written that are injected on purpose: which calls of which stage go wrong, and in what way.

    llm:hang#3, tts:delay=2s@10%, asr:error#2, tts:crash#1, llm:garbage

A stage, a kind, for some kinds a value, and which calls: `#3` is the third, `@10%` that share of them, and neither is
every call. A call is an utterance of asr, a reply of llm (each time that one is asked for), a phrase of tts, a use of a
tool, one of a tool of an MCP server (mcp), a commit or a cut (or a recall) of store, a question to an engine on another
machine (remote).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf

LONGEST_S = 3600.0
MOST = 1_000_000
"""Of calls, and of pieces of an answer, that can be counted to."""


class Stage(StrEnum):
    """Whose calls go wrong."""

    ASR = "asr"
    LLM = "llm"
    TTS = "tts"
    TOOL = "tool"
    MCP = "mcp"
    """The servers that bring tools."""
    STORE = "store"
    REMOTE = "remote"
    """The engines on other machines."""


class Kind(StrEnum):
    """What goes wrong with them."""

    DELAY = "delay"
    """The answer comes late."""
    DRIP = "drip"
    """The answer comes slowly."""
    HANG = "hang"
    """No answer comes."""
    ERROR = "error"
    """The engine says that it failed."""
    CRASH = "crash"
    """Its worker processes are killed; the MCP server is, or its connection lost."""
    GARBAGE = "garbage"
    """The answer is none that the engine may give."""
    FULL = "full"
    """The disk has no room."""


class Takes(StrEnum):
    """What may follow a kind after ``=``."""

    NOTHING = "nothing"
    SECONDS = "a time, as 2s or 500ms"
    PIECES = "a number: after so many pieces of the answer"
    OPERATION = "commit or recall"


_IN_PIECES: Mapping[Kind, Takes] = {
    Kind.DELAY: Takes.SECONDS,
    Kind.DRIP: Takes.SECONDS,
    Kind.HANG: Takes.PIECES,
    Kind.ERROR: Takes.PIECES,
    Kind.CRASH: Takes.PIECES,
    Kind.GARBAGE: Takes.PIECES,
}
KINDS: Mapping[Stage, Mapping[Kind, Takes]] = {
    Stage.ASR: _IN_PIECES,
    Stage.LLM: _IN_PIECES,
    Stage.TTS: _IN_PIECES,
    Stage.TOOL: {
        Kind.DELAY: Takes.SECONDS,
        Kind.HANG: Takes.NOTHING,
        Kind.ERROR: Takes.NOTHING,
        Kind.GARBAGE: Takes.NOTHING,
    },
    Stage.MCP: {Kind.CRASH: Takes.NOTHING},
    Stage.STORE: {
        Kind.DELAY: Takes.SECONDS,
        Kind.HANG: Takes.OPERATION,
        Kind.ERROR: Takes.OPERATION,
        Kind.FULL: Takes.NOTHING,
    },
    Stage.REMOTE: {
        Kind.DELAY: Takes.SECONDS,
        Kind.HANG: Takes.NOTHING,
        Kind.ERROR: Takes.NOTHING,
        Kind.GARBAGE: Takes.NOTHING,
    },
}
"""What each stage can suffer. An answer's pieces are partials (asr), tokens (llm) and pieces of a phrase's speech
(tts); without a number, a fault of asr waits for the final transcript, and one of llm or tts strikes at once."""

USUAL_S: Mapping[Kind, float] = {Kind.DELAY: 1.0, Kind.DRIP: 0.1}
"""The time of those kinds that take one, where none is given."""


class BadFault(Exception):
    """A part of a specification is no fault; the message names it and says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One part of a specification."""

    text: str
    """As it was written."""
    stage: Stage
    kind: Kind
    seconds: float = 0.0
    """DELAY: before the answer. DRIP: before each letter (llm, tts), or each partial and the final (asr)."""
    after: float = 0.0
    """Pieces of the answer that come before it strikes; infinity is the final transcript."""
    recall: bool = False
    """Of STORE: it strikes recalls instead of commits."""
    call: int | None = None
    """The one call that it strikes, counted from 1; None where that is not by number."""
    share: float = 1.0
    """Of all calls, where it is not by number."""


_PART = re.compile(r"(?P<stage>[^:=#@]*):(?P<kind>[^:=#@]*)(=(?P<value>[^#@]*))?(#(?P<call>.*)|@(?P<share>.*))?")
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(m?s)")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)%")
_NUMBER = re.compile(r"[0-9]{1,7}")


def parse(specification: str) -> tuple[Fault, ...]:
    """Return the faults of ``specification``, parts with commas between. Raises `BadFault`."""
    return tuple(_fault(part.strip()) for part in specification.split(",") if part.strip())


def _fault(text: str) -> Fault:
    parts = _PART.fullmatch(text)
    if parts is None:
        raise BadFault(f"{text!r} is no fault; one looks like llm:hang, llm:hang#3 or tts:delay=2s@10%")
    if parts["stage"] not in [*Stage]:
        raise BadFault(f"{text!r} names no stage; stages are {', '.join(Stage)}")
    stage = Stage(parts["stage"])
    if parts["kind"] not in KINDS[stage]:
        raise BadFault(f"{text!r} is nothing that {stage} can suffer; it can suffer {', '.join(KINDS[stage])}")
    kind = Kind(parts["kind"])
    seconds, after, recall = USUAL_S.get(kind, 0.0), inf if stage is Stage.ASR else 0.0, False
    value = parts["value"]
    takes = KINDS[stage][kind]
    if value is not None:
        match takes:
            case Takes.SECONDS if (time := _seconds(value)) is not None:
                seconds = time
            case Takes.PIECES if _NUMBER.fullmatch(value) and int(value) <= MOST:
                after = int(value)
            case Takes.OPERATION if value in ("commit", "recall"):
                recall = value == "recall"
            case _:
                raise BadFault(f"{text!r}: {stage}:{kind} takes {takes}")
    return Fault(
        text=text,
        stage=stage,
        kind=kind,
        seconds=seconds,
        after=after,
        recall=recall,
        call=_call(text, parts["call"]),
        share=_share(text, parts["share"]),
    )


def _seconds(value: str) -> float | None:
    read = _SECONDS.fullmatch(value)
    if read is None:
        return None
    seconds = float(read[1]) / (1000 if read[2] == "ms" else 1)
    return seconds if 0 < seconds <= LONGEST_S else None


def _call(text: str, number: str | None) -> int | None:
    if number is None:
        return None
    if _NUMBER.fullmatch(number) is None or not 1 <= int(number) <= MOST:
        raise BadFault(f"{text!r}: # takes the number of a call, from 1 to {MOST}")
    return int(number)


def _share(text: str, share: str | None) -> float:
    if share is None:
        return 1.0
    read = _SHARE.fullmatch(share)
    if read is None or not 0 < float(read[1]) <= 100:
        raise BadFault(f"{text!r}: @ takes a share of the calls, above 0% and up to 100%")
    return float(read[1]) / 100
