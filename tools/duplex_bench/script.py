"""What a person is to say to a server, and when: sessions as data. Times in s; sound is 16 kHz mono, full scale 1.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.noise import Signal
from voice_trio.core.audio import SAMPLE_RATE


class Kind(StrEnum):
    """What somebody means by a sound."""

    TURN = "turn"
    """Said to the assistant while it is silent; it is to answer."""
    INTERRUPTION = "interruption"
    """Said into its reply; it is to fall silent, and to answer this."""
    BACKCHANNEL = "backchannel"
    """Said into its reply by one who listens on; it is to go on."""
    NOISE = "noise"
    """No words, over its reply; it is to go on."""
    ASIDE = "aside"
    """Said to somebody else; it is not to answer."""


ADDRESSED = frozenset({Kind.TURN, Kind.INTERRUPTION})
OVERLAID = frozenset({Kind.BACKCHANNEL, Kind.NOISE})


class Cue(StrEnum):
    """When somebody begins to speak."""

    AFTER = "after"
    """When the assistant has fallen silent, or has let the person wait."""
    INTO = "into"
    """While it speaks; a line whose reply never comes is left out."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and where in its clip, or on the recording, it is said."""

    text: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound to be made by a person. What has no words is a noise."""

    samples: Signal
    words: tuple[Word, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Line:
    """A clip, and when to say it."""

    kind: Kind
    clip: Clip
    cue: Cue = Cue.AFTER
    after_s: float = 0.0
    """How long the assistant is silent before, or is heard before, by the cue."""


@dataclass(frozen=True, slots=True)
class Background:
    """A noise that is there all the time."""

    kind: str
    """One of `sounds.BACKGROUNDS`."""
    snr_db: float
    """By so much it is weaker than the person."""


@dataclass(frozen=True, slots=True)
class Echo:
    """The loudspeaker, as the microphone hears it."""

    gain_db: float
    """Of what is played."""
    delay_s: float


@dataclass(frozen=True, slots=True)
class Script:
    """One session: who says what to a language model that answers everything alike, and what else is to be heard."""

    name: str
    group: str
    """Scripts of one group are summed up together."""
    lines: Sequence[Line]
    reply: str
    linger_s: float = 6.0
    """So long the person listens after the last line, at most."""
    background: Background | None = None
    echo: Echo | None = None
    jitter_s: float = 0.0
    """Messages are up to so much late, both ways."""
    seed: int = 0
