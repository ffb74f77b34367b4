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
from voice_trio.core.groups import first_leaf
from voice_trio.core.heard import SpokenPhrase, heard_text
from voice_trio.core.history import Message, Record, prompt
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome, State
from voice_trio.core.phrases import Phrase
from voice_trio.core.refused import Refused
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.core.transcript import Delta
from voice_trio.core.turn_state import Step
from voice_trio.engines.base import EngineError
from voice_trio.memory.base import StoreBusy
from voice_trio.session import asr, llm, tts
from voice_trio.session.capture import Capture, Ending, told
from voice_trio.session.incident import report
from voice_trio.session.latency_log import log_latency
from voice_trio.session.playback import Playback
from voice_trio.session.surroundings import Surroundings

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
        self.state = State.THINKING if isinstance(request, m.Text) else State.CAPTURING
        self._around = around
        self._settings = settings
        self._outbox = around.outbox
        self._engines = around.engines()
        self._request = request
        self._scope = trio.CancelScope()
        self._over = trio.Event()
        self._ended_by: Outcome | None = None
        self._playback = Playback(around.new_playout())
        self._written: llm.Written
        self._said = ""
        self._reply: list[str] = []
        self._phrases: list[SpokenPhrase] = []
        self._asr_rtf: float | None = None

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
        self._playback.sent(len(chunk.pcm) // 2)

    def played(self, samples: int) -> None:
        """The client says how many samples of the turn's audio the person has heard."""
        self._playback.played(samples)

    async def wait_over(self) -> None:
        """Wait until the turn's `Done` is queued."""
        await self._over.wait()

    async def run(self) -> None:
        """Live the turn."""
        self._move(Step.TEXT if isinstance(self._request, m.Text) else Step.START)
        # What stands if the whole session is cancelled from outside.
        outcome = Outcome.CANCELLED
        try:
            with self._scope:
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
            return await self._give_up(error)
        assert error is not None
        await self._emit(report(error, session=self._around.session, turn=self.number))
        return Outcome.FAILED

    async def _give_up(self, error: Refused | EngineError) -> Outcome:
        """Say that ``error`` ends the turn, and return the outcome that it means."""
        await self._emit(
            m.Error(
                code=error.code,
                message=error.message,
                recoverable=True,
                turn=self.number,
                retry_after_s=error.retry_after_s if isinstance(error, Refused) else None,
            )
        )
        return _OUTCOMES.get(error.code, Outcome.FAILED)

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
        # Only now that the conversation is ours, or the turn would be remembered in somebody else's.
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
                language=self._request.language or self._settings.language or self._around.spoken.known,
                partial_interval_s=self._settings.partial_interval_ms / 1000,
                timeout_s=self._settings.asr_timeout_s,
                throttle=self._around.throttle,
                emit_partial=self._emit_partial,
                emit_ending=self._emit_ending,
            )
            transcript, self._asr_rtf = heard.transcript, heard.real_time_factor
            self._around.spoken.hear(transcript, self.capture.voiced_through)
            final = m.Final(turn=self.number, text=transcript.text, language=transcript.language)
            await self._outbox.door()
            self.timeline.first(Moment.FINAL, trio.current_time())
            self._said = transcript.text
            self._outbox.append(final)
        if not self._said:
            await self._emit(m.Info(code=InfoCode.NO_SPEECH, message="No words were heard."))
            return False
        await self._outbox.door()
        self._move(Step.FINAL)
        return True

    async def _respond(self, records: Sequence[Record]) -> Outcome:
        settings = self._settings
        messages = prompt(records, self._said, system=settings.llm_system_prompt, budget_tokens=settings.memory_tokens)
        send, phrases = trio.open_memory_channel[Phrase](settings.max_pending_phrases)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write, messages, send)
            nursery.start_soon(
                partial(
                    tts.speak,
                    phrases,
                    self._engines.synthesizer,
                    self._playback,
                    self._phrases,
                    turn=self.number,
                    voice=self._request.voice,
                    speed=self._request.speed or 1.0,
                    timeout_s=settings.tts_timeout_s,
                    emit=self._emit,
                    begin_audio=self._begin_audio,
                )
            )
        if self._written.broken_off is not None:
            return self._written.broken_off
        if not self._playback.queued:
            if any(phrase.failed for phrase in self._phrases):
                return Outcome.FAILED
            await self._emit(m.Info(code=InfoCode.EMPTY_REPLY, message=self._written.why_empty, turn=self.number))
        return Outcome.COMPLETED

    async def _write(self, messages: Sequence[Message], phrases: trio.MemorySendChannel[Phrase]) -> None:
        self._written = await llm.write(
            messages,
            self._engines.language_model,
            phrases,
            self._settings,
            turn=self.number,
            emit=self._emit,
            emit_token=self._emit_token,
            break_off=self._give_up,
        )

    # --- what the stages say: every one of these passes the outbox's door ---------------------------------------------

    async def _emit(self, event: m.Event) -> None:
        await self._outbox.door()
        self._outbox.append(event)

    async def _emit_partial(self, delta: Delta) -> None:
        await self._outbox.door()
        self.timeline.first(Moment.FIRST_PARTIAL, trio.current_time())
        self._outbox.append(m.Partial(turn=self.number, keep=delta.keep, text=delta.text, stable=delta.stable))

    async def _emit_ending(self, ending: Ending) -> None:
        if (event := told(ending, self._settings.max_utterance_ms, self.number)) is not None:
            await self._emit(event)

    async def _emit_token(self, text: str) -> None:
        await self._outbox.door()
        self.timeline.first(Moment.FIRST_TOKEN, trio.current_time())
        self._reply.append(text)
        self._outbox.append(m.Token(turn=self.number, text=text))

    async def _begin_audio(self) -> None:
        await self._outbox.door()
        self._move(Step.FIRST_AUDIO)

    def _move(self, cause: Step | Outcome) -> None:
        """Move the machine and say so, without a checkpoint between the two."""
        self.state = self._around.machine.move(cause)
        self._outbox.append(m.StateChanged(turn=self.number, state=self.state))

    def _is_ours(self, event: m.Event) -> bool:
        """Whether ``event`` is of this turn, and not one of those that tell the client how far the turn came."""
        return getattr(event, "turn", None) == self.number and not isinstance(event, m.StateChanged)

    # --- the end ----------------------------------------------------------------------------------------------------

    async def _end(self, outcome: Outcome) -> None:
        """Remember the turn and say that it is over. From here on nothing can change how it ended."""
        self._ended_by = outcome
        self.capture.end(Ending.STOPPED)
        self._around.throttle.release()
        reply = "".join(self._reply)
        # What is queued will be heard, unless the person wanted no more.
        samples = self._playback.heard() if outcome in _SILENCED else self._playback.queued
        heard = heard_text(self._phrases, reply, samples)
        remembered = await self._remember(reply, heard, outcome)
        latency = self.timeline.latency()
        self._move(outcome)
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
