"""Bugs to put into a session, each of which shows only when an end comes at the wrong moment."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import Outcome, State
from voice_trio.core.playout import Playout
from voice_trio.session import recollection, reply, tts, turn
from voice_trio.session.candidate import Candidate
from voice_trio.session.floor import Floor
from voice_trio.session.llm import Written
from voice_trio.session.outbox import Outbox
from voice_trio.session.resumable import ResumableLink
from voice_trio.session.session import Session
from voice_trio.session.tool_use import Deeds
from voice_trio.session.turn import Turn


@dataclass
class Plant:
    """A bug."""

    put_in: Callable[[pytest.MonkeyPatch], None]
    end: str
    """The kind of end that brings it out."""
    complaint: str
    into_replies: bool = False
    """Whether it needs somebody who speaks into a reply."""
    with_tools: bool = False
    """Whether it needs a reply that uses tools."""


def stale_value(patch):
    """A task that was handed a value acts on it though it was cancelled meanwhile."""

    async def door(self):
        while self._open and len(self._items) >= self._capacity:
            await self._places.park()

    patch.setattr(Outbox, "door", door)


def second_terminal(patch):
    """A cancel is answered at once, and then once more by the turn's end."""
    end = Turn.end

    def end_and_say_so(self, outcome):
        ends = end(self, outcome)
        if ends and self._machine.state is State.RESPONDING:
            self._outbox.append(m.Done(turn=self.number, outcome=outcome, remembered=False, heard=0))
        return ends

    patch.setattr(Turn, "end", end_and_say_so)


def early_record(patch):
    """A record is written when the reply is over, and not when it is certain how the turn ended."""
    converse, remember, kept = Turn._converse, recollection.remember, {}

    async def converse_and_remember(self):
        outcome = await converse(self)
        said, reply = self._revision.said, self._revision.reply.text
        record = recollection.record_of(self._around, self.asked, outcome, said, reply, len(reply), ())
        kept[self.asked] = await remember(self._around, self.asked, record)
        return outcome

    async def remember_once(around, asked, record):
        return kept[asked] if asked in kept else await remember(around, asked, record)

    patch.setattr(Turn, "_converse", converse_and_remember)
    patch.setattr(turn, "remember", remember_once)


def unclosed_channel(patch):
    """A channel is closed by who comes to an end, and not by who is cancelled."""
    synthesize = tts._synthesize

    async def synthesize_and_close(phrases, synthesizer, ready, *rest):
        await synthesize(phrases.clone(), synthesizer, ready.clone(), *rest)
        phrases.close()
        ready.close()

    patch.setattr(tts, "_synthesize", synthesize_and_close)


def task_left(patch):
    """A task of a turn that was cancelled lives on outside of its nursery."""
    end = Turn._end

    async def end_and_linger(self, outcome):
        await end(self, outcome)
        if outcome is Outcome.CANCELLED:
            trio.lowlevel.spawn_system_task(trio.sleep_forever)

    patch.setattr(Turn, "_end", end_and_linger)


def words_nobody_heard(patch):
    """All that was written is remembered as heard."""
    patch.setattr(reply, "heard_text", lambda phrases, reply, samples: len(reply))


def claim_kept(patch):
    """A session that is cut off keeps its conversation."""

    async def run(self):
        await self._live()
        self._around.claims.release(self.id)

    patch.setattr(Session, "run", run)


def error_unsaid(patch):
    """A reply that breaks off is not said to."""

    async def break_off(self, error, outlet):
        self.broken_off = error

    patch.setattr(Written, "_break_off", break_off)


def held_for_ever(patch):
    """Nothing but its recognizer decides on a candidate, and no clock ends the hold."""

    async def is_meant(self, engines, timeout_s):
        await self._is_weighed(engines.recognizer)
        return self._judge(over=True)

    async def forever(self):
        await trio.sleep_forever()

    patch.setattr(Candidate, "is_meant", is_meant)
    patch.setattr(Floor, "_release_in_time", forever)


def turn_of_nobody(patch):
    """What somebody said who is gone begins a turn."""
    patch.setattr(Floor, "close", lambda self: None)


def call_without_an_end(patch):
    """Of a call that is cut off nobody is told that it is over."""
    patch.setattr(Deeds, "end_rest", lambda self, outbox: None)


def forgotten_deed(patch):
    """What was done counts for nothing where the reply did not come to its end."""

    def calls(self, uses):
        return () if self._told or not uses else remembered(self, uses)

    remembered = Deeds.calls
    patch.setattr(Deeds, "calls", calls)


def one_message_too_many(patch):
    """A client that comes back is sent the last that it has once more."""
    attach = ResumableLink._attach

    def attach_too_early(self, carrier, *, again):
        carrier.next -= again
        attach(self, carrier, again=again)

    patch.setattr(ResumableLink, "_attach", attach_too_early)


def one_message_too_few(patch):
    """What was on its way when the connection broke is taken for arrived."""
    attach = ResumableLink._attach

    def attach_too_late(self, carrier, *, again):
        carrier.next = self._sent.last + 1
        attach(self, carrier, again=again)

    patch.setattr(ResumableLink, "_attach", attach_too_late)


def heard_while_away(patch):
    """A player that is out of reach is thought to play on."""
    patch.setattr(Playout, "lose", lambda self, now: None)


PLANTS = {
    "stale value": Plant(stale_value, "cancel", "after the cancel it said"),
    "second terminal": Plant(second_terminal, "cancel", "is a second terminal"),
    "early record": Plant(early_record, "cancel", "not remembered as it was"),
    "unclosed channel": Plant(unclosed_channel, "cancel", "a memory channel whose"),
    "task left": Plant(task_left, "cancel", "tasks are left"),
    "words nobody heard": Plant(words_nobody_heard, "gone", "characters were heard by it"),
    "claim kept": Plant(claim_kept, "killed", "the next session did not work"),
    "error unsaid": Plant(error_unsaid, "llm_error", "calls failed, and the client was told"),
    "held for ever": Plant(held_for_ever, "asr_hang", "it had no terminal", into_replies=True),
    "turn of nobody": Plant(turn_of_nobody, "gone", "the link was closed with", into_replies=True),
    "call without an end": Plant(call_without_an_end, "cancel", "had no end", with_tools=True),
    "forgotten deed": Plant(forgotten_deed, "cancel", "were calls of tools", with_tools=True),
    "one_message_too_many": Plant(one_message_too_many, "detach", "was due"),
    "one_message_too_few": Plant(one_message_too_few, "detach", "was due"),
    "heard_while_away": Plant(heard_while_away, "lost", "was not remembered as it was"),
}
