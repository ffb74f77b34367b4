"""Everything a client can ask and a session can say, as frozen values.

This is the vocabulary; a codec of `voice_trio.wire` spells it on a socket. Numbers are integers unless said; ``*_ms``
are milliseconds and ``*_s`` seconds. Turns count from 1 in a session; phrases and chunks from 0 in a turn. Positions in
text are Unicode code points, positions in audio are samples. A command's ``name`` is what clients are told of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voice_trio.core.alerts import (
    CancelTimer as CancelTimer,
    Resume as Resume,
    Timers as Timers,
)
from voice_trio.core.answers import (
    Answered as Answered,
    Aside as Aside,
    Cleared as Cleared,
    Declined as Declined,
    ItemAdded as ItemAdded,
    ItemCut as ItemCut,
    ItemDeleted as ItemDeleted,
    ItemHeard as ItemHeard,
    ItemRead as ItemRead,
    NobodySpoke as NobodySpoke,
    RepliesCancelled as RepliesCancelled,
    ReplyAccepted as ReplyAccepted,
    SpeechStarted as SpeechStarted,
    SpeechStopped as SpeechStopped,
)
from voice_trio.core.called import ToolCalled as ToolCalled
from voice_trio.core.codes import (
    LEAST_COMMIT_MS as LEAST_COMMIT_MS,
    BargeIn as BargeIn,
    CallState as CallState,
    Count as Count,
    DrainCode as DrainCode,
    EchoBy as EchoBy,
    Endpointing as Endpointing,
    ErrorCode as ErrorCode,
    InfoCode as InfoCode,
    Milliseconds as Milliseconds,
    Mode as Mode,
    Name as Name,
    Origin as Origin,
    Outcome as Outcome,
    Speed as Speed,
    State as State,
    TurnId as TurnId,
    Why as Why,
)
from voice_trio.core.commands import (
    MAX_MESSAGE_BYTES as MAX_MESSAGE_BYTES,
    MAX_TEXT_CHARS as MAX_TEXT_CHARS,
    Answer as Answer,
    Attached as Attached,
    Audio as Audio,
    Cancel as Cancel,
    CancelReply as CancelReply,
    Clear as Clear,
    Command as Command,
    Commit as Commit,
    Configure as Configure,
    Detached as Detached,
    Listen as Listen,
    Mark as Mark,
    Played as Played,
    Respond as Respond,
    Sounding as Sounding,
    Start as Start,
    Stop as Stop,
    Text as Text,
)
from voice_trio.core.item_commands import (
    AddItem as AddItem,
    CutItem as CutItem,
    DeleteItem as DeleteItem,
    ReadItem as ReadItem,
)
from voice_trio.core.opened import (
    PROTOCOL as PROTOCOL,
    SessionOpened as SessionOpened,
)

MAX_PHRASES = 65_000
"""The most that a turn's reply is cut into: a chunk has 16 bits for its phrase's number."""


# --- what a session can say -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The turn moved on."""

    turn: int
    state: State
    origin: Origin | None = None
    """Why the server began it, in the first of a turn that nobody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """The person went on speaking before anything of the reply was heard: the utterance is not over.

    All that the turn said before, its transcript and its reply with the audio, is void. It is CAPTURING again, and says
    everything anew, the transcript from its first word.
    """

    turn: int
    revision: int
    """How often that happened in the turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody speaks into the reply: its player is to stand still at once, and to keep what it has.

    A `Release`, the turn's end or a `Reopened` ends it, within 3 seconds.
    """

    turn: int
    sample: int
    """Samples of the turn's audio that can have been heard by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """It was not meant for us: the player goes on where it stands."""

    turn: int
    sample: int
    """Where that is: by what the player said since the `Hold`, else the same as there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Drop all after the first ``keep`` characters shown, append ``text``; the first ``stable`` will not change."""

    turn: int
    keep: int
    text: str
    stable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """The whole transcript; replaces every partial."""

    turn: int
    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The reply goes on with ``text``."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TtsPhrase:
    """What is spoken next: characters ``start`` to ``end`` of the reply."""

    turn: int
    phrase: int
    start: int
    end: int
    sample_rate: int
    words: tuple[tuple[int, int], ...] | None = None
    """(sample of the phrase, code point of the reply) at which each word begins, rising in both; None: not known."""
    phonemes: tuple[tuple[int, str], ...] | None = None
    """(sample of the phrase, symbol) at which each phoneme begins, rising; None: not known, or not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TtsWords:
    """More words of a phrase that comes in several pieces, as `TtsPhrase` has them, before their audio."""

    turn: int
    phrase: int
    words: tuple[tuple[int, int], ...]
    phonemes: tuple[tuple[int, str], ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TtsChunk:
    """A piece of a phrase's audio, s16le mono; ``first_sample`` counts from the turn's first."""

    turn: int
    phrase: int
    seq: int
    first_sample: int
    pcm: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TtsPhraseDone:
    """Nothing more of the phrase's audio comes but the ``rest`` of its packets (base64), where the wire has packets."""

    turn: int
    phrase: int
    samples: int
    rest: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """When things happened, in milliseconds; None for what did not.

    The first partial counts from the first speech frame, all else from the last one (typed turns: from `Text`).
    """

    t_first_partial_ms: int | None = None
    t_final_transcript_ms: int | None = None
    t_first_token_ms: int | None = None
    t_first_audio_ms: int | None = None
    total_reply_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The turn is over: its one terminal. Nothing of the turn follows."""

    turn: int
    outcome: Outcome
    remembered: bool | None  # whether the turn is kept; None where that could not be learnt
    heard: int
    """Code points of the reply that the person has heard."""
    latency: Latency = field(default_factory=Latency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """Something failed; the session stays open if ``recoverable``."""

    code: ErrorCode
    message: str
    recoverable: bool
    turn: int | None = None
    phrase: int | None = None
    retry_after_s: int | None = None
    incident: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """Something worth telling the person."""

    code: InfoCode
    message: str
    turn: int | None = None
    command: str | None = None
    active: bool | None = None
    grace_s: float | None = None
    end_of_turn: str | None = None
    asr: str | None = None
    llm: str | None = None
    synthetic: bool | None = None
    voices: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None


TurnSays = (
    StateChanged
    | Reopened
    | Hold
    | Release
    | Partial
    | Final
    | Token
    | ToolCalled
    | TtsPhrase
    | TtsWords
    | TtsChunk
    | TtsPhraseDone
    | Done
)
Event = SessionOpened | TurnSays | Error | Info | Timers | Aside
