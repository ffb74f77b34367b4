"""Where an utterance begins, falters and ends: one decision a frame in, what the listener hears out.

Theory
======

A detector judges each frame of 30 ms alone; it takes a keystroke for a word now and then, and a soft consonant for
silence. So no single frame means anything here. Three measures do:

- A *run* of speech is 3 speech frames among the last 4. A run makes an onset, and takes a silence back. It is there
  90 to 120 ms after the first sound of a word; a single click, or a double one, never makes it. Where an onset that
  was none can be taken back, as a reply that is held goes on, 2 among the last 3 make it (``eager``).
- While somebody speaks, 2 of the last 4 are enough to hold it: the frame of a decision that flickers still is speech.
  The last frame so held is where the voice was last heard, `Endpointer.voiced_through`. A click that comes more than
  two frames later is neither, so it moves nothing.
- The *end* comes when ``silence_ms`` have gone by since `voiced_through`, and at least 80 % of the frames of that
  window were silence. Both are needed: without the first the end would come at 80 % of the time asked for, without
  the second in the middle of a babble too uneven to make a run.
- Neither an end nor a pause is said while a run may be beginning, that is with speech in the last two frames: the
  word that such a frame belongs to is still part of the utterance.

``silence_ms`` counts for every pause but one of which `Endpointer.wait` was told otherwise, since what was said before
it, and how, may show what it is.

It follows that clicks of a frame each, 150 ms apart or more, delay an end by 150 ms at most.

The table has the listener's four states. Its keys are what is said, and two events nobody is told: `Stir`, a first
speech frame, and `FalseStart`, when nothing came of it. A pair that is not listed is a defect of ours and raises.

Positions are samples of the session: of the audio pushed, plus the ``start_sample`` that the endpointer was made with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from voice_trio.core.audio import FRAME_MS, FRAME_SAMPLES
from voice_trio.core.transitions import next_state

PRE_ROLL_MS: Final = 300
"""Audio to keep from before an `Onset`: the soft beginning of a word is no speech to a detector yet."""

MAYBE_END_MS: Final = 200
"""Silence after which `MaybeEnd` is said; also the shortest ``silence_ms``."""

WEIGHED_PAUSE_MS: Final = 90
"""The same where pauses are weighed: the words are to be known, and a reply under way, before the shortest window is
over. Of the pauses inside sentences that are told so early, a seventh is over before 150 ms."""

LONGEST_SILENCE_MS: Final = 5000
"""The longest ``silence_ms``."""

SILENT_SHARE_PERCENT: Final = 80
"""Of the frames in the window of silence before an `End`, so many are silence."""

SPEECH_ON: Final = 0.5
SPEECH_OFF: Final = 0.35
"""Probability at which silence turns to speech, and below which speech turns to silence, as Silero's makers advise."""

_LEAST_SURE: Final = 0.05
_MOST_SURE: Final = 0.95
"""No detector is surer than that for long, and none is less sure in a room that is not quite still."""

_WINDOW_FRAMES: Final = 4
_RUN_FRAMES: Final = 3
_EAGER_WINDOW_FRAMES: Final = 3
_EAGER_RUN_FRAMES: Final = 2
_HOLD_FRAMES: Final = 2
_UNDECIDED_FRAMES: Final = 2
"""With these silent no run can come of the frames before them: 3 of 4 do not fit around a gap of two."""


# --- what is said ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Onset:
    """Somebody began to speak at ``sample``, give or take the softness that `PRE_ROLL_MS` is for."""

    sample: int


@dataclass(frozen=True, slots=True)
class MaybeEnd:
    """Silence began at ``sample``, and has lasted as long as makes a pause."""

    sample: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """Speech went on at ``sample``."""

    sample: int


@dataclass(frozen=True, slots=True)
class End:
    """The utterance is over: the voice was last heard just before ``sample``, and at ``at`` it was clear."""

    sample: int
    at: int


ListenerEvent = Onset | MaybeEnd | Resumed | End


# --- the table ------------------------------------------------------------------------------------------------------


class ListenerState(Enum):
    """Where the listener stands."""

    QUIET = auto()
    ONSET = auto()
    """A speech frame was heard; not a run yet."""
    SPEECH = auto()
    MAYBE_END = auto()


class Stir:
    """A speech frame broke the quiet."""


class FalseStart:
    """No run of speech came of it."""


TRANSITIONS: Final[Mapping[ListenerState, Mapping[type, ListenerState]]] = {
    ListenerState.QUIET: {Stir: ListenerState.ONSET},
    ListenerState.ONSET: {Onset: ListenerState.SPEECH, FalseStart: ListenerState.QUIET},
    ListenerState.SPEECH: {MaybeEnd: ListenerState.MAYBE_END},
    ListenerState.MAYBE_END: {Resumed: ListenerState.SPEECH, End: ListenerState.QUIET},
}


# --- the endpointer -------------------------------------------------------------------------------------------------


class SpeechDecision:
    """Turns a detector's probabilities, in order, into the decisions that an `Endpointer` takes.

    Two thresholds, because a voice that trails off hovers around any single one: it halves the pauses found inside
    sentences, for an end that comes one frame later.
    """

    def __init__(self, on: float = SPEECH_ON, off: float = SPEECH_OFF) -> None:
        self._on = on
        self._off = off
        self._speech = False

    @classmethod
    def at(cls, threshold: float | None) -> SpeechDecision:
        """Return one for which a ``threshold`` of 0.5, or None, is `SPEECH_ON`; 0.0 to 1.0, and more is stricter.

        The two stay as far apart as they are there, where that leaves them between `_LEAST_SURE` and `_MOST_SURE`.
        """
        on = SPEECH_ON if threshold is None else min(max(threshold + SPEECH_ON - 0.5, _LEAST_SURE), _MOST_SURE)
        return cls(on, max(on - (SPEECH_ON - SPEECH_OFF), _LEAST_SURE))

    def push(self, probability: float) -> bool:
        """Return whether the frame of this ``probability``, 0.0 to 1.0, is speech."""
        self._speech = probability >= (self._off if self._speech else self._on)
        return self._speech


