"""What a session log is made of: a header, and then one entry after another.

Times are seconds since the session began. What the session was told (`Command`, `Audio`, `Malformed`, `Gone`, `Drain`,
`Changed`, `Tools` and every `Answer`) is what a replay tells it again; what it did (`Said`, `Chunk`, `Ask`, `End`) is
what is compared.

Anybody may have written a session log: all that is read of it was checked against these types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from annotated_types import Ge, Le
from pydantic import Base64Bytes, Field, JsonValue

from voice_trio.core.alerts import Alert
from voice_trio.core.history import Record
from voice_trio.core.messages import DrainCode, ErrorCode, InfoCode, Name
from voice_trio.engines.base import Alive, Hypothesis, ToolCall, Transcript, Usage
from voice_trio.entry_points import Kind
from voice_trio.journal.engine_names import EngineNames as EngineNames, Natural, ToolNames as ToolNames

FORMAT: Final = 1
"""The version of these types; a file of another one is not read."""

Seconds = Annotated[float, Ge(0), Le(1e7), Field(allow_inf_nan=False)]
Probability = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: whose session it was, and under which settings."""

    kind: Literal["header"] = "header"
    format: int = FORMAT
    version: str
    """Of voice_trio."""
    began: str
    """UTC, ISO 8601."""
    session: str
    """Its id in the log."""
    settings: dict[str, JsonValue]
    """Those that a session looks at."""
    engines: EngineNames
    whole: bool = False
    """Each reply was handed over in one piece, so its audio was not paced."""
    unpaced: bool = False
    """Each reply's audio went out as it was made."""
    tools: tuple[ToolNames, ...] = ()
    """Those that the server had as the session began."""
    wall: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """Seconds since 1970 at which it began, by the clock that alerts are due by. Older files do not hold it."""


# --- what a session is told -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The client's message, but for audio, as /ws spells it; so is a `Configure`, which came by another wire."""

    kind: Literal["command"] = "command"
    at: Seconds
    message: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """The client's audio, and what the detector thought of each frame that it was shown of it."""

    kind: Literal["audio"] = "audio"
    at: Seconds
    pcm: Base64Bytes
    speech: tuple[Probability, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """The client's message was none."""

    kind: Literal["malformed"] = "malformed"
    at: Seconds
    message: str
    close_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The client was gone."""

    kind: Literal["gone"] = "gone"
    at: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The server told the session to come to an end."""

    kind: Literal["drain"] = "drain"
    at: Seconds
    grace_s: Seconds
    why: DrainCode = InfoCode.SHUTTING_DOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The server has another engine for the turns to come."""

    kind: Literal["changed"] = "changed"
    at: Seconds
    what: Kind
    engines: EngineNames
    """All that there are now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The server had other tools than before, as the session looked. Older files do not hold it."""

    kind: Literal["tools"] = "tools"
    at: Seconds
    looks: Natural
    """How many times it was looked before, the header's included."""
    tools: tuple[ToolNames, ...]
    """All that there were now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An engine, the store or a tool failed."""

    by: Literal["engine", "store", "store unsure", "tool", "defect"]
    message: str
    code: ErrorCode | None = None
    """Of an engine's `EngineError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A piece of what a synthesizer said, be it speech or not."""

    pcm: Base64Bytes
    sample_rate: int
    marks: tuple[tuple[int, int], ...] = ()
    phonemes: tuple[tuple[int, str], ...] = ()
    more: bool | None = None
    """More may follow: `Speech.last` of what the voice did not know to be the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """What a tool did to the session that it was used in."""

    speed: float | None = None
    """At which speed it wants replies to be spoken."""
    forgot: Natural = 0
    """How many turns it took out."""
    changed_alerts: bool = False
    """Whether there are other timers, alarms and reminders than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the session's call number ``call`` was answered: one of the fields, or none where it is just done."""

    kind: Literal["answer"] = "answer"
    at: Seconds
    call: Natural
    waited: Seconds
    """Since the session asked for just this answer: a reply's next token, for one."""
    judged: tuple[Probability | None] | None = None
    """How likely the person had finished, where that could be told."""
    hypothesis: Hypothesis | None = None
    transcript: Transcript | None = None
    text: str | None = None
    """The next piece of a reply, or what a tool answered."""
    halves: str | None = None
    """The same as a JSON string, where it holds half of a surrogate pair, which UTF-8 has no bytes for."""
    alive: Alive | None = None
    tool_call: ToolCall | None = None
    finish: tuple[str] | None = None
    """Why the reply ended."""
    usage: Usage | None = None
    """What the server counted, with ``finish``."""
    voice: Voice | None = None
    conversation: Name | None = None
    did: Did | None = None
    """What a tool did to the session, with the ``text`` that it answered."""
    records: tuple[Record, ...] | None = None
    alerts: tuple[Alert, ...] | None = None
    granted: bool | None = None
    failure: Failure | None = None
    over: bool | None = None
    """The stream has ended, the context was left, or no piece of speech follows."""


# --- what a session does --------------------------------------------------------------------------------------------

Fate = Literal["sent", "lost", "stuck"]
"""What became of an event: sent; lost, for the client was gone; stuck, until nobody wanted to send it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event, but for audio, as /ws spells it. ``at`` is when its sending began."""

    kind: Literal["said"] = "said"
    at: Seconds
    message: dict[str, JsonValue]
    took: Seconds
    fate: Fate = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """An event that /ws leaves unsaid. All that it says follows from the others; older files do not hold it."""

    kind: Literal["aside"] = "aside"
    at: Seconds
    name: Name
    took: Seconds
    fate: Fate = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of audio. Its samples are in the `Answer` that it is cut from, so a digest will do."""

    kind: Literal["chunk"] = "chunk"
    at: Seconds
    turn: Natural
    phrase: Natural
    seq: Natural
    first_sample: Natural
    samples: Natural
    crc32: Natural
    took: Seconds
    fate: Fate = "sent"


Of = Literal[
    "weigh",
    "open",
    "hypothesize",
    "anticipate",
    "settle",
    "write",
    "use",
    "speak",
    "begin",
    "recall",
    "commit",
    "amend",
    "claim",
    "alerts",
    "put_alert",
    "remove_alerts",
]
"""What a session asks: one question for what weighs pauses, four for the recognizer, one for the language model, one
for a tool, one for the voice, and eight for the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The session asked an engine or the store for something."""

    kind: Literal["ask"] = "ask"
    at: Seconds
    call: Natural
    of: Of
    within: Natural | None = None
    """The call that opened the utterance which `hypothesize`, `anticipate` and `settle` are about."""
    what: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The session is over: it closed the link, or was cancelled because the client or the server went away."""

    kind: Literal["end"] = "end"
    at: Seconds
    how: Literal["closed", "cancelled"]
    close_code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The session log ends before the session does."""

    kind: Literal["stopped"] = "stopped"
    at: Seconds
    why: str


Entry = (
    Command | Audio | Malformed | Gone | Drain | Changed | Tools | Answer | Said | Aside | Chunk | Ask | End | Stopped
)
