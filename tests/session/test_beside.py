"""Replies out of band beside the conversation's own: several at once, and each with its own end."""

import pytest
import trio

from tests.session.test_apart import LISTENING, REPLY, asked, respond, talking, words
from voice_trio.core import messages as m
from voice_trio.core.items import Reference, reply_id, said_id
from voice_trio.core.messages import InfoCode, Outcome, Why
from voice_trio.engines.base import EngineError
from voice_trio.session import turns
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import ScriptedRecognizer, silent, voiced

STORY = ["A sentence. ", 2.0, "Its end."]
ASIDE = m.Respond(out_of_band=True)


async def accepted(talk, command=ASIDE):
    await talk.ask(command)
    return (await talk.wait_for(m.ReplyAccepted, beside=True)).reply


async def test_two_replies_run_at_once_and_each_comes_to_its_end(autojump_clock):
    async with talking(STORY, ["Aside."], [REPLY]) as (talk, model):
        await talk.ask(m.AddItem(item=words("a", "Hello?")), m.Respond())
        await talk.wait_for(m.Token)
        aside = await accepted(talk)
        assert (await talk.wait_for(m.Done)).turn == aside == 2
        assert asked(model) == [("user", "Hello?"), ("assistant", "A sentence. ")]
        done = await talk.wait_for(m.Done, turn=1)
        assert done.outcome is Outcome.COMPLETED
        assert (talk.reply(1), talk.reply(2)) == ("A sentence. Its end.", "Aside.")
        assert talk.audio(1)
        assert talk.audio(2)
        await respond(talk)
        assert asked(model) == [("user", "Hello?"), ("assistant", "A sentence. Its end.")]
        await talk.ask(m.ReadItem(item=reply_id(2)))
        assert (await talk.wait_for(m.Declined)).why is Why.NO_SUCH_ITEM


async def test_so_many_may_run_and_no_more(autojump_clock):
    async with talking(*[STORY] * 6) as (talk, _):
        await talk.ask(m.Respond(), *[ASIDE] * (turns._BESIDE + 1))
        declined = await talk.wait_for(m.Declined)
        assert (declined.command, declined.why) == ("respond", Why.BUSY)
        for _ in range(turns._BESIDE + 1):
            assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
        # There is room again.
        await accepted(talk)
        await talk.wait_for(m.Done)


async def test_one_is_cancelled_by_its_number_and_no_other(autojump_clock):
    async with talking(STORY, STORY, STORY) as (talk, _):
        await talk.ask(m.Respond())
        one, other = await accepted(talk), await accepted(talk)
        await talk.wait_for(m.Token, turn=other)
        await talk.ask(m.CancelReply(reply=one))
        await talk.wait_for(m.RepliesCancelled)
        done = await talk.wait_for(m.Done)
        assert (done.turn, done.outcome) == (one, Outcome.CANCELLED)
        # It has ended, and this one never was.
        for number in (one, 99):
            await talk.ask(m.CancelReply(reply=number))
            assert (await talk.wait_for(m.Info)).code is InfoCode.NOTHING_TO_CANCEL
        # Without a number, the conversation's own is meant.
        await talk.ask(m.CancelReply())
        done = await talk.wait_for(m.Done)
        assert (done.turn, done.outcome) == (1, Outcome.CANCELLED)
        await talk.ask(m.CancelReply())
        assert (await talk.wait_for(m.Info)).code is InfoCode.NOTHING_TO_CANCEL
        done = await talk.wait_for(m.Done)
        assert (done.turn, done.outcome) == (other, Outcome.COMPLETED)


async def test_who_speaks_into_the_conversation_interrupts_its_own_reply_alone(autojump_clock):
    story = ["A sentence that goes on. ", 0.3] * 20
    async with talking(story, ["A sentence. ", 4.0, "Its end."], ["Yes?"], recognizer=LiteralRecognizer()) as (talk, _):
        await talk.ask(m.Listen(start=LISTENING), m.AddItem(item=words("a", "Tell me.")), m.Respond())
        await talk.wait_for(m.TtsChunk, turn=1)
        aside = await accepted(talk)
        await talk.wait_for(m.Token, turn=aside)
        await talk.say(spoken("stop", "there", "please") + silent(900))
        outcomes: dict[int, Outcome] = {}
        while len(outcomes) < 3:
            done = await talk.wait_for(m.Done)
            outcomes[done.turn] = done.outcome
        assert outcomes[1] is Outcome.INTERRUPTED
        assert outcomes[aside] is Outcome.COMPLETED
        assert outcomes[3] is Outcome.COMPLETED


async def test_it_waits_for_the_words_of_what_was_committed_and_for_no_more(autojump_clock):
    async with talking([REPLY], recognizer=ScriptedRecognizer(settle_s=3.0)) as (talk, model):
        await talk.ask(m.Listen(), m.AddItem(item=words("a", "Hello?")), m.Audio(voiced(600)), m.Commit())
        await talk.wait_for(m.ItemAdded, by_client=False)
        began = trio.current_time()
        await talk.ask(m.Respond(out_of_band=True, items=(Reference(id="a"),)))
        await talk.wait_for(m.Done, turn=2)
        assert trio.current_time() < began + 2
        assert asked(model) == [("user", "Hello?")]
        await talk.ask(ASIDE)
        await talk.wait_for(m.Done, turn=3)
        assert asked(model) == [("user", "Hello?"), ("user", "what is")]


@pytest.mark.parametrize("how", ["deleted", "failed", "cancelled"])
async def test_words_that_never_come_are_not_waited_for(autojump_clock, how):
    fails = [EngineError(m.ErrorCode.ASR_FAIL, "It broke.")] if how == "failed" else []
    async with talking([REPLY], recognizer=ScriptedRecognizer(settle_s=9.0, fails=fails)) as (talk, model):
        await talk.ask(m.Listen(), m.AddItem(item=words("a", "Hello?")), m.Audio(voiced(600)), m.Commit())
        aside = await accepted(talk)
        match how:
            case "deleted":
                await talk.ask(m.DeleteItem(item=said_id(1)))
            case "cancelled":
                await talk.ask(m.CancelReply(reply=aside))
        done = await talk.wait_for(m.Done, turn=aside)
        assert done.outcome is (Outcome.CANCELLED if how == "cancelled" else Outcome.COMPLETED)
        if how == "cancelled":
            assert not model.prompts
        else:
            assert asked(model) == [("user", "Hello?")]


@pytest.mark.parametrize("grace_s", [0.0, 1.0, 60.0])
async def test_a_drain_lets_each_finish_within_its_grace(autojump_clock, grace_s):
    async with talking(STORY, STORY) as (talk, _):
        await talk.ask(m.Respond())
        aside = await accepted(talk)
        await talk.wait_for(m.Token, turn=aside)
        talk.session.drain(grace_s)
        await trio.sleep(70)
        outcome = Outcome.COMPLETED if grace_s > 2 else Outcome.CANCELLED
        assert {done.turn: done.outcome for done in talk.all(m.Done)} == {1: outcome, aside: outcome}
        assert talk.over is not None


async def test_the_first_that_is_asked_for_may_be_one(autojump_clock):
    async with talking(["Aside."], [REPLY]) as (talk, _):
        await talk.ask(ASIDE, m.Text(text="Hello?"))
        outcomes = [await talk.wait_for(m.Done), await talk.wait_for(m.Done)]
        assert {done.turn: done.remembered for done in outcomes} == {1: False, 2: True}
