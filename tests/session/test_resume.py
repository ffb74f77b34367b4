"""A session that outlives its connections, in virtual time: nothing is said twice, nothing is lost, nothing is left."""

import os
import random
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode, Outcome
from voice_trio.core.resend import Resend
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.resumable import ResumableLink
from voice_trio.testing.conversation import session_on
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.promises import check_promises
from voice_trio.testing.resuming import ResumingCaller
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    silent,
)
from voice_trio.testing.talk import Talk
from voice_trio.waiting import alongside

REPLY = ("A long ", "reply, ", "and more ", "of it. ", "And then ", "a second ", "sentence.")


class Resuming(Talk):
    """A `Talk` with both ends at hand."""

    def __init__(self, caller, link, session, store):
        super().__init__(caller)
        self.caller, self.link, self.session, self.store = caller, link, session, store
        self.session_over = trio.Event()

    def records(self):
        return [*self.store.records]

    async def away(self, seconds):
        self.caller.cut()
        await trio.sleep(seconds)
        self.caller.attach()


def engines(**model):
    replies = [ScriptedReply(tokens=REPLY)] * 100
    return scripted_engines(
        recognizer=LiteralRecognizer(),
        language_model=ScriptedLanguageModel(replies=replies, **model),
        synthesizer=ScriptedSynthesizer(char_ms=60),
    )


class NotingStore(InProcessStore):
    """Keeps each record that was committed."""

    def __init__(self):
        super().__init__()
        self.records = []

    async def commit(self, record):
        await super().commit(record)
        self.records.append(record)


@asynccontextmanager
async def resuming(resume_s=30.0, *, late_s=lambda: 0.0, sent=None, **options):
    tasks = trio.lowlevel.current_statistics().tasks_living
    store = NotingStore()
    async with trio.open_nursery() as nursery:
        link = ResumableLink(resume_s, sent=sent)
        caller = ResumingCaller(link, nursery, late_s)
        session = session_on(link, engines=options.pop("engines", None) or engines(), store=store, **options)
        talk = Resuming(caller, link, session, store)

        async def live():
            await session.run()
            talk.session_over.set()

        nursery.start_soon(live)
        nursery.start_soon(talk.collect)
        caller.attach()
        yield talk
        caller.leave()
        with trio.fail_after(60):
            await talk.session_over.wait()
        nursery.cancel_scope.cancel()
    check_promises(talk.heard, to_the_end=False)
    assert trio.lowlevel.current_statistics().tasks_living == tasks
    assert not link.can_resume_after(talk.caller.seq)
    assert len(session._outbox) == 0


async def test_a_reply_goes_on_where_it_was_and_is_heard_once(autojump_clock):
    async with resuming() as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        await trio.sleep(0.5)
        await talk.away(5)
        done = await talk.wait_for(m.Done)
    assert (done.outcome, done.remembered, done.heard) == (Outcome.COMPLETED, True, len("".join(REPLY)))
    assert talk.reply(1) == "".join(REPLY)
    assert [record.reply for record in talk.records()] == ["".join(REPLY)]


async def test_a_turn_is_not_over_while_nobody_can_have_heard_it(autojump_clock):
    async with resuming() as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        talk.caller.cut()
        await trio.sleep(29)
        assert talk.records() == []
        talk.caller.attach()
        await talk.wait_for(m.Done)
        assert len(talk.records()) == 1


async def test_while_nobody_listens_what_is_written_is_bounded(autojump_clock):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=("word ",) * 3000, token_s=0.001)])
    given = scripted_engines(language_model=model, synthesizer=ScriptedSynthesizer(char_ms=60))
    async with resuming(engines=given, max_reply_chars=20_000) as talk:
        await talk.ask(m.Text(text="Tell me all."))
        await talk.wait_for(m.Token)
        talk.caller.cut()
        await trio.sleep(20)
        assert len(talk.session._outbox) <= 80
        talk.caller.attach()
        await talk.wait_for(m.TtsChunk)
        await talk.ask(m.Cancel())
        await talk.wait_for(m.Done)


async def test_an_utterance_waits_for_the_rest_of_it(autojump_clock):
    async with resuming() as talk:
        await talk.ask(m.Start())
        await talk.say(spoken("tell", "me", "more"))
        talk.caller.cut()
        await trio.sleep(12)
        assert talk.all(m.Final) == []
        await talk.say(spoken("about", "it") + silent(100))
        talk.caller.attach()
        await talk.silence(900)
        assert (await talk.wait_for(m.Final)).text == "tell me more about it"
        await talk.wait_for(m.Done)


