"""One try at a turn: what somebody says until they seem to have finished, and what they are answered.

A turn that is reopened tries again. All that it heard, wrote and said by then is void, and is its revision's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.history import Record, prompt, remembered
from voice_trio.core.items import Words, said_id
from voice_trio.core.languages import language_of, voice_in
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.core.timeline import Moment, Timeline
from voice_trio.core.turn_state import Step
from voice_trio.engines.base import EngineError, Engines, LanguageModel, Prompt, Transcript, is_metered
from voice_trio.session import asr
from voice_trio.session.capture import Capture
from voice_trio.session.draft import PLACES, Draft, Drafts, Ledger, Question
from voice_trio.session.outlet import GatedOutlet, Outlet
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
        ledger: Ledger,
        moved: Callable[[Step], m.StateChanged],
    ) -> None:
        """``ledger`` is that of the turn's drafts; ``moved`` moves the turn's state, and returns what says so."""
        self.scope = trio.CancelScope()
        self.capture = capture
        self.timeline = timeline
        self.said = ""
        """The person's words, once they are known."""
        self.asr_rtf: float | None = None
        """Seconds of recognition for each second of speech."""
        self.outlet = Outlet(around.outbox, timeline)
        self._around = around
        self._number = number
        self._request = request
        self._ledger = ledger
        self._moved = moved
        self.reply = self._new_reply()

    async def run(self, engines: Engines, records: Sequence[Record]) -> Outcome:
        """Hear and answer, and return how the turn ends with it.

        Raises `EngineError`, and what is a defect.
        """
        async with trio.open_nursery() as nursery:
            drafts = Drafts(nursery, self.capture, engines.language_model, self._ledger, self._new_draft)
            with closing(drafts):
                # Only now that the conversation is ours, or the turn would be remembered in another session's.
                if isinstance(self._request, m.Text):
                    self.said = self._request.text
                elif not await self._listen(engines, records, drafts):
                    return Outcome.EMPTY
                return await self._respond(engines, records, drafts)

    async def _listen(self, engines: Engines, records: Sequence[Record], drafts: Drafts) -> bool:
        """Return whether there were words in what the person said."""

        def seems(transcript: Transcript) -> None:
            if transcript.text:
                known = self._around.spoken.after(transcript, self.capture.voiced_through)
                drafts.begin(self._question(engines, records, transcript.text, self._language(known)))

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
                seems=seems if self._drafts_replies(engines.language_model) else None,
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

    async def _respond(self, engines: Engines, records: Sequence[Record], drafts: Drafts) -> Outcome:
        question = self._question(engines, records, self.said, self.language)
        draft = drafts.promoted(question)
        if draft is not None:
            self.reply = draft.reply
            await draft.deliver()
        else:
            await self.reply.run(question.prompt, engines.language_model, question.voice, self.outlet)
        if self.reply.broken_off is not None:
            return outcome_of(self.reply.broken_off)
        return Outcome.FAILED if self.reply.unspoken else Outcome.COMPLETED

    def _question(self, engines: Engines, records: Sequence[Record], said: str, language: str | None) -> Question:
        """Return what is asked by who ``said`` that, in ``language``."""
        settings = self._around.settings
        items = [*remembered(records), Words(id=said_id(self._number), by="person", text=said)]
        messages = prompt(items, system=settings.llm_system_prompt, budget_tokens=settings.memory_tokens)
        voice = Voice(
            engines.synthesizer,
            self._request.voice or voice_in(language, engines.synthesizer.voices),
            self._request.speed or 1.0,
            settings.tts_timeout_s,
            phonemes=bool(self._request.phonemes),
        )
        return Question(Prompt(messages), voice)

    def _drafts_replies(self, model: LanguageModel) -> bool:
        """Whether replies are begun that may be for nothing."""
        wanted = self._around.settings.drafts
        return wanted == "on" or (wanted == "auto" and not is_metered(model))

    def _new_draft(self, question: Question) -> Draft:
        outlet = GatedOutlet(self._around.outbox, self.timeline, PLACES)
        return Draft(question, self._new_reply(), outlet, self._ledger)

    def _new_reply(self) -> Reply:
        around = self._around
        return Reply(self._number, around.settings, around.new_playout(), partial(self._moved, Step.FIRST_AUDIO))

    @property
    def language(self) -> str | None:
        """The language that is spoken, as far as it is known."""
        return self._language(self._around.spoken.known)

    def _language(self, known: str | None) -> str | None:
        """Return what is spoken where that is ``known`` by listening."""
        return self._request.language or self._around.settings.language or known
