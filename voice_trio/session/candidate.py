"""Speech into a reply, until it is clear whether it is meant for us."""

from __future__ import annotations

import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.interruption import is_meant
from voice_trio.core.languages import language_of
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import EngineError, Engines, open_utterance
from voice_trio.session import asr
from voice_trio.session.capture import Capture
from voice_trio.session.turn import Turn

LONGEST_HOLD_S = 3.0
"""A voice without words, or a recognizer that finds none, holds the reply no longer. Words that come later count."""

Utterance = tuple[Capture, Timeline]


class Candidate:
    """Speech into a reply, of which it is not yet known whether it is meant for us."""

    def __init__(self, turn: Turn, request: m.Start, utterance: Utterance) -> None:
        self.turn = turn
        """The one whose reply sounds."""
        self.utterance = utterance
        self.scope = trio.CancelScope()
        self._language = request.language or turn.language
        self._likely = language_of(request.locale)
        self._capture, _ = utterance
        self._words = ""
        self._release_at = trio.current_time() + LONGEST_HOLD_S

    @property
    def listening(self) -> bool:
        """Whether it goes on."""
        return not self._capture.has_ended()

    async def is_meant(self, engines: Engines, timeout_s: float) -> bool | None:
        """Return whether it is, as soon as that is clear, at most ``timeout_s`` after its end.

        A recognizer that fails hears all of it again at its end: nobody is told to say it once more. Of one that fails
        then, or takes longer, the words count that it had until then; without any it is None. Raises what is a defect.
        """
        weighed = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tire)
            with trio.CancelScope() as limit:
                nursery.start_soon(asr.limit_from_end, self._capture, limit, timeout_s)
                weighed = await self._is_weighed(engines)
                if not weighed:
                    await self._capture.wait_ended()
                    self._capture.rewind()
                    weighed = await self._is_weighed(engines)
            nursery.cancel_scope.cancel()
        return self._judge(over=True) if weighed or self._words else None

    async def _is_weighed(self, engines: Engines) -> bool:
        """Listen until it is clear, or over; return whether the recognizer went along."""
        failed = False
        try:
            async with open_utterance(engines.recognizer, self._language, self._likely) as utterance:
                while pcm := await self._capture.receive():
                    utterance.feed(pcm)
                    self._words = (await utterance.hypothesize()).text
                    if self._judge(over=False):
                        return True
                self._words = (await utterance.settle(self._capture.samples, self._capture.voiced_through)).text
        except* EngineError:
            failed = True
        return not failed

    def _judge(self, *, over: bool) -> bool | None:
        return is_meant(self._words, self._capture.voiced_samples * 1000 // SAMPLE_RATE, over=over)

    async def _tire(self) -> None:
        await trio.sleep_until(self._release_at)
        self.turn.release()