@pytest.mark.parametrize("mode", ["tap", "hold"])
async def test_an_utterance_whose_rest_does_not_come_ends_by_the_clock_once_the_client_is_back(autojump_clock, mode):
    async with resuming() as talk:
        await talk.ask(m.Start(mode=mode))
        await talk.say(spoken("tell", "me", "more"))
        await talk.away(15)
        back_at = trio.current_time()
        final = await talk.wait_for(m.Final)
        assert final.text == "tell me more"
        waited_s = talk.time_of(final) - back_at
        assert (1.8 < waited_s < 3) if mode == "tap" else (30 <= waited_s < 31)
        await talk.wait_for(m.Done)


async def test_a_client_that_does_not_come_back_is_remembered_by_what_it_can_have_heard(autojump_clock):
    async with resuming(10.0) as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        await trio.sleep(2.0)
        talk.caller.cut()
        await trio.sleep(11)
        (record,) = talk.records()
        assert record.outcome is Outcome.CANCELLED
        # Two seconds of sixty ms a character, and a player may be late by 0.3 s.
        assert 20 <= record.heard <= 34
        assert not talk.link.can_resume_after(talk.caller.seq)


async def test_a_cancel_that_was_on_its_way_is_told_when_the_client_is_back(autojump_clock):
    async with resuming() as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        talk.caller.cut()
        await talk.ask(m.Cancel())
        await trio.sleep(3)
        talk.caller.attach()
        assert (await talk.wait_for(m.Done)).outcome is Outcome.CANCELLED


async def test_a_connection_that_is_thought_alive_is_taken_over(autojump_clock):
    async with resuming() as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        for _ in range(5):
            await trio.sleep(0.3)
            talk.caller.attach()
        assert (await talk.wait_for(m.Done)).heard == len("".join(REPLY))


async def test_a_session_that_is_drained_while_nobody_is_there_ends_without_them(autojump_clock):
    async with resuming() as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        talk.caller.cut()
        await trio.sleep(1)
        began_at = trio.current_time()
        talk.session.drain(10)
        talk.link.hurry()
        await talk.session_over.wait()
        assert trio.current_time() - began_at < 0.1
        assert talk.records()[0].outcome is Outcome.CANCELLED


async def test_what_is_gone_from_the_ring_cannot_be_resumed(autojump_clock):
    async with resuming(sent=Resend(most_events=5)) as talk:
        await talk.ask(m.Text(text="Tell me."))
        await talk.wait_for(m.TtsChunk)
        seq = talk.caller.seq
        await talk.wait_for(m.Done)
        assert not talk.link.can_resume_after(seq)
        assert talk.link.can_resume_after(talk.caller.seq)


async def converse(talk, chance, turns):
    """Talk, now in speech, now in writing, and hear each answer out; return the words that were said."""
    words = []
    for turn in range(turns):
        if chance.random() < 0.5:
            said = [f"w{turn}x{number}" for number in range(chance.randrange(2, 8))]
            await talk.ask(m.Start(mode=chance.choice(["tap", "hold"])))
            await talk.say(spoken(*said), then_silent_ms=900)
            await talk.ask(m.Stop())
        else:
            said = [f"w{turn}"]
            await talk.ask(m.Text(text=said[0]))
        words.append(" ".join(said))
        await talk.wait_for(m.Done)
    return words


async def disturb(caller, chance):
    """Break the connection, or take it over, now and then, for a moment or for seconds."""
    while True:
        await trio.sleep(chance.expovariate(1 / 0.7))
        if chance.random() < 0.8:
            caller.cut()
            await trio.sleep(chance.choice([0.0, 0.1, 0.5, 2.0, 10.0]) * chance.random())
        caller.attach()


async def lived(chance, turns):
    """Return a conversation that was disturbed all the time, and what was said in it."""
    late = partial(chance.expovariate, 1 / 0.02)
    async with resuming(late_s=late) as talk, alongside(partial(disturb, talk.caller, chance)):
        return talk, await converse(talk, chance, turns)


async def test_connections_that_break_at_random_moments_under_jitter(autojump_clock):
    """At least 200 of them."""
    seed = int(os.environ.get("SEED", random.randrange(10_000)))
    print(f"SEED={seed}")
    cycles, turns = 0, 8
    for number in range(10):
        talk, words = await lived(random.Random(f"{seed} {number}"), turns)
        cycles += talk.caller.attached - 1
        dones = talk.all(m.Done)
        assert [done.turn for done in dones] == [*range(1, turns + 1)]
        assert {(done.outcome, done.remembered, done.heard) for done in dones} == {
            (Outcome.COMPLETED, True, len("".join(REPLY)))
        }
        assert {talk.reply(done.turn) for done in dones} == {"".join(REPLY)}
        assert [record.said for record in talk.records()] == words
        assert [record.turn for record in talk.records()] == [*range(1, turns + 1)]
        assert talk.all(m.Error) == []
        assert [info for info in talk.all(m.Info) if info.code is InfoCode.LATE_AUDIO] == []
        lengths = {len(talk.audio(done.turn)) for done in dones}
        assert len(lengths) == 1
        assert lengths != {0}
    print(f"{cycles} cycles")
    assert cycles >= 200
