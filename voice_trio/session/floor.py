"""Who has the floor when somebody speaks whom no turn asked for.

In hands-free turns, and wherever the client asked for it, the listener goes on listening as soon as an utterance is
over. What it then hears is one of three:

- Nothing of the reply was heard yet: the person had not finished. The turn is reopened, with all that was said in it.
- The reply sounds: it is held at once, since silence can be taken back, and the speech is a `Candidate`. Its words
  decide (`core.interruption`): the reply is interrupted, and the candidate's audio begins the next turn; or it goes on.
- The turn is over: the next one begins.

A player that cannot stand still has its reply weighed against from the moment the utterance is over, heard or not, and
nothing is reopened (`confirm`); or all that is said waits until the reply is over (`wait`).

Nobody is told of a candidate, but by the hold; its audio is heard once more, from its first sample, in the turn that it
begins. So a turn that is announced is like any other, and a candidate that is dropped has left nothing behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import trio

from voice_trio.core import messages as m
from voice_trio.core.timeline import Timeline
from voice_trio.engines.base import Engines
from voice_trio.session.candidate import Candidate, Utterance, follows
from voice_trio.session.capture import Capture
from voice_trio.session.echo import Echo
from voice_trio.session.ending import Ending
from voice_trio.session.report import report
from voice_trio.session.settings import SessionSettings, still_offered
from voice_trio.session.turn import Turn

Begin = Callable[[m.Start, Capture, Timeline], Turn]
"""Begins a turn with an utterance that has begun, and returns it."""

_Way = Literal["hold"] | m.BargeIn

_MOST_WAITING = 2
"""Utterances that wait in one line, each too long to be one with the next. More than that is cut, and told as an
utterance that is too long is, when it is heard."""


class Floor:
    """What a session listens for without a turn that asked. `run` lives as long as the session."""

    def __init__(
        self,
        listen: Callable[[m.Start], tuple[Capture, Timeline]],
        settings: SessionSettings,
        engines: Callable[[], Engines],
        begin: Begin,
        is_heard: Callable[[], bool],
        interrupt: Callable[[], object],
        echo: Echo,
        session: str,
    ) -> None:
        """``listen`` has an utterance listened for, and ``is_heard`` tells whether one of a turn's is.

        ``interrupt`` ends the reply that there is; ``session`` is the name that the log has for the session.
        """
        self.hands_free: m.Start | None = None
        """While set, the session listens again after each turn, and a turn begins when someone speaks."""
        self._hands_free_last = m.Start(mode="hands_free")
        """How the client asked for that the last time."""
        self._listen = listen
        self._settings = settings
        self._engines = engines
        self._begin = begin
        self._is_heard = is_heard
        self._interrupt = interrupt
        self._echo = echo
        self._session = session
        self._listened_as: m.Start | None = None
        """How what was listened for last would begin a turn: the client may want no more of that while it is said."""
        self._next: Utterance | None = None
        """What the listener fills without a turn that asked for it."""
        self._waiting: deque[Utterance] = deque()
        """What was over before it was clear whose it is. What is said next belongs to the last, or is behind it."""
        self._unclear: deque[Utterance] = deque()
        """Speech into a reply of which no recognizer could tell whether it is meant: it is heard after the reply."""
        self._candidate: Candidate | None = None
        self._part: Utterance | None = None
        """The last candidate, where it was too little to be meant, but may be the first of more."""
        self._closed = False
        self._arrivals = trio.lowlevel.ParkingLot()
        """Who waits for a candidate, or for a reply that is held."""

    async def run(self) -> None:
        """Decide on one candidate after another."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._release_in_time)
            while True:
                while (candidate := self._candidate) is None:
                    await self._arrivals.park()
                meant = None
                with candidate.scope, self._engines().lease() as engines:
                    try:
                        meant = await candidate.is_meant(engines, self._settings.asr_timeout_s)
                    except Exception as error:
                        # Nobody was told of the candidate, and the turn goes on. So the log alone hears of it.
                        report(error, session=self._session, turn=candidate.turn.number)
                if self._candidate is candidate:
                    self._decide(candidate, meant)

    async def _release_in_time(self) -> None:
        """Have no candidate hold the reply for too long, whatever its recognizer is at."""
        while True:
            while (candidate := self._candidate) is None or (release_at := candidate.release_at) is None:
                await self._arrivals.park()
            await trio.sleep_until(release_at)
            if self._candidate is candidate:
                candidate.turn.release()
                while self._candidate is candidate:
                    await self._arrivals.park()

    # --- none of this waits -------------------------------------------------------------------------------------------

    def listen_as(self, start: m.Start | None) -> None:
        """Begin a turn as ``start`` would whenever somebody speaks, or none; what they are saying goes on."""
        self.hands_free = None if start is None else replace(start, mode="hands_free")
        if self._next is not None and not self._next[0].begun:
            self._next[0].end(Ending.STOPPED)
            self._next = None

    def asked(self, request: m.Start | m.Text) -> None:
        """The client asks for a turn: listen without one no more, and be hands-free behind it as ``request`` says."""
        self.rest()
        match request:
            case m.Start(mode="hands_free"):
                self.hands_free = self._hands_free_last = request
            case m.Text(hands_free=True, conversation=conversation):
                last = still_offered(self._hands_free_last, self._engines())
                self._hands_free_last = last if conversation is None else replace(last, conversation=conversation)
                self.hands_free = self._hands_free_last
            case m.Start() | m.Text(hands_free=False):
                self.hands_free = None

    def attend(self, turn: Turn | None) -> None:
        """Be ready for audio that comes while ``turn`` is the latest: listen, where its own utterance is over."""
        request = self._listening_for(turn)
        if request is None or self._is_heard() or (self._candidate is not None and self._candidate.listening):
            return
        if self._next is not None and self._next[0].has_ended():
            if self._next[0].begun:
                _line_up(self._waiting, self._next)
            self._next = None
        if self._next is None:
            self._listened_as = request
            self._next = self._listen(request)

    def hear(self, turn: Turn | None) -> None:
        """Audio was heard: act, if somebody speaks in it whom ``turn``, the latest, did not ask for."""
        if self._candidate is not None:
            self._hold(self._candidate)
            return
        if (said := self._said()) is None:
            return
        if turn is None or turn.over:
            self._begin_next(turn, self._take(said))
            return
        request, way = self._interrupting(turn)
        if request is None or way == "wait":
            return
        holds = way == "hold"
        if holds and turn.can_reopen(said[0]):
            turn.reopen(*self._take(said))
        elif turn.audible or (not holds and turn.answers):
            echo, said = self._echo, self._take(said)
            said[0].lead_in()
            self._candidate = Candidate(
                turn, request, said, echoes=echo.is_wanted, doubtful=echo.is_doubtful, holds=holds
            )
            self._arrivals.unpark_all()
            self._hold(self._candidate)

    def would_hold(self, turn: Turn | None) -> bool:
        """Return whether speech holds the reply of ``turn``, the latest; never one that may hear itself."""
        if turn is None or not turn.audible or self._candidate is not None or self._echo.is_wanted:
            return False
        return self._interrupting(turn)[1] == "hold"

    @property
    def is_undecided(self) -> bool:
        """Whether somebody speaks of whom it is not clear yet whether they are meant to be heard."""
        return self._candidate is not None

    def turn_over(self, turn: Turn) -> None:
        """``turn``, the latest, is over: go on listening, if that is what the person wants."""
        if self.hands_free is None and self._candidate is not None:
            return  # Nothing but words that are meant begins a turn here.
        if self._candidate is not None:
            self._begin_next(turn, self._drop_candidate(self._candidate))
        elif (said := self._said()) is not None:
            self._begin_next(turn, self._take(said))
        elif self._unclear:
            self._begin_next(turn, self._unclear.pop())
        elif self.hands_free is None:
            self.rest()
        else:
            self.attend(turn)

    def close(self) -> None:
        """Listen without a turn never again."""
        self._closed = True
        self.leave()

    def leave(self) -> None:
        """Be hands-free no more."""
        self.hands_free = None
        self.rest()

    def rest(self) -> None:
        """Listen without a turn no more; a reply that is held goes on."""
        if self._candidate is not None:
            self._candidate.turn.release()
            self._drop_candidate(self._candidate)
        if self._next is not None:
            self._next[0].end(Ending.STOPPED)
        self._next = self._part = None
        self._waiting.clear()
        self._unclear.clear()

    def _listening_for(self, turn: Turn | None) -> m.Start | None:
        """Return how a turn begins that nobody asks for while ``turn`` is the latest; None where none may."""
        if turn is None or turn.over:
            return self.hands_free
        # What comes to its end is interrupted no more; but who is heard without having asked is heard then, too.
        if turn.ending and self.hands_free is None:
            return None
        return self._interrupting(turn)[0]

    def _interrupting(self, turn: Turn) -> tuple[m.Start | None, _Way]:
        """Return how a turn begins that is listened for during ``turn``, None where none is; and how that may end."""
        request = self.hands_free or turn.spoken_request
        if self._closed or request is None or request.mode == "hold":
            return None, "wait"
        wanted = request.barge_in
        if wanted is None:
            wanted = self._settings.barge_in and request.mode == "hands_free"
        if isinstance(wanted, str):
            return request, wanted
        return (request, "hold") if wanted else (None, "wait")

    def _said(self) -> Utterance | None:
        """Return the first that was said and is nobody's yet."""
        said = None if self._next is None or not self._next[0].begun else self._next
        if said is not None and self._waiting and said[0].fits_behind(self._waiting[-1][0]):
            _go_on(said, self._waiting.pop())
        return self._waiting[0] if self._waiting else said

    def _take(self, said: Utterance) -> Utterance:
        """Return ``said``, which is somebody's now, as one with what is still to be heard before it, if it can be."""
        if said is self._next:
            self._next = None
        else:
            self._waiting.popleft()
        if (part := self._part) is not None:
            self._part = None
            if follows(said[0], part[0].spoken_through) and said[0].fits_behind(part[0]):
                _go_on(said, part)
        if self._unclear and said[0].fits_behind(self._unclear[-1][0]):
            _go_on(said, self._unclear.pop())
        return said

    def _begin_next(self, turn: Turn | None, said: Utterance) -> None:
        """Begin the turn after ``turn`` with what was ``said``, or with what was said before it."""
        request = self.hands_free or (None if turn is None else turn.spoken_request) or self._listened_as
        assert request is not None
        said[0].rewind()
        if self._unclear:
            if said[0].has_ended():
                self._waiting.appendleft(said)
            else:
                self._next = said
            self._waiting.extendleft(reversed(self._unclear))
            self._unclear.clear()
            said = self._waiting.popleft()
        said[0].lead_in()
        # Meanwhile the person may have said more.
        self.hear(self._begin(request, *said))

    def _hold(self, candidate: Candidate) -> None:
        if candidate.hold():
            self._arrivals.unpark_all()

    def _decide(self, candidate: Candidate, meant: bool | None) -> None:
        said = self._drop_candidate(candidate)
        if meant:
            self._interrupt()
            self._begin_next(candidate.turn, said)
            return
        said[0].end(Ending.STOPPED)
        candidate.turn.release()
        if meant is False and candidate.is_part:
            self._part = said
        if meant is None:
            said[0].rewind()
            _line_up(self._unclear, said)
        if candidate.turn.over:
            self.turn_over(candidate.turn)
        else:
            self.hear(candidate.turn)

    def _drop_candidate(self, candidate: Candidate) -> Utterance:
        """Weigh it no longer; return what was said."""
        candidate.scope.cancel()
        self._candidate = None
        return candidate.utterance


def _line_up(line: deque[Utterance], said: Utterance) -> None:
    """Have ``said`` wait at the end of ``line``, as one with the last there if it can be."""
    if line and (said[0].fits_behind(line[-1][0]) or len(line) == _MOST_WAITING):
        _go_on(said, line.pop())
    line.append(said)


def _go_on(rest: Utterance, before: Utterance) -> None:
    """Have ``rest`` begin with what was said ``before``."""
    rest[0].go_on_from(before[0])
    rest[1].go_on_from(before[1])
