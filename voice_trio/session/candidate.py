"""Speech into a reply, until it is clear whether it is meant for us."""

from __future__ import annotations

from math import inf

import trio

from voice_trio.config import PARTIAL_GAP_MS
from voice_trio.core import messages as m
from voice_trio.core.audio import ms_to_samples, samples_to_ms
from voice_trio.core.consent import is_yes
from voice_trio.core.interruption import ENOUGH_VOICE_MS, is_echo, is_meant, is_part
from voice_trio.core.languages import language_of
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import (
    EngineError,
    Engines,
    Recognizer,
    Utterance as Hearing,
    open_utterance,
    partial_interval_ms,
)
from voice_trio.session import asr
from voice_trio.session.capture import Capture
from voice_trio.session.turn import Turn

LONGEST_HOLD_S = 3.0
"""A voice without words, or a recognizer that finds none, holds the reply no longer. Words that come later count."""

DOUBTFUL_VOICE_MS = 300
"""So much voice holds the reply where some of the reply itself may have been heard: none of that lasts longer."""

_FIRST_VOICE_MS = 390
"""Of less voice no words are asked for: few are as short, and they are heard when the voice pauses."""

_WORDED_AFTER_MS = 150
"""With so much silence behind it a recognizer knows a short word."""

_MOST_ARE_CLEAR_MS = 1200
"""Of so much voice nearly every interruption is clear: until then its words are asked for again and again."""

_EAGER_GAP_S = 0.03
"""What lies between an answer and the next question until then: the processor is for others, too."""

_OVER_MS = 1200
"""After so much silence it is over, however long the person is given to finish what is meant: the reply waits."""

_GOES_ON_MS = 1000
"""What begins so soon after the person's voice was heard is more of what they said."""

_UNHEARD_MS = 300
"""And so is what begins so soon after they were taken to have finished: nobody has heard the reply by then."""

Utterance = tuple[Capture, Timeline]


def follows(said: Capture, spoken_through: int) -> bool:
    """Return whether ``said`` begins so soon after the person was last heard that it is more of what they said."""
    return said.spoken_from < spoken_through + ms_to_samples(_GOES_ON_MS)


