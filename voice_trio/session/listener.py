"""Audio in for the session's whole life, and the one place that says where an utterance is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import trio

from voice_trio.config import RING_MS
from voice_trio.core.audio import (
    BYTES_PER_SAMPLE,
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Framer,
    ms_to_samples,
    samples_to_ms,
)
from voice_trio.core.end_of_turn import Pauses
from voice_trio.core.endpointer import (
    MAYBE_END_MS,
    PRE_ROLL_MS,
    WEIGHED_PAUSE_MS,
    End,
    Endpointer,
    ListenerEvent,
    ListenerState,
    MaybeEnd,
    Onset,
    Resumed,
    SpeechDecision,
)
from voice_trio.core.flow import over_at
from voice_trio.core.messages import Endpointing, Start
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.engines.base import Detector
from voice_trio.session.capture import Capture
from voice_trio.session.ending import Ending
from voice_trio.session.settings import SessionSettings, endpointing_of
from voice_trio.session.weighing import Weighing


@dataclass(slots=True)
class _Task:
    """What the listener is listening for: one turn's utterance."""

    capture: Capture
    endpointer: Endpointer
    timeline: Timeline
    begin: int
    """Sample at which listening began: nothing before it belongs to the utterance."""
    ends_on_silence: bool
    pre_roll_ms: int
    """Of what comes before the onset so much belongs to it."""
    silence: bytes
    """What comes before ``begin``, as far as nobody was heard in it."""
    voiced_at: float = 0.0
    """When somebody was last heard, in seconds."""
    late: bool = False
    """Whether somebody was heard after the clock had ended the utterance."""