class Endpointer:
    """Follows one session's decisions; after an `End` it hears the next utterance.

    ``silence_ms`` (`MAYBE_END_MS` to `LONGEST_SILENCE_MS`) is counted in whole frames, rounded up. ``strict`` wants
    every frame of that window silent. Without ``ends_on_silence`` there is no `End`: the person says when they have
    finished, and `voiced_through` tells up to where there was a voice. `MaybeEnd` is said after ``pause_ms``.
    """

    def __init__(
        self,
        *,
        silence_ms: int,
        strict: bool = False,
        ends_on_silence: bool = True,
        pause_ms: int = MAYBE_END_MS,
        start_sample: int = 0,
    ) -> None:
        self._usual_ms = self._silence_ms = _checked(silence_ms)
        self._pause_ms = pause_ms
        self._strict = strict
        self._ends_on_silence = ends_on_silence
        self._position = start_sample
        self._voiced_through: int | None = None
        self._recent = deque([False] * _WINDOW_FRAMES, maxlen=_WINDOW_FRAMES)
        self._speech: deque[bool] = deque(maxlen=_frames(LONGEST_SILENCE_MS))
        self._state = ListenerState.QUIET

    @property
    def state(self) -> ListenerState:
        """Where the listener stands."""
        return self._state

    @property
    def position(self) -> int:
        """One past the last sample pushed."""
        return self._position

    @property
    def voiced_through(self) -> int | None:
        """One past the last sample of speech in the last utterance that had an `Onset`; None before the first."""
        return self._voiced_through

    @property
    def silence_ms(self) -> int:
        """Silence that is waited for now."""
        return self._silence_ms

    def wait(self, silence_ms: int) -> None:
        """Have that much silence (`MAYBE_END_MS` to `LONGEST_SILENCE_MS`) end the present pause, a `MaybeEnd` ago.

        Once the voice is back, it is again what it was. What is over by now ends with the next frame.
        """
        if self._state is not ListenerState.MAYBE_END:
            raise ValueError("there is no pause")
        self._silence_ms = _checked(silence_ms)

    def push(self, speech: bool, *, eager: bool = False) -> tuple[ListenerEvent, ...]:
        """Take the decision about the next frame; return what it made clear, in order.

        Where it is ``eager``, 2 frames of speech among the last 3 are an onset by now.
        """
        self._recent.append(speech)
        self._speech.append(speech)
        self._position += FRAME_SAMPLES
        said: list[ListenerEvent] = []
        if self._state is ListenerState.QUIET and speech:
            self._step(Stir)
        if self._state is ListenerState.ONSET:
            if self._voiced(_RUN_FRAMES) or (eager and self._voiced(_EAGER_RUN_FRAMES, _EAGER_WINDOW_FRAMES)):
                self._say(said, Onset(self._run_start()))
            elif self._decided():
                self._step(FalseStart)
        elif self._state is ListenerState.MAYBE_END and self._voiced(_RUN_FRAMES):
            self._say(said, Resumed(self._run_start()))
        if self._state is ListenerState.SPEECH:
            if self._voiced(_HOLD_FRAMES):
                self._voiced_through = self._position
            elif self._silent_frames() >= _frames(self._pause_ms) and self._decided():
                self._say(said, MaybeEnd(self._last_voiced()))
        if self._state is ListenerState.MAYBE_END and self._is_over():
            self._say(said, End(self._last_voiced(), self._position))
        return tuple(said)

    def _is_over(self) -> bool:
        window = _frames(self._silence_ms)
        silent_enough = window if self._strict else -(-window * SILENT_SHARE_PERCENT // 100)
        return (
            self._ends_on_silence
            and self._silent_frames() >= window
            and self._decided()
            and window - sum(list(self._speech)[-window:]) >= silent_enough
        )

    def _voiced(self, frames: int, window: int = _WINDOW_FRAMES) -> bool:
        """Whether this frame is speech, and one of ``frames`` or more among the last ``window``."""
        return self._recent[-1] and sum(list(self._recent)[-window:]) >= frames

    def _decided(self) -> bool:
        """Whether no run of speech can come of the frames so far."""
        return not any(list(self._recent)[-_UNDECIDED_FRAMES:])

    def _run_start(self) -> int:
        return self._position - (_WINDOW_FRAMES - self._recent.index(True)) * FRAME_SAMPLES

    def _last_voiced(self) -> int:
        assert self._voiced_through is not None, "no run of speech yet"
        return self._voiced_through

    def _silent_frames(self) -> int:
        return (self._position - self._last_voiced()) // FRAME_SAMPLES

    def _say(self, said: list[ListenerEvent], event: ListenerEvent) -> None:
        self._step(type(event))
        said.append(event)
        self._silence_ms = self._usual_ms

    def _step(self, event: type) -> None:
        self._state = next_state(TRANSITIONS, self._state, event)


def _checked(silence_ms: int) -> int:
    if not MAYBE_END_MS <= silence_ms <= LONGEST_SILENCE_MS:
        raise ValueError(
            f"silence_ms is {silence_ms}; at least {MAYBE_END_MS} is needed, and at most {LONGEST_SILENCE_MS}"
        )
    return silence_ms


def _frames(ms: int) -> int:
    return -(-ms // FRAME_MS)
