"""Who has the floor when somebody speaks whom no turn asked for.

In hands-free turns, and wherever the client asked for it, the listener goes on listening as soon as an utterance is
over. What it then hears is one of three:

- Nothing of the reply was heard yet: the person had not finished. The turn is reopened, with all that was said in it.
- The reply sounds: it is held at once, since silence can be taken back, and the speech is a `Candidate`. Its words
  decide (`core.interruption`): the reply is interrupted, and the candidate's audio begins the next turn; or it goes on.
- The turn is over: the next one begins.

Nobody is told of a candidate, but by the hold; its audio is heard once more, from its first sample, in the turn that it
begins. So a turn that is announced is like any other, and a candidate that is dropped has left nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from voice_trio.core import messages as m
from voice_trio.core.audio import SAMPLE_RATE
from voice_trio.core.interruption import is_meant
from voice_trio.core.messages import Outcome
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import EngineError, Engines
from voice_trio.session.capture import Capture, Ending
from voice_trio.session.report import report
from voice_trio.session.settings import SessionSettings
from voice_trio.session.turn import Turn

LONGEST_HOLD_S = 3.0
"""A voice without words that goes on for so long holds the reply no more. Words of it that come later still count."""

Begin = Callable[[m.Start, Capture, Timeline], None]
"""Begins a turn with an utterance that has begun."""


class Candidate:
    """Speech into a reply, of which it is not yet known whether it is meant for us."""

    def __init__(self, turn: Turn, request: m.Start, capture: Capture, timeline: Timeline) -> None:
        self.turn = turn
        """The one whose reply sounds."""
        self.request = request
        self.capture = capture
        self.timeline = timeline
        self.scope = trio.CancelScope()

    async def is_meant(self, engines: Engines, language: str | None) -> bool:
        """Return whether it is, as soon as that is clear. A recognizer that fails hears no words.

        Raises what is a defect.
        """
        words = ""
        try:
            async with engines.recognizer.open(language) as utterance:
                while pcm := await self.capture.receive():
                    utterance.feed(pcm)
                    words = (await utterance.hypothesize()).text
                    if self._judge(words, over=False):
                        return True
                    self._tire()
                words = (await utterance.settle(self.capture.samples, self.capture.voiced_through)).text
        except* EngineError:
            pass
        return bool(self._judge(words, over=True))

    def _judge(self, words: str, *, over: bool) -> bool | None:
        return is_meant(words, self.capture.voiced_samples * 1000 // SAMPLE_RATE, over=over)

    def _tire(self) -> None:
        if self.capture.samples > LONGEST_HOLD_S * SAMPLE_RATE:
            self.turn.release()


class Floor:
    """What a session listens for without a turn that asked. `run` lives as long as the session."""

    def __init__(
        self,
        listen: Callable[[m.Start], tuple[Capture, Timeline]],
        settings: SessionSettings,
        engines: Callable[[], Engines],
        begin: Begin,
        session: str,
    ) -> None:
        """``listen`` has an utterance listened for; ``session`` is the name that the log has for the session."""
        self.hands_free: m.Start | None = None
        """While set, the session listens again after each turn, and a turn begins when someone speaks."""
        self._listen = listen
        self._settings = settings
        self._engines = engines
        self._begin = begin
        self._session = session
        self._next: tuple[Capture, Timeline] | None = None
        """What the listener fills without a turn that asked for it."""
        self._candidate: Candidate | None = None
        self._closed = False
        self._arrivals = trio.lowlevel.ParkingLot()

    async def run(self) -> None:
        """Decide on one candidate after another."""
        while True:
            while (candidate := self._candidate) is None:
                await self._arrivals.park()
            meant = False
            with candidate.scope, self._engines().lease() as engines:
                try:
                    meant = await candidate.is_meant(engines, candidate.request.language)
                except Exception as error:
                    # Nobody was told of the candidate, and the turn goes on. So the log alone hears of it.
                    report(error, session=self._session, turn=candidate.turn.number)
            if self._candidate is candidate:
                self._decide(candidate, meant)

    # --- none of this waits -------------------------------------------------------------------------------------------

    def attend(self, turn: Turn) -> None:
        """Be ready for audio that comes while ``turn`` is the latest: listen, where its own utterance is over."""
        request = self._interrupting(turn)
        if self._next is None and request is not None and not (turn.listening or turn.ending):
            self._next = self._listen(request)

    def hear(self, turn: Turn) -> None:
        """Audio was heard: act, if somebody speaks in it whom ``turn``, the latest, did not ask for."""
        if self._next is None or self._candidate is not None or not self._next[0].begun:
            return
        request = self._interrupting(turn)
        if turn.over:
            self._begin_next(turn)
        elif request is not None and turn.can_reopen:
            capture, self._next = self._next, None
            turn.reopen(*capture)
        elif request is not None and turn.audible:
            turn.hold()
            self._candidate = Candidate(turn, request, *self._next)
            self._arrivals.unpark()

    def turn_over(self, turn: Turn) -> None:
        """``turn``, the latest, is over: go on listening, if that is what the person wants."""
        self._drop_candidate()
        if self._next is not None and self._next[0].begun:
            self._begin_next(turn)
        elif self.hands_free is None:
            self.rest()
        elif self._next is None:
            self._next = self._listen(self.hands_free)

    def close(self) -> None:
        """Listen without a turn never again."""
        self._closed = True
        self.hands_free = None
        self.rest()

    def rest(self) -> None:
        """Listen without a turn no more; a reply that is held goes on."""
        if self._candidate is not None:
            self._candidate.turn.release()
        self._drop_candidate()
        if self._next is not None:
            self._next[0].end(Ending.STOPPED)
            self._next = None

    def _interrupting(self, turn: Turn) -> m.Start | None:
        """Return how a turn begins that may interrupt ``turn``; None where none may."""
        request = self.hands_free or turn.spoken_request
        if self._closed or request is None or request.mode == "hold":
            return None
        wanted = request.barge_in
        if wanted is None:
            wanted = self._settings.barge_in and request.mode == "hands_free"
        return request if wanted else None

    def _begin_next(self, turn: Turn) -> None:
        heard, self._next = self._next, None
        request = self.hands_free or turn.spoken_request
        assert heard is not None
        assert request is not None
        heard[0].rewind()
        self._begin(request, *heard)

    def _decide(self, candidate: Candidate, meant: bool) -> None:
        self._candidate = None
        if meant:
            candidate.turn.end(Outcome.INTERRUPTED)
            self._begin_next(candidate.turn)
        else:
            candidate.turn.release()
            # What it heard was nothing; it listens for the next.
            self._next = None
            self.attend(candidate.turn)

    def _drop_candidate(self) -> None:
        if self._candidate is not None:
            self._candidate.scope.cancel()
            self._candidate = None