class Listener:
    """Takes audio without ever waiting, keeps the last seconds of it, and fills the capture of the turn that listens.

    Positions are sample numbers of the session, counted in whole frames.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._decision = SpeechDecision()
        self._framer = Framer()
        self._ring: deque[bytes] = deque(maxlen=RING_MS // FRAME_MS)
        self._arrivals: deque[float] = deque(maxlen=RING_MS // FRAME_MS)
        self._position = 0
        self._message_s = 0.0
        """How much audio the latest message held."""
        self._task: _Task | None = None
        self._taken_through: int | None = None
        """The sample up to which the utterance took the audio; None where that is longer ago than the last message."""
        self._pauses = Pauses()
        self._lost_at: float | None = None
        """Since when the client is out of reach; None while it is not."""
        self.clean: Callable[[bytes, int], bytes] | None = None
        """What takes the echo out of each frame, given with its position, before anybody hears it."""
        self.is_eager: Callable[[], bool] = lambda: False
        """Whether an onset is to be told that may be none: it would be taken back."""

    @property
    def position(self) -> int:
        """The number of the sample that comes next."""
        return self._position + len(self._framer.rest) // BYTES_PER_SAMPLE

    def listen_as(
        self, request: Start, settings: SessionSettings, *, going_on: bool = False
    ) -> tuple[Capture, Timeline]:
        """Fill a new capture as ``request`` wants it; return it, and the timeline that its moments go into.

        ``going_on`` as in `listen`.
        """
        longest_ms = settings.max_utterance_ms
        patience_s = inf if request.mode == "hands_free" else longest_ms / 1000
        capture, timeline = Capture(max_samples=ms_to_samples(longest_ms), patience_s=patience_s), Timeline()
        self.listen(
            capture,
            timeline,
            silence_ms=request.silence_ms or settings.vad_silence_ms,
            endpointing=endpointing_of(request, settings),
            ends_on_silence=request.mode != "hold",
            threshold=request.threshold,
            pre_roll_ms=PRE_ROLL_MS if request.pre_roll_ms is None else request.pre_roll_ms,
            going_on=going_on,
        )
        return capture, timeline

    def listen(
        self,
        capture: Capture,
        timeline: Timeline,
        *,
        silence_ms: int,
        endpointing: Endpointing,
        ends_on_silence: bool,
        threshold: float | None = None,
        pre_roll_ms: int = PRE_ROLL_MS,
        going_on: bool = False,
    ) -> None:
        """Fill ``capture`` in the place of any capture before it.

        It begins with what comes from now on; where it is ``going_on``, right behind what the one before it took, if
        that was over in the audio that came last. Then its `Capture.lead` is what was silent there.
        """
        begin, before = self._position if going_on else self.position, None
        if going_on and self._taken_through is not None:
            begin, before = self._taken_through, self._task
        silence = b""
        if before is None or before.capture.by_clock:
            self._detector.reset()
        else:
            # It has heard all that came until here, and would know a word less well of which it heard but the rest.
            silence = before.capture.silence(pre_roll_ms)
        self._taken_through = None
        self._decision = SpeechDecision.at(threshold)
        frames = min(-(-(self._position - begin) // FRAME_SAMPLES), len(self._ring))
        again = [(self._ring.pop(), self._arrivals.pop()) for _ in range(frames)]
        self._position -= len(again) * FRAME_SAMPLES
        weighed = endpointing == "adaptive" and ends_on_silence
        task = self._task = _Task(
            capture=capture,
            endpointer=Endpointer(
                silence_ms=silence_ms,
                strict=endpointing == "strict",
                ends_on_silence=ends_on_silence,
                pause_ms=WEIGHED_PAUSE_MS if weighed else MAYBE_END_MS,
                start_sample=self._position,
            ),
            timeline=timeline,
            begin=begin,
            ends_on_silence=ends_on_silence,
            pre_roll_ms=pre_roll_ms,
            silence=silence,
        )
        if weighed:
            capture.weighing = Weighing(self._pauses, silence_ms, lambda ms: self._wait(task, ms))
        for frame, arrival in reversed(again):
            self._take(task, frame, arrival)
        if again and capture.begun:
            self._expect(task, again[0][1])

    def feed(self, pcm: bytes, now: float, message_bytes: int = 0) -> bool:
        """Take audio that arrived at ``now``, in seconds. Never waits.

        It may be a part of a message of ``message_bytes``: the next message is due when all of this one has been said.

        Return whether now, for the first time, somebody speaks for whom it is too late: the utterance was ended by
        the clock.
        """
        task = self._task
        was_late = task is not None and task.late
        if task is None or task.capture.has_ended():
            self._taken_through = None
        self._message_s = max(len(pcm), message_bytes) / BYTES_PER_SAMPLE / SAMPLE_RATE
        for frame in self._framer.push(pcm):
            self._take(task, frame if self.clean is None else self.clean(frame, self._position), now)
        if task is None:
            return False
        if task.capture.begun:
            self._expect(task, now)
        return task.late and not was_late

    def _take(self, task: _Task | None, frame: bytes, arrival: float) -> None:
        """Take ``frame``, the next one, which came at ``arrival``."""
        self._ring.append(frame)
        self._arrivals.append(arrival)
        self._position += FRAME_SAMPLES
        if task is None:
            return
        if task.capture.ending is None:
            self._hear(task, frame, arrival)
        elif task.capture.by_clock and not task.late:
            task.late, _ = self._is_voiced(task, frame)

    def lose(self) -> None:
        """The client is out of reach, and with it the microphone: meanwhile no audio is due."""
        self._lost_at = trio.current_time()
        if self._task is not None:
            self._task.capture.expect(inf, Ending.STILL)

    def find(self) -> None:
        """The client is back, and sends what it has kept: what is due is due so much later."""
        lost_at, self._lost_at = self._lost_at, None
        task, now = self._task, trio.current_time()
        if lost_at is not None and task is not None and task.capture.begun:
            task.voiced_at += now - lost_at
            self._expect(task, now)

    def stop(self) -> None:
        """The person says that the utterance is over."""
        if self._task is not None:
            capture = self._task.capture
            if capture.begun and capture.ending is None:
                # What there is of a frame was said before it, too.
                self._taken_through = self.position - capture.append(self._framer.rest)
            capture.end(Ending.STOPPED if capture.begun else Ending.NO_SPEECH)

    def _hear(self, task: _Task, frame: bytes, now: float) -> None:
        silent_from = task.endpointer.voiced_through or 0
        voiced, events = self._is_voiced(task, frame)
        if task.capture.begun:
            self._append(task, frame)
        for event in events:
            match event:
                case Onset() if not task.capture.begun:
                    task.capture.spoken_from = event.sample
                    task.timeline.first(Moment.SPEECH_START, self._arrival(event.sample))
                    first = event.sample - ms_to_samples(task.pre_roll_ms)
                    self._append(task, self._since(max(task.begin, first)))
                    before = max(0, task.begin - first) * BYTES_PER_SAMPLE
                    task.capture.lead = task.silence[max(0, len(task.silence) - before) :]
                # Where silence does not end it, a pause says nothing: the final will be of all there is.
                case MaybeEnd() if task.ends_on_silence:
                    task.capture.pause()
                case Resumed(sample) if task.ends_on_silence:
                    task.capture.resume(samples_to_ms(sample - silent_from))
                case End():
                    task.capture.end(Ending.SILENCE)
        if voiced:
            task.timeline.latest(Moment.SPEECH_END, now)
            task.capture.voiced()
            task.capture.spoken_through = self._position
            task.voiced_at = now

    def _append(self, task: _Task, pcm: bytes) -> None:
        """Give ``pcm``, which reaches up to the latest frame's end, to ``task``."""
        self._taken_through = self._position - task.capture.append(pcm)

    def _is_voiced(self, task: _Task, frame: bytes) -> tuple[bool, Sequence[ListenerEvent]]:
        """Return whether somebody speaks in ``frame``, the next one, and what it made clear."""
        before = task.endpointer.voiced_through
        speech = self._decision.push(self._detector.speech_probability(frame))
        events = task.endpointer.push(speech, eager=speech and self.is_eager())
        return task.endpointer.voiced_through != before, events

    def _wait(self, task: _Task, silence_ms: int) -> None:
        """Have so much silence end the pause that ``task`` is in, if it has not ended by now."""
        if task.endpointer.state is ListenerState.MAYBE_END:
            task.endpointer.wait(silence_ms)
            self._expect_voice(task)

    def _expect(self, task: _Task, now: float) -> None:
        """Say until when more has to come behind a message that came now, or it is the end."""
        if task.ends_on_silence:
            self._expect_voice(task)
        elif self._lost_at is None:
            task.capture.expect(now + task.capture.longest_s, Ending.STILL)

    def _expect_voice(self, task: _Task) -> None:
        if self._lost_at is not None:
            return
        assert task.endpointer.voiced_through is not None
        silence_s = (task.endpointer.position - task.endpointer.voiced_through) / SAMPLE_RATE
        over = over_at(
            voiced_at=task.voiced_at,
            silence_s=silence_s,
            message_s=self._message_s,
            window_s=task.endpointer.silence_ms / 1000,
        )
        task.capture.expect(over, Ending.SILENCE)

    def _since(self, sample: int) -> bytes:
        """Return the ring's audio from ``sample`` on."""
        held = b"".join(self._ring)
        return held[max(0, len(held) - (self._position - sample) * BYTES_PER_SAMPLE) :]

    def _arrival(self, sample: int) -> float:
        """Return when the frame that holds ``sample`` arrived."""
        frames_ago = (self._position - sample - 1) // FRAME_SAMPLES
        return self._arrivals[-1 - min(frames_ago, len(self._arrivals) - 1)]
