"""One try at a turn: what somebody says until they seem to have finished, and what they are answered.

A turn that is reopened tries again. All that it heard, wrote and said by then is void, and is its revision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.history import Record, prompt
from voice_trio.core.languages import language_of, voice_in
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.core.turn_state import Step
from voice_trio.engines.base import EngineError, Engines, Prompt
from voice_trio.session import asr
from voice_trio.session.capture import Capture
from voice_trio.session.outlet import Outlet
from voice_trio.session.reply import Reply
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.voice import Voice

_OUTCOMES = {ErrorCode.ASR_TIMEOUT: Outcome.TIMED_OUT, ErrorCode.LLM_TIMEOUT: Outcome.TIMED_OUT}
"""How a turn ends in which an engine gave up with that code; FAILED for every other."""


def outcome_of(error: Refused | EngineError) -> Outcome:
    """Return how a turn ends that ``error`` ended."""
    return _OUTCOMES.get(error.code, Outcome.FAILED)


class Revision:
    """One try at turn ``number``, which ends when its `scope` is cancelled."""

    def __init__(
        self,
        around: Surroundings,
        number: int,
        request: m.Start | m.Text,
        capture: Capture,
        timeline: Timeline,
        moved: Callable[[Step], m.StateChanged],
    ) -> None:
        """``moved`` moves the turn's state, and returns what says so."""
        self.scope = trio.CancelScope()
        self.capture = capture
        self.timeline = timeline
        self.said = ""
        """The person's words, once they are known."""
        self.asr_rtf: float | None = None
        """Seconds of recognition for each second of speech."""
        self.outlet = Outlet(around.outbox, timeline)
        self.reply = Reply(number, around.settings, around.new_playout(), partial(moved, Step.FIRST_AUDIO))
        self._around = around
        self._number = number
        self._request = request
        self._moved = moved

    async def run(self, engines: Engines, records: Sequence[Record]) -> Outcome:
        """Hear and answer, and return how the turn ends with it.

        Raises `EngineError`, and what is a defect.
        """
        # Only now that the conversation is ours, or the turn would be remembered in another session's.
        if isinstance(self._request, m.Text):
            self.said = self._request.text
        elif not await self._listen(engines):
            return Outcome.EMPTY
        return await self._respond(engines, records)

    async def _listen(self, engines: Engines) -> bool:
        """Return whether there were words in what the person said."""
        if await self.capture.wait_begun():
            heard = await asr.transcribe(
                self.capture,
                engines.recognizer,
                turn=self._number,
                language=self.language,
                likely=language_of(self._request.locale) if isinstance(self._request, m.Start) else None,
                settings=self._around.settings,
                throttle=self._around.throttle,
                outlet=self.outlet,
                end_of_turn=engines.end_of_turn,
            )
            transcript, self.asr_rtf = heard.transcript, heard.real_time_factor
            self._around.spoken.hear(transcript, self.capture.voiced_through)
            final = m.Final(turn=self._number, text=transcript.text, language=transcript.language)
            await self.outlet.say(final, Moment.FINAL)
            self.said = transcript.text
        if not self.said:
            await self.outlet.say(m.Info(code=InfoCode.NO_SPEECH, message="No words were heard."))
            return False
        await self.outlet.say(partial(self._moved, Step.FINAL))
        return True

    async def _respond(self, engines: Engines, records: Sequence[Record]) -> Outcome:
        settings, reply = self._around.settings, self.reply
        messages = prompt(records, self.said, system=settings.llm_system_prompt, budget_tokens=settings.memory_tokens)
        name = self._request.voice or voice_in(self.language, engines.synthesizer.voices)
        voice = Voice(
            engines.synthesizer,
            name,
            self._request.speed or 1.0,
            settings.tts_timeout_s,
            phonemes=bool(self._request.phonemes),
        )
        await reply.run(Prompt(messages), engines.language_model, voice, self.outlet)
        if reply.broken_off is not None:
            return outcome_of(reply.broken_off)
        return Outcome.FAILED if reply.unspoken else Outcome.COMPLETED

    @property
    def language(self) -> str | None:
        """The language that is spoken, as far as it is known."""
        return self._request.language or self._around.settings.language or self._around.spoken.known
