"""One try at a turn: what somebody says until they seem to have finished, and what they are answered.

A turn that is reopened tries again. All that it heard, wrote and said by then is void, and is its revision's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

import trio

from voice_trio.core import messages as m
from voice_trio.core.errors import Refused
from voice_trio.core.languages import language_of
from voice_trio.core.messages import ErrorCode, InfoCode, Outcome
from voice_trio.core.timeline import Moment, Stage, Timeline
from voice_trio.core.turn_state import Step
from voice_trio.engines.base import EngineError, Engines, LanguageModel, Transcript, is_metered
from voice_trio.engines.given_words import GivenWords
from voice_trio.session import asr
from voice_trio.session.asked import Asked, Unasked
from voice_trio.session.asking import question
from voice_trio.session.capture import Capture
from voice_trio.session.draft import PLACES, Draft, Drafts, Ledger
from voice_trio.session.outlet import GatedOutlet, Outlet
from voice_trio.session.question import Question
from voice_trio.session.reply import Beginnings, Reply
from voice_trio.session.surroundings import Surroundings
from voice_trio.session.tool_use import Deeds
from voice_trio.standing import queued

_OUTCOMES = {ErrorCode.ASR_TIMEOUT: Outcome.TIMED_OUT, ErrorCode.LLM_TIMEOUT: Outcome.TIMED_OUT}
"""How a turn ends in which an engine gave up with that code; FAILED for every other."""


def outcome_of(error: Refused | EngineError) -> Outcome:
    """Return how a turn ends that ``error`` ended."""
    return _OUTCOMES.get(error.code, Outcome.FAILED)


class Revision:
    """One try at a turn, which ends when its `scope` is cancelled."""

    def __init__(
        self,
        around: Surroundings,
        asked: Asked,
        capture: Capture,
        timeline: Timeline,
        ledger: Ledger,
        deeds: Deeds,
        moved: Callable[[Step], m.StateChanged],
    ) -> None:
        """``ledger`` is that of the turn's drafts, and ``deeds`` what tools do in all of it.

        ``moved`` moves the turn's state, and returns what says so.
        """
        self.scope = trio.CancelScope()
        self.capture = capture
        self.timeline = timeline
        self.said = ""
        """The person's words, once they are known."""
        self.asr_rtf: float | None = None
        """Seconds of recognition for each second of speech."""
        self.forgone: Outcome | None = None
        """Why there is to be no reply, where that came to be known before any was begun."""
        self.outlet = Outlet(around.outbox, timeline)
        self._around = around
        self._asked = asked
        self._number = asked.number
        self._conversation = asked.conversation
        self._request = asked.request
        self._manner = asked.manner
        self._ledger = ledger
        self._deeds = deeds
        self._moved = moved
        self.reply = self._new_reply()

    async def run(self, engines: Engines) -> Outcome:
        """Hear and answer, and return how the turn ends with it.

        Raises `EngineError`, and what is a defect.
        """
        async with trio.open_nursery() as nursery:
            drafts = Drafts(nursery, self.capture, engines.language_model, self._ledger, self._new_draft)
            with closing(drafts):
                # Only now that the conversation is ours, or the turn would be remembered in another session's.
                match self._request:
                    case m.Text(text=text):
                        self.said = text
                        await self.outlet.say(partial(self._conversation.add_said, self._number, text))
                    case m.Start() | m.Commit():
                        await self._listen(self._request, engines, drafts)
                        if not self.said:
                            await self.outlet.say(m.Info(code=InfoCode.NO_SPEECH, message="No words were heard."))
                            return Outcome.EMPTY
                        if not self._manner.wanted or self.forgone is not None:
                            return self.forgone or Outcome.COMPLETED
                        await self.outlet.say(partial(self._moved, Step.FINAL))
                if not self._manner.wanted:
                    return Outcome.COMPLETED
                return await self._respond(engines, drafts)

    def sent(self, event: m.TtsChunk | m.Token) -> None:
        """``event``, of its reply, was handed to the socket."""
        if isinstance(event, m.TtsChunk) or not self._manner.aloud:
            self._asked.begun.set()
        if isinstance(event, m.Token):
            self.reply.shown(event)
            return
        now = trio.current_time()
        self.timeline.first(Moment.FIRST_AUDIO, now)
        self.timeline.latest(Moment.LAST_AUDIO, now)
        self.reply.sent(event)

    async def _listen(self, request: m.Start | m.Commit, engines: Engines, drafts: Drafts) -> None:
        """Find out what the person said."""

        def seems(transcript: Transcript) -> None:
            if transcript.text:
                known = self._around.spoken.after(transcript, self.capture.voiced_through)
                drafts.begin(self._question(engines, transcript.text, self._language(known)))

        if not await self.capture.wait_begun():
            return
        # What was gathered had no beginning, and is an item already.
        detected = isinstance(request, m.Start)
        if detected:
            sample = self.capture.spoken_from
            await self.outlet.say(m.SpeechStarted(utterance=self._number, sample=sample))
        with self.outlet.during(Stage.RECOGNITION), queued("audio_ms", self.capture.left_ms):
            heard = await asr.transcribe(
                self.capture,
                engines.recognizer,
                turn=self._number,
                language=self.language,
                likely=language_of(request.locale),
                settings=self._around.settings,
                throttle=self._around.throttle,
                outlet=self.outlet,
                end_of_turn=engines.end_of_turn,
                seems=seems if self._drafts_replies(engines.language_model) else None,
                over=self._say_stopped if detected else None,
            )
        transcript, self.asr_rtf = heard.transcript, heard.real_time_factor
        self._around.spoken.hear(transcript, self.capture.voiced_through)
        final = m.Final(turn=self._number, text=transcript.text, language=transcript.language)
        await self.outlet.say(final, Moment.FINAL)
        self.said = transcript.text
        self._conversation.hear(self._number, self.said)

    async def _say_stopped(self) -> None:
        await self.outlet.say(m.SpeechStopped(utterance=self._number, sample=self.capture.spoken_through))
        await self.outlet.say(partial(self._conversation.add_said, self._number))

    async def _respond(self, engines: Engines, drafts: Drafts) -> Outcome:
        await self._conversation.wait_words(self._manner.items)
        asked = self._question(engines, self.said, self.language)
        draft = drafts.promoted(asked)
        if draft is not None:
            self.reply = draft.reply
            await draft.deliver()
        else:
            words = self._request.words if isinstance(self._request, Unasked) else None
            model = engines.language_model if words is None else GivenWords(words)
            await self.reply.run(asked, model, self.outlet)
        if self.reply.broken_off is not None:
            return outcome_of(self.reply.broken_off)
        return Outcome.FAILED if self.reply.unspoken else Outcome.COMPLETED

    def _question(self, engines: Engines, said: str, language: str | None) -> Question:
        asked = question(self._around, self._asked, engines, said, language)
        return replace(asked, prompt=self._deeds.after_effects(asked.prompt, asked.hands.agreed))

    def _drafts_replies(self, model: LanguageModel) -> bool:
        """Whether replies are begun that may be for nothing."""
        setting = self._around.settings.drafts
        return self._manner.wanted and (setting == "on" or (setting == "auto" and not is_metered(model)))

    def _new_draft(self, asked: Question) -> Draft:
        outlet = GatedOutlet(self._around.outbox, self.timeline, PLACES)
        return Draft(asked, self._new_reply(), outlet, self._ledger)

    def _new_reply(self) -> Reply:
        around, number, conversation = self._around, self._number, self._conversation
        beginnings = Beginnings(
            text=partial(conversation.add_reply, number),
            audio=partial(self._moved, Step.FIRST_AUDIO),
            tool_use=partial(conversation.add_tool_use, number),
        )
        return Reply(around.settings, around.new_playout(), beginnings, self._deeds, aloud=self._manner.aloud)

    @property
    def language(self) -> str | None:
        """The language that is spoken, as far as it is known."""
        return self._language(self._around.spoken.known)

    def _language(self, known: str | None) -> str | None:
        """Return what is spoken where that is ``known`` by listening."""
        return self._request.language or self._around.settings.language or known
