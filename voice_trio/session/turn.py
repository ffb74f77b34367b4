"""One exchange: someone says something, and is answered.

A turn is a cancel scope with everything of the turn inside it, and one function, `Turn._end`, through which it leaves
whatever happened. That function runs once, after the scope has exited: nothing of the turn is running any more, so
nothing of it can follow its `Done`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused, first_leaf
from voice_trio.core.history import Record, prompt
from voice_trio.core.languages import language_of, voice_in
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome, State
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.core.turn_state import Step, TurnState
from voice_trio.engines.base import EngineError, Engines, Prompt
from voice_trio.session import asr
from voice_trio.session.capture import Capture, Ending
from voice_trio.session.outlet import Outlet
from voice_trio.session.recollection import commit, recall
from voice_trio.session.reply import Reply
from voice_trio.session.report import failure, log_latency, report
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.voice import Voice

_OUTCOMES = {ErrorCode.ASR_TIMEOUT: Outcome.TIMED_OUT, ErrorCode.LLM_TIMEOUT: Outcome.TIMED_OUT}
"""How a turn ends in which an engine gave up with that code; FAILED for every other."""

_SILENCED = frozenset({Outcome.CANCELLED, Outcome.INTERRUPTED})
"""After these the person wants no more of the turn: what is still queued of it is dropped."""


class Turn:
    """One turn. `run` lives as long as it does; the other public methods never wait, and may be called at any time."""

    def __init__(
        self,
        around: Surroundings,
        number: int,
        conversation: str,
        request: m.Start | m.Text,
        capture: Capture,
        timeline: Timeline,
    ) -> None:
        settings = around.settings
        self.number = number
        self.conversation = conversation
        self.capture = capture
        self.timeline = timeline
        self._around = around
        self._settings = settings
        self._outbox = around.outbox
        self._outlet = Outlet(around.outbox, timeline)
        self._engines: Engines
        """Those with which it starts, and which it leases to its end."""
        self._request = request
        self._answering: trio.CancelScope | None = None
        """What is cancelled when the turn is reopened."""
        self._reopened = False
        self._revision = 0
        self._held_at: int | None = None
        self._machine = TurnState(State.IDLE if number == 1 else State.COMPLETE)
        self._machine.move(Step.TEXT if isinstance(request, m.Text) else Step.START)
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        self._ended_by: Outcome | None = None
        self._reply = self._new_reply()
        self._said = ""
        self._asr_rtf: float | None = None

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
        return self._request if isinstance(self._request, m.Start) else None

    @property
    def listening(self) -> bool:
        """Whether it takes what is said for its own."""
        return self.spoken_request is not None and not self.capture.has_ended()

    @property
    def audible(self) -> bool:
        """Whether its reply sounds, as far as we know."""
        return self._machine.state is State.RESPONDING and not self.ending and self._reply.audible

    @property
    def can_reopen(self) -> bool:
        """Whether its utterance may still turn out not to be over: nothing of the reply was heard."""
        begun = self._answering is not None and self.spoken_request is not None
        return begun and not self.ending and not self._reply.audible

    def reopen(self, capture: Capture, timeline: Timeline) -> None:
        """Go on with the utterance, of which ``capture`` is the rest; only where it `can_reopen`."""
        assert self._answering is not None
        capture.go_on_from(self.capture)
        if (began := self.timeline.moments.get(Moment.SPEECH_START)) is not None:
            timeline.moments[Moment.SPEECH_START] = began
        self.capture, self.timeline = capture, timeline
        self._reopened = True
        # As in `end`: nothing comes after what is dropped here.
        self._answering.cancel()
        self._outbox.drop(self._is_ours)

    def hold(self) -> None:
        """Have the player stand still: somebody speaks into the reply."""
        if self._held_at is None and not self.ending:
            self._held_at = self._reply.hold()
            self._outbox.append(m.Hold(turn=self.number, sample=self._held_at))

    def release(self) -> None:
        """Have the player go on."""
        if self._held_at is not None and not self.ending:
            self._reply.release()
            self._outbox.append(m.Release(turn=self.number, sample=self._held_at))
            self._held_at = None

    def end(self, outcome: Outcome) -> bool:
        """End the turn now, ``outcome`` being why; False if it was ending already, and went on as it was."""
        if self.ending:
            return False
        self._ended_by = outcome
        # A cancelled stage cannot pass the outbox's door any more, so nothing comes after what is dropped here.
        self._scope.cancel()
        self.capture.end(Ending.STOPPED)
        if outcome in _SILENCED:
            self._outbox.drop(self._is_ours)
        return True

    def sent(self, chunk: m.TtsChunk) -> None:
        """The sender handed ``chunk`` to the socket."""
        if not self._reply.was_sent(chunk):
            return  # It is of a reply from before the turn was reopened.
        now = trio.current_time()
        self.timeline.first(Moment.FIRST_AUDIO, now)
        self.timeline.latest(Moment.LAST_AUDIO, now)
        self._reply.sent(chunk)

    def played(self, samples: int) -> None:
        """The client says how many samples of the turn's audio the person has heard."""
        self._reply.played(samples)

    async def wait_over(self) -> None:
        """Wait until the turn's `Done` is queued."""
        await self._over.wait()

    async def run(self) -> None:
        """Live the turn."""
        self._outbox.append(m.StateChanged(turn=self.number, state=self._machine.state))
        # What stands if the whole session is cancelled from outside.
        outcome = Outcome.CANCELLED
        try:
            with self._around.engines().lease() as self._engines, self._scope:
                outcome = await self._attempt()
        finally:
            # Not `cancelled_caught`: an attempt can run to its end after it was cancelled, if no checkpoint was left.
            await self._end(self._ended_by or outcome)

    # --- the turn's course ------------------------------------------------------------------------------------------

    async def _attempt(self) -> Outcome:
        """Return how the turn ends by itself: the one place where errors become outcomes."""
        error: BaseException | None = None
        try:
            return await self._converse()
        except* (Refused, EngineError) as group:
            error = first_leaf(group)
        except* Exception as group:
            # Whatever it comes with: that may well follow from it, and nobody else would hear of it.
            error = group
        if isinstance(error, Refused | EngineError):
            await self._outlet.say(failure(error, self.number))
            return _outcome(error)
        assert error is not None
        await self._outlet.say(report(error, session=self._around.session, turn=self.number))
        return Outcome.FAILED

    async def _converse(self) -> Outcome:
        records = await recall(self._around, self.conversation)
        voice, voices = self._request.voice, self._engines.synthesizer.voices
        if voice is not None and voice not in voices:
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, f"There is no voice {voice!r}; {', '.join(voices)} are here.")
        while True:
            with trio.CancelScope() as self._answering:
                outcome = await self._answer(records)
            if not self._reopened:
                return outcome
            self._begin_anew()

    async def _answer(self, records: Sequence[Record]) -> Outcome:
        # Only now that the conversation is ours, or the turn would be remembered in another session's.
        if isinstance(self._request, m.Text):
            self._said = self._request.text
        elif not await self._listen():
            return Outcome.EMPTY
        return await self._respond(records)

    def _begin_anew(self) -> None:
        """The utterance goes on: all that the turn said of it, and to it, is void."""
        self._reopened = False
        self._revision += 1
        self._said = ""
        self._around.throttle.release()
        self._outlet = Outlet(self._outbox, self.timeline)
        self._reply = self._new_reply()
        self._outbox.append(m.Reopened(turn=self.number, revision=self._revision))
        if self._machine.state is not State.CAPTURING:
            self._outbox.append(self._moved(Step.REOPENED))

    async def _listen(self) -> bool:
        """Return whether there were words in what the person said."""
        transcript = None
        if await self.capture.wait_begun():
            heard = await asr.transcribe(
                self.capture,
                self._engines.recognizer,
                turn=self.number,
                language=self._language,
                likely=language_of(self._request.locale) if isinstance(self._request, m.Start) else None,
                settings=self._settings,
                throttle=self._around.throttle,
                outlet=self._outlet,
                end_of_turn=self._engines.end_of_turn,
            )
            transcript, self._asr_rtf = heard.transcript, heard.real_time_factor
            self._around.spoken.hear(transcript, self.capture.voiced_through)
            final = m.Final(turn=self.number, text=transcript.text, language=transcript.language)
            await self._outlet.say(final, Moment.FINAL)
            self._said = transcript.text
        if not self._said:
            await self._outlet.say(m.Info(code=InfoCode.NO_SPEECH, message="No words were heard."))
            return False
        await self._outlet.say(partial(self._moved, Step.FINAL))
        return True

    async def _respond(self, records: Sequence[Record]) -> Outcome:
        settings, engines, reply = self._settings, self._engines, self._reply
        messages = prompt(records, self._said, system=settings.llm_system_prompt, budget_tokens=settings.memory_tokens)
        name = self._request.voice or voice_in(self._language, engines.synthesizer.voices)
        voice = Voice(
            engines.synthesizer,
            name,
            self._request.speed or 1.0,
            settings.tts_timeout_s,
            phonemes=bool(self._request.phonemes),
        )
        await reply.run(Prompt(messages), engines.language_model, voice, self._outlet)
        if reply.broken_off is not None:
            return _outcome(reply.broken_off)
        return Outcome.FAILED if reply.unspoken else Outcome.COMPLETED

    def _new_reply(self) -> Reply:
        playout = self._around.new_playout()
        return Reply(self.number, self._settings, playout, partial(self._moved, Step.FIRST_AUDIO))

    @property
    def _language(self) -> str | None:
        """The language that is spoken, as far as it is known."""
        return self._request.language or self._settings.language or self._around.spoken.known

    def _moved(self, cause: Step | Outcome) -> m.StateChanged:
        """Move the machine, and return what says so: nothing lies between the two but the outbox's door."""
        return m.StateChanged(turn=self.number, state=self._machine.move(cause))

    def _is_ours(self, event: m.Event) -> bool:
        """Whether ``event`` is of this turn, and not one of those that tell the client how far the turn came."""
        return getattr(event, "turn", None) == self.number and not isinstance(event, m.StateChanged)

    # --- the end ----------------------------------------------------------------------------------------------------

    async def _end(self, outcome: Outcome) -> None:
        """Remember the turn and say that it is over. From here on nothing can change how it ended."""
        self._ended_by = outcome
        self.capture.end(Ending.STOPPED)
        self._around.throttle.release()
        # What is queued will be heard, unless the person wanted no more.
        heard = self._reply.heard(all_queued=outcome not in _SILENCED)
        remembered = await self._remember(self._reply.text, heard, outcome)
        latency = self.timeline.latency()
        self._outbox.append(self._moved(outcome))
        self._outbox.append(
            m.Done(turn=self.number, outcome=outcome, remembered=remembered, heard=heard, latency=latency)
        )
        self._over.set()
        if self._settings.log_latency:
            log_latency(latency, self._asr_rtf, session=self._around.session, turn=self.number, outcome=outcome)

    async def _remember(self, reply: str, heard: int, outcome: Outcome) -> bool:
        """Commit the turn's record, if there is anything to remember; return whether it is kept."""
        if not self._said:
            return False
        record = Record(
            conversation=self.conversation,
            session=self._around.session,
            turn=self.number,
            said=self._said,
            reply=reply,
            heard=heard,
            outcome=outcome,
            ended_at=self._around.wall_clock(),
        )
        failure = await commit(self._around.store, record)
        if failure is not None:
            self._outbox.append(report(failure, session=self._around.session, turn=self.number))
        return failure is None


def _outcome(error: Refused | EngineError) -> Outcome:
    """Return how a turn ends that ``error`` ended."""
    return _OUTCOMES.get(error.code, Outcome.FAILED)
