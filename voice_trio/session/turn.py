"""One exchange: someone says something, and is answered.

A turn is a cancel scope with everything of the turn inside it, and one function, `Turn._end`, through which it leaves
whatever happened. That function runs once, after the scope has exited: nothing of the turn is running any more, so
nothing of it can follow its `Done`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused, first_leaf
from voice_trio.core.messages import ErrorCode, Outcome, State
from voice_trio.core.timeline import Timeline
from voice_trio.core.turn_state import Step, TurnState
from voice_trio.engines.base import EngineError, Engines
from voice_trio.session.asked import FIRST_STEPS, Asked
from voice_trio.session.capture import Capture
from voice_trio.session.draft import Ledger
from voice_trio.session.ending import Ending
from voice_trio.session.recollection import recall, record_of, remember
from voice_trio.session.reply import Reply
from voice_trio.session.report import failure, report
from voice_trio.session.revision import Revision, outcome_of
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.tool_use import Deeds

_SILENCED = frozenset({Outcome.CANCELLED, Outcome.INTERRUPTED})
"""After these the person wants no more of the turn: what is still queued of it is dropped."""


class Turn:
    """One turn. `run` lives as long as it does; the other public methods never wait, and may be called at any time."""

    def __init__(self, around: Surroundings, asked: Asked, capture: Capture, timeline: Timeline) -> None:
        self.number = asked.number
        self.conversation = asked.conversation
        self._around = around
        self.asked = asked
        """What it is asked for."""
        self._outbox = around.outbox
        self._engines: Engines
        """Those with which it starts, and which it leases to its end."""
        self._reopened = 0
        self._is_void = False
        """Whether what was said of it is, and the client is yet to be told."""
        self._is_held = False
        self._machine = TurnState(State.IDLE if asked.number == 1 else State.COMPLETE)
        self._machine.move(FIRST_STEPS[type(asked.request)])
        self._drafts = Ledger(around.session, asked.number)
        self._deeds = Deeds(asked.number, around.session)
        self._revision = self._revise(capture, timeline)
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        self._ended_by: Outcome | None = None
        self._withdrawn = False
        """Whether the person wants it not to have been."""

    @property
    def state(self) -> State:
        """Where the turn stands for its client, who may ask for the next one as soon as it is ending."""
        return State.COMPLETE if self.ending else self._machine.state

    @property
    def ending(self) -> bool:
        """Whether the turn is over, or will be with nothing more said of it but its end."""
        return self._ended_by is not None

    @property
    def over(self) -> bool:
        """Whether its `Done` is queued."""
        return self._over.is_set()

    @property
    def spoken_request(self) -> m.Start | None:
        """How it was begun, if not by a text."""
        return self.asked.request if isinstance(self.asked.request, m.Start) else None

    @property
    def answers(self) -> bool:
        """Whether there is a reply, or one to come."""
        return self.asked.manner.wanted and not self.ending and self._revision.forgone is None

    @property
    def is_answered(self) -> bool:
        """Whether there was to be a reply, when it began."""
        return self.asked.manner.wanted

    @property
    def language(self) -> str | None:
        """The language that is spoken, as far as it is known."""
        return self._revision.language

    @property
    def listening(self) -> bool:
        """Whether it takes what is said for its own."""
        return self.spoken_request is not None and not self._revision.capture.has_ended()

    @property
    def spoken_through(self) -> int:
        """The session's sample just before which the person was last heard in it; 0 if they typed."""
        return self._revision.capture.spoken_through

    @property
    def listened_through(self) -> int:
        """The session's sample just before which it was taken for said; 0 if they typed."""
        capture = self._revision.capture
        return capture.spoken_through + capture.silent_samples

    @property
    def audible(self) -> bool:
        """Whether its reply sounds, as far as we know."""
        return self._machine.state is State.RESPONDING and not self.ending and self._revision.reply.audible

    @property
    def reply(self) -> Reply:
        """What answers it, as far as it has been answered."""
        return self._revision.reply

    def can_reopen(self, rest: Capture) -> bool:
        """Whether its utterance may still turn out not to be over, but to go on with ``rest``.

        So it is while nothing of the reply was heard, unless it is too long, or the person said that it is over.
        """
        if self.spoken_request is None or self.ending or self._revision.reply.audible:
            return False
        capture = self._revision.capture
        over = capture.ending in (Ending.TOO_LONG, Ending.TOO_SLOW, Ending.STOPPED)
        return not over and rest.fits_behind(capture)

    def reopen(self, capture: Capture, timeline: Timeline) -> None:
        """Go on with the utterance, of which ``capture`` is the rest; only where it `can_reopen`."""
        before = self._revision
        capture.go_on_from(before.capture)
        timeline.go_on_from(before.timeline)
        self._revision = self._revise(capture, timeline)
        # If it comes to no more than that, they were said.
        self._revision.said = before.said
        self._is_held = False
        self._is_void = True
        self.conversation.take_back(self.number)
        # As in `end`: nothing comes after what is dropped here.
        before.scope.cancel()
        self._outbox.drop(self._is_ours)

    def hold(self) -> None:
        """Have the player stand still: somebody speaks into the reply."""
        if not self._is_held and not self.ending:
            self._is_held = True
            self._outbox.append(m.Hold(turn=self.number, sample=self._revision.reply.hold()))

    def release(self) -> None:
        """Have the player go on."""
        if self._is_held and not self.ending:
            self._is_held = False
            self._outbox.append(m.Release(turn=self.number, sample=self._revision.reply.release()))

    def end(self, outcome: Outcome) -> bool:
        """End the turn now, ``outcome`` being why; False if it was ending already, and went on as it was."""
        if self.ending:
            return False
        self._ended_by = outcome
        # A cancelled stage cannot pass the outbox's door any more, so nothing comes after what is dropped here.
        self._scope.cancel()
        self._revision.capture.end(Ending.STOPPED)
        if outcome in _SILENCED:
            self._outbox.drop(self._is_ours)
        return True

    def cancel(self) -> bool:
        """End the turn now, as if the person had not begun it, where nothing of the reply was heard; as `end`."""
        self._withdrawn = self._withdrawn or not self.ending
        return self.end(Outcome.CANCELLED)

    def end_reply(self, outcome: Outcome) -> bool:
        """End the reply now, or have none; an utterance that is over is heard to its end. As `end`."""
        if self._machine.state is not State.CAPTURING or self.ending:
            return self.end(outcome)
        self._revision.forgone = outcome
        return True

    def sending(self, event: m.Event) -> Callable[[], None] | None:
        """The sender has ``event``. Return what is to be called once it was handed to the socket, if anything is.

        Until then the turn may be reopened, and a chunk be of a reply that is void.
        """
        if not isinstance(event, m.TtsChunk | m.Token) or event.turn != self.number:
            return None
        return partial(self._revision.sent, event)

    async def wait_over(self) -> None:
        """Wait until the turn's `Done` is queued."""
        await self._over.wait()

    async def run(self) -> None:
        """Live the turn."""
        self._outbox.append(m.StateChanged(turn=self.number, state=self._machine.state, origin=self.asked.origin))
        # What stands if the whole session is cancelled from outside.
        outcome = Outcome.CANCELLED
        try:
            with self._around.engines().lease() as self._engines, self._scope:
                outcome = await self._attempt(self._converse)
        finally:
            # Not `cancelled_caught`: an attempt can run to its end after it was cancelled, if no checkpoint was left.
            await self._end(self._ended_by or outcome)

    # --- the turn's course ------------------------------------------------------------------------------------------

    async def _attempt(self, course: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return how ``course`` ends: the one place where errors become outcomes."""
        error: BaseException | None = None
        try:
            return await course()
        except* (Refused, EngineError) as group:
            error = first_leaf(group)
        except* Exception as group:
            # Whatever it comes with: that may well follow from it, and nobody else would hear of it.
            error = group
        if isinstance(error, Refused | EngineError):
            await self._revision.outlet.say(failure(error, self.number))
            return outcome_of(error)
        assert error is not None
        await self._revision.outlet.say(report(error, session=self._around.session, turn=self.number))
        return Outcome.FAILED

    async def _converse(self) -> Outcome:
        conversation, request = self.conversation, self.asked.request
        conversation.recall(await recall(self._around, conversation.name))
        voice, voices = None if isinstance(request, m.Commit) else request.voice, self._engines.synthesizer.voices
        if voice is not None and voice not in voices:
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, f"There is no voice {voice!r}; {', '.join(voices)} are here.")
        while True:
            revision, self._is_void = self._revision, False
            with revision.scope:
                # Within its scope: where the person goes on speaking, not even its errors count.
                outcome = await self._attempt(partial(revision.run, self._engines))
            if revision is self._revision:
                return outcome
            self._begin_anew()

    def _begin_anew(self) -> None:
        """The utterance goes on: all that the turn said of it, and to it, is void."""
        self._reopened += 1
        self._around.throttle.release()
        self._deeds.end_rest(self._outbox)
        self._outbox.append(m.Reopened(turn=self.number, revision=self._reopened))
        if self._machine.state is not State.CAPTURING:
            self._outbox.append(self._moved(Step.REOPENED))

    def _revise(self, capture: Capture, timeline: Timeline) -> Revision:
        return Revision(self._around, self.asked, capture, timeline, self._drafts, self._deeds, self._moved)

    def _moved(self, cause: Step | Outcome) -> m.StateChanged:
        """Move the machine, and return what says so: nothing lies between the two but the outbox's door."""
        return m.StateChanged(turn=self.number, state=self._machine.move(cause))

    def _is_ours(self, event: m.Event) -> bool:
        """Whether ``event`` is of this turn, and not one of those that tell how far the turn came, and what it did."""
        stands = isinstance(event, m.StateChanged | m.Reopened | m.ToolCalled)
        return getattr(event, "turn", None) == self.number and not stands

    async def _end(self, outcome: Outcome) -> None:
        """Remember the turn and say that it is over. From here on nothing can change how it ended."""
        if outcome not in _SILENCED:
            # What is queued will be heard, also by a player that stands still.
            self.release()
        self._ended_by = outcome
        if self._is_void:
            self._begin_anew()
        revision = self._revision
        revision.capture.end(Ending.STOPPED)
        self._around.throttle.release()
        heard = revision.reply.heard(all_queued=outcome not in _SILENCED)
        # Of what the person did not want, only what it changed is left.
        calls = self._deeds.calls(revision.reply.uses if heard or outcome is not Outcome.CANCELLED else ())
        record = record_of(self._around, self.asked, outcome, revision.said, revision.reply.text, heard, calls)
        record = self.conversation.settle(record, withdrawn=self._withdrawn)
        remembered = await remember(self._around, self.asked, record)
        latency = revision.timeline.latency()
        self._around.wishes.over(self.asked, outcome, latency, revision.reply.wanted if record.heard else None)
        self._deeds.end_rest(self._outbox)
        self._outbox.append(self._moved(outcome))
        done = m.Done(turn=self.number, outcome=outcome, remembered=remembered, heard=record.heard, latency=latency)
        self._outbox.append(done)
        self._over.set()
        drafts = self._drafts.figures()
        self._around.reports.turn_over(self.number, outcome, revision.timeline, revision.asr_rtf, drafts, self._engines)
