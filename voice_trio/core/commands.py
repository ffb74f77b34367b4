"""Everything a client can ask. `core.messages` has these beside what a session can say, and explains the units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le, MaxLen, MinLen

from voice_trio.core.codes import Count, EchoBy, Endpointing, Milliseconds, Mode, Name, Speed, TurnId

MAX_MESSAGE_BYTES = 65_536
"""The longest message a client may send."""

MAX_TEXT_CHARS = 10_000
"""The longest typed turn."""

SilenceMs = Annotated[int, Ge(200), Le(5000)]


@dataclass(frozen=True, slots=True)
class Audio:
    """Microphone audio: 16 kHz s16le mono, of any even length up to `MAX_MESSAGE_BYTES`."""

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
    barge_in: bool | None = None
    """Whether speech while a reply is made or sounds may take back the utterance's end, or interrupt the reply. Not
    given, it may where the turns are hands-free. Never in mode `hold`."""
    echo: EchoBy | None = None


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


@dataclass(frozen=True, slots=True)
class Stop:
    """The person has finished speaking."""

    name: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End the turn now; with ``turn`` given, only if it is that one."""

    name: ClassVar[str] = "cancel"
    turn: TurnId | None = None


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


Command = Audio | Start | Text | Stop | Cancel | Played | Sounding | Mark | Configure