class Candidate:
    """Speech into a reply, of which it is not yet known whether it is meant for us."""

    def __init__(
        self, turn: Turn, request: m.Start, utterance: Utterance, *, echoes: bool, doubtful: bool, holds: bool
    ) -> None:
        """``echoes`` says that the client lets the reply come back through the microphone, and ``doubtful`` that some
        of this may be it. ``holds`` says whether the reply stands still meanwhile.
        """
        self.turn = turn
        """The one whose reply sounds."""
        self.utterance = utterance
        self.scope = trio.CancelScope()
        self.release_at: float | None = None
        """Until when it holds the reply at most, in Trio's seconds; None while it does not."""
        self._language = request.language or turn.language
        self._likely = language_of(request.locale)
        self._capture, _ = utterance
        self._doubtful = doubtful
        self._held_from = ms_to_samples(DOUBTFUL_VOICE_MS if doubtful else 0) if holds else inf
        unheard_until = turn.listened_through + ms_to_samples(_UNHEARD_MS)
        self._goes_on = follows(self._capture, turn.spoken_through) or self._capture.spoken_from < unheard_until
        self._echoes = echoes
        self._words = ""

    @property
    def listening(self) -> bool:
        """Whether it goes on."""
        return not self._capture.has_ended()

    @property
    def is_part(self) -> bool:
        """Whether it goes on with what was answered, by a word that is too little to be meant by itself."""
        return self._goes_on and is_part(self._words) and not (self._doubtful or self._is_echo())

    def hold(self) -> bool:
        """Have the reply held, once there is enough voice for that. Return whether it is from now on."""
        if self.release_at is not None or self._capture.voiced_samples < self._held_from:
            return False
        self.turn.hold()
        self.release_at = trio.current_time() + LONGEST_HOLD_S
        return True

    async def is_meant(self, engines: Engines, timeout_s: float) -> bool | None:
        """Return whether it is, as soon as that is clear, at most ``timeout_s`` after its end.

        A recognizer that fails hears all of it again at its end: nobody is told to say it once more. Of one that fails
        then, or takes longer, the words count that it had until then; without any it is None. So it is of a yes to what
        the reply asks, too: that is said a little early, and heard when the question is over. Raises what is a defect.
        """
        weighed = False
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as limit:
                nursery.start_soon(asr.limit_from_end, self._capture, limit, timeout_s)
                weighed = await self._is_weighed(engines.recognizer)
                if not weighed:
                    await self._capture.wait_ended()
                    self._capture.rewind()
                    weighed = await self._is_weighed(engines.recognizer)
            nursery.cancel_scope.cancel()
        if not (weighed or self._words) or (self.turn.reply.wanted is not None and is_yes(self._words, self._language)):
            return None
        return self._judge(over=True)

    async def _is_weighed(self, recognizer: Recognizer) -> bool:
        """Listen until it is clear, or over; return whether the recognizer went along."""
        failed = False
        try:
            while await self._more_was_said(recognizer):
                self._capture.rewind()
        except* EngineError:
            failed = True
        return not failed

    async def _more_was_said(self, recognizer: Recognizer) -> bool:
        """Listen until it is clear, or over; return whether more was said while it was taken to be over."""
        capture = self._capture
        async with open_utterance(recognizer, self._language, self._likely) as hearing:
            if self.listening:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._end_with_capture, nursery.cancel_scope)
                    nursery.start_soon(self._end_in_silence, nursery.cancel_scope)
                    await self._follow(hearing, partial_interval_ms(recognizer) / 1000)
                    nursery.cancel_scope.cancel()
            if self._judge(over=False):
                return False
            hearing.feed(capture.take())
            voiced = capture.voiced_samples
            settled = await hearing.settle(capture.samples, capture.voiced_through)
            self._words, capture.settled = settled.text, settled
        return capture.voiced_samples > voiced

    async def _end_with_capture(self, scope: trio.CancelScope) -> None:
        await self._capture.wait_ended()
        scope.cancel()

    async def _end_in_silence(self, scope: trio.CancelScope) -> None:
        # What did not come is no silence: it may be late, and have words in it.
        while self._capture.silent_samples < ms_to_samples(_OVER_MS):
            await self._capture.wait_paused()
            await self._capture.wait_silent(_OVER_MS)
        scope.cancel()

    async def _follow(self, hearing: Hearing, interval_s: float) -> None:
        """Ask for the words until it is clear.

        That is as soon as there is voice enough for any, at once when there is enough for a verdict, soon again while
        one is likely, whenever the voice pauses, and else no more often than partials are.
        """
        capture, enough, gap_s = self._capture, ms_to_samples(ENOUGH_VOICE_MS), PARTIAL_GAP_MS / 1000
        await capture.wait_voiced(ms_to_samples(_FIRST_VOICE_MS))
        while True:
            if pauses := capture.pauses:
                await capture.wait_silent(_WORDED_AFTER_MS)
            asked_at, voiced = trio.current_time(), capture.voiced_samples
            hearing.feed(capture.take())
            self._words = (await hearing.hypothesize()).text
            if self._judge(over=False):
                return
            if capture.pauses and not pauses:
                continue  # Since then it has come to a pause.
            if enough <= voiced < ms_to_samples(_MOST_ARE_CLEAR_MS):
                again_at = trio.current_time() + _EAGER_GAP_S
            else:
                again_at = max(asked_at + interval_s, trio.current_time() + gap_s)
            with trio.move_on_at(again_at):
                await capture.wait_voiced(enough if voiced < enough else None)
            # Silence says nothing more, but that the voice pauses.
            if pauses or not capture.pauses:
                await capture.wait_voiced(voiced + 1)

    def _judge(self, *, over: bool) -> bool | None:
        if self._is_echo():
            return False if over else None
        voiced_ms = samples_to_ms(self._capture.voiced_samples)
        in_part = self._goes_on or self._capture.by_clock
        return is_meant(
            self._words, voiced_ms, over=over, in_part=in_part, goes_on=self._goes_on, doubtful=self._doubtful
        )

    def _is_echo(self) -> bool:
        # However good the canceller, the first second of a reply may slip through it, and would end that reply.
        reply = self.turn.reply
        return self._echoes and is_echo(self._words, reply.text, reply.sounding())
