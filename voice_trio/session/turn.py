"""One exchange: someone says something, and is answered.

A turn is a cancel scope with everything of the turn inside it, and one function, `Turn._end`, through which it leaves
whatever happened. That function runs once, after the scope has exited: nothing of the turn is running any more, so
nothing of it can follow its `Done`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused, first_leaf
from voice_trio.core.history import Record, prompt
from voice_trio.core.languages import language_of, voice_in
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome, State
from voice_trio.core.playout import Playout
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.core.turn_state import Step, TurnState
from voice_trio.engines.base import EngineError, Engines, Prompt
from voice_trio.memory.base import Store, StoreBusy
from voice_trio.session import asr
from voice_trio.session.asr import SpokenLanguage
from voice_trio.session.capture import Capture, Ending
from voice_trio.session.claims import Claims
from voice_trio.session.outbox import Outbox
from voice_trio.session.outlet import Outlet
from voice_trio.session.reply import Reply
from voice_trio.session.report import failure, log_latency, report
from voice_trio.session.settings import SessionSettings
from voice_trio.session.throttle import Throttle
from voice_trio.session.voice import Voice

_RECALL_LIMIT_S = 5.0
_COMMIT_LIMIT_S = 5.0
"""How long the store may take, whatever limits of its own it has."""

_CLAIM_RETRY_S = 2
"""A session whose network is gone holds its conversation until that is noticed, which may take some of these."""

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
        self._machine = TurnState(State.IDLE if number == 1 else State.COMPLETE)
        self._machine.move(Step.TEXT if isinstance(request, m.Text) else Step.START)
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        self._ended_by: Outcome | None = None
        self._reply = Reply(number, settings, around.new_playout(), partial(self._moved, Step.FIRST_AUDIO))
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
        with trio.move_on_after(_RECALL_LIMIT_S) as limit:
            records = await self._around.store.recall(self.conversation)
        if limit.cancelled_caught:
            raise StoreBusy(f"the store did not recall within {_RECALL_LIMIT_S:g} seconds")
        if records is None:
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, "There is no such conversation here; leave the field out.")
        if not self._around.claims.claim(self.conversation, self._around.session):
            message = "Another session is using this conversation."
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, message, retry_after_s=_CLAIM_RETRY_S)
        voice, voices = self._request.voice, self._engines.synthesizer.voices
        if voice is not None and voice not in voices:
            raise Refused(ErrorCode.PROTOCOL_VIOLATION, f"There is no voice {voice!r}; {', '.join(voices)} are here.")
        # Only now that the conversation is ours, or the turn would be remembered in another session's.
        if isinstance(self._request, m.Text):
            self._said = self._request.text
        elif not await self._listen():
            return Outcome.EMPTY
        return await self._respond(records)

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
        # What was said is remembered even if the session is being cancelled around us, but not at any price.
        failure: Exception = StoreBusy(f"the store did not commit within {_COMMIT_LIMIT_S:g} seconds")
        with trio.move_on_after(_COMMIT_LIMIT_S, shield=True):
            try:
                await self._around.store.commit(record)
            except Exception as error:
                # Whatever it was, the turn has an end to come to.
                failure = error
            else:
                return True
        self._outbox.append(report(failure, session=self._around.session, turn=self.number))
        return False


def _outcome(error: Refused | EngineError) -> Outcome:
    """Return how a turn ends that ``error`` ended."""
    return _OUTCOMES.get(error.code, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The session, as its turns see it."""

    session: str
    settings: SessionSettings
    engines: Callable[[], Engines]
    """Returns the engines that a turn which starts now is to lease."""
    store: Store
    wall_clock: Callable[[], float]
    """Seconds since 1970, for records."""
    outbox: Outbox
    claims: Claims
    throttle: Throttle
    spoken: SpokenLanguage
    new_playout: Callable[[], Playout]
    """Returns how the audio of the turn that starts now goes out."""
