"""Everything a client can ask. `core.messages` has these beside what a session can say, and explains the units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from voice_trio.core.alerts import CancelTimer, Resume
from voice_trio.core.codes import (
    BargeIn,
    Count,
    EchoBy,
    Endpointing,
    Milliseconds,
    Mode,
    MostTokens,
    Name,
    PreRollMs,
    SoundCodec,
    Speed,
    Threshold,
    TurnId,
)
from voice_trio.core.item_commands import AddItem, CutItem, DeleteItem, ReadItem
from voice_trio.core.items import Item, Reference
from voice_trio.core.tools import Tool, ToolChoice

MAX_MESSAGE_BYTES = 65_536
"""The longest message a client may send."""

MAX_TEXT_CHARS = 10_000
"""The longest typed turn."""

SilenceMs = Annotated[int, Ge(200), Le(5000)]
IdleMs = Annotated[int, Ge(1000), Le(600_000)]


@dataclass(frozen=True, slots=True)
class Audio:
    """Microphone audio: 16 kHz s16le mono, of any even length; /ws has at most `MAX_MESSAGE_BYTES` at once."""

    name: ClassVar[str] = "audio"
    pcm: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin a spoken turn."""

    name: ClassVar[str] = "start"
    mode: Mode = "tap"
    conversation: Name | None = None
    language: Name | None = None
    locale: Name | None = None
    """What the person's device is set up for, in BCP 47: the language of what may be any."""
    voice: Name | None = None
    speed: Speed | None = None
    phonemes: bool | None = None
    silence_ms: SilenceMs | None = None
    endpointing: Endpointing | None = None
    """None: the server's way, but always ``silence_ms`` where that is given."""
    threshold: Threshold | None = None
    """How sure it has to be that somebody speaks. 0.5, or None, is the server's own measure, and more is stricter."""
    pre_roll_ms: PreRollMs | None = None
    """How much of what comes before the onset belongs to the utterance; None: as much as a soft beginning needs."""
    barge_in: bool | BargeIn | None = None
    """Whether speech while a reply is made or sounds may take back the utterance's end, or interrupt the reply. Not
    given, it may where the turns are hands-free. Never in mode `hold`."""
    echo: EchoBy | None = None
    codec: SoundCodec | None = None
    """How sound is coded in both directions from now on; None: as it was."""
    reply: bool | None = None
    """False: what is said is remembered, and nobody answers it; not given, it is answered."""
    visible: bool | None = None
    """Whether the person sees what the client shows: then nothing is said to bridge the time that a tool takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Begin a typed turn."""

    name: ClassVar[str] = "text"
    text: Annotated[str, MinLen(1), MaxLen(MAX_TEXT_CHARS)]
    conversation: Name | None = None
    language: Name | None = None
    voice: Name | None = None
    speed: Speed | None = None
    phonemes: bool | None = None
    reply: bool | None = None
    """False: what is written is remembered, and nobody answers it; not given, it is answered."""
    hands_free: bool | None = None
    """Whether the turns to come are hands-free, as the latest `Start` of that mode asked for. Not given: as it was."""
    codec: SoundCodec | None = None
    """How the sound of replies is coded from now on; None: as it was."""
    visible: bool | None = None
    """The same as in `Start`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The person has finished speaking."""

    name: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End the turn now; with ``turn`` given, only if it is that one."""

    name: ClassVar[str] = "cancel"
    turn: TurnId | None = None
    samples: Count | None = None
    """So much of its audio has been heard, as `Played` would say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """``samples`` of the turn's audio, counted from its first at the output's rate, have been heard."""

    name: ClassVar[str] = "played"
    turn: TurnId
    samples: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounding:
    """From sample ``at`` of the next `Audio` on, the turn's audio sounds from its ``sample`` on; without one, nothing.

    It holds until the next, and from one `Audio` to the one after it.
    """

    name: ClassVar[str] = "sounding"
    turn: TurnId | None = None
    sample: Count = 0
    at: Annotated[int, Ge(0), Le(MAX_MESSAGE_BYTES // 2)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the client's clock saw, in milliseconds since it sent `Start` or `Text`."""

    name: ClassVar[str] = "mark"
    turn: TurnId
    marks: Annotated[dict[Name, Milliseconds], MaxLen(32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """What the turns from now on go by where their `Start` or `Text` says nothing.

    It replaces the one before it as a whole: a field that is None is the server's own choice again.
    """

    name: ClassVar[str] = "configure"
    instructions: str | None = None
    """What the language model is told before anything else, instead of the server's words; empty for nothing."""
    voice: Name | None = None
    language: Name | None = None
    locale: Name | None = None
    speed: Speed | None = None
    silence_ms: SilenceMs | None = None
    endpointing: Endpointing | None = None
    tools: tuple[Tool, ...] | None = None
    """What the client can be asked for by the language model."""
    tool_choice: ToolChoice | None = None
    max_tokens: MostTokens | None = None
    aloud: bool | None = None
    """False: replies are written, and nobody says them."""


# --- for clients to whom utterances and replies are two things: each of these is answered by one event, in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Begin a turn whenever somebody speaks, as ``start`` would; without it, never: audio is gathered for a `Commit`.

    It is answered by nothing, and holds until the next, or until a `Start`. What somebody is saying in a turn ends with
    it where audio is gathered from now on.
    """

    name: ClassVar[str] = "listen"
    start: Start | None = None
    """Its mode is taken for `hands_free`."""
    idle_ms: IdleMs | None = None
    """When nobody has spoken for so long after the sound of the latest reply, there is another; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Begin a turn that hears what was gathered, and is not answered. Its item is there at once."""

    name: ClassVar[str] = "commit"
    language: Name | None = None
    locale: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """Forget what was gathered since the last `Commit`, or what somebody is saying: a turn that listens is no more."""

    name: ClassVar[str] = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Begin a turn that answers what stands in the conversation. What is None is as it is configured."""

    name: ClassVar[str] = "respond"
    instructions: str | None = None
    """What the language model is told before anything else; empty for nothing."""
    voice: Name | None = None
    language: Name | None = None
    speed: Speed | None = None
    phonemes: bool | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    max_tokens: MostTokens | Literal["inf"] | None = None
    """``inf``: as many as the language model likes."""
    aloud: bool | None = None
    items: tuple[Item | Reference, ...] | None = None
    """What is answered, instead of the conversation."""
    out_of_band: bool = False
    """Nothing of the reply becomes an item of the conversation, or is remembered; it runs beside any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReply:
    """End the reply that is under way, or was asked for. An utterance that is over is heard all the same, and stands.

    Where there is none, it is answered by an info.
    """

    name: ClassVar[str] = "cancelreply"
    reply: TurnId | None = None
    """That of this turn, which may be out of band; None: the conversation's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Have ``body`` said, in its place among all that is said: for what a codec answers by itself."""

    name: ClassVar[str] = "answer"
    body: str


# --- what the link itself says, of a client that may be out of reach for a while


@dataclass(frozen=True, slots=True)
class Detached:
    """The client is out of reach, and may come back. From now on nothing reaches it, and nothing comes from it."""

    name: ClassVar[str] = "detached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The client is back, and is sent what it did not get."""

    name: ClassVar[str] = "attached"
    sounds: tuple[tuple[TurnId, Count, Count], ...] = ()
    """Turns, how many samples of the audio of each it has, and of how many `Hold` and `Release` it knows."""


Command = (
    Audio
    | Start
    | Text
    | Stop
    | Cancel
    | Played
    | Sounding
    | Mark
    | CancelTimer
    | Resume
    | Configure
    | Listen
    | Commit
    | Clear
    | Respond
    | CancelReply
    | AddItem
    | ReadItem
    | DeleteItem
    | CutItem
    | Answer
    | Detached
    | Attached
)
