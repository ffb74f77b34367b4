"""Utterances, replies and items as things apart: what a client asks of them, and what it is answered."""

from contextlib import asynccontextmanager

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.history import CUT_OFF
from voice_trio.core.items import FIRST, Reference, ToolOutput, ToolUse, Words, reply_id, said_id, tool_use_id
from voice_trio.core.messages import InfoCode, Outcome, State, Why
from voice_trio.core.playout import UnpacedPlayout
from voice_trio.core.tools import ThatTool, Tool
from voice_trio.engines.base import EngineError, ToolCall
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.marks import _MARKED_CHARS
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    scripted_engines,
    silent,
    voiced,
)

REPLY = "It is sunny. Enjoy your day."
OWN = "Be kind."


class Model(ScriptedLanguageModel):
    """Keeps whole prompts."""

    def stream(self, prompt):
        self.asked = prompt
        return super().stream(prompt)


@asynccontextmanager
async def talking(*replies, store=None, **engines):
    """A session whose audio nobody paces, and its language model."""
    model = Model(replies=[ScriptedReply(tokens=reply) for reply in replies] or [ScriptedReply()])
    engines = {"synthesizer": ScriptedSynthesizer(char_ms=20), **engines}
    with trio.fail_after(200):
        async with conversation(
            engines=scripted_engines(language_model=model, **engines),
            store=store,
            new_playout=UnpacedPlayout,
            llm_system_prompt=OWN,
            vad_silence_ms=300,
        ) as talk:
            await talk.wait_for(m.SessionOpened)
            yield talk, model


def words(key, text, by="person"):
    return Words(id=key, by=by, text=text)


def asked(model):
    """What the model was asked last, without the system prompt."""
    first, *rest = model.prompts[-1]
    assert first.role == "system"
    return [(message.role, message.content) for message in rest]


async def respond(talk, **how):
    await talk.ask(m.Respond(**how))
    accepted = await talk.wait_for(m.ReplyAccepted)
    return await talk.wait_for(m.Done, turn=accepted.reply)


async def records(talk):
    (opened,) = talk.all(m.SessionOpened)
    return await talk.store.recall(opened.conversation)


async def left(talk, key):
    """What the item is by now."""
    await talk.ask(m.ReadItem(item=key))
    return (await talk.wait_for(m.ItemRead)).item


# --- replies ----------------------------------------------------------------------------------------------------------


async def test_what_was_written_is_answered_when_a_reply_is_asked_for(autojump_clock):
    async with talking() as (talk, model):
        await talk.ask(
            m.AddItem(item=words("a", "Hello?")), m.AddItem(item=words("b", "Rules.", "system"), after=FIRST)
        )
        first, second = await talk.wait_for(m.ItemAdded), await talk.wait_for(m.ItemAdded)
        assert (first.after, second.after) == (None, None)
        done = await respond(talk)
        assert (done.outcome, done.remembered, done.heard) == (Outcome.COMPLETED, True, len(REPLY))
        assert asked(model) == [("system", "Rules."), ("user", "Hello?")]
        added = talk.all(m.ItemAdded)[-1]
        assert (added.item.id, added.item.by, added.after) == (reply_id(1), "assistant", "a")
        assert (await left(talk, reply_id(1))).text == REPLY
        await talk.ask(m.AddItem(item=words("c", "And?")))
        await respond(talk)
        assert asked(model)[1:] == [("user", "Hello?"), ("assistant", REPLY), ("user", "And?")]
        assert [(record.said, record.reply) for record in await records(talk)] == [("Hello?", REPLY), ("And?", REPLY)]
    assert talk.states(1) == [State.THINKING, State.RESPONDING, State.COMPLETE]


async def test_done_does_not_wait_for_the_sound(autojump_clock):
    async with talking() as (talk, _):
        began_at = trio.current_time()
        await respond(talk)
        assert len(talk.audio(1)) / 2 / ScriptedSynthesizer().sample_rate > 0.5
        assert trio.current_time() - began_at < 0.4


async def test_an_empty_conversation_is_answered_too(autojump_clock):
    async with talking() as (talk, model):
        assert (await respond(talk)).outcome is Outcome.COMPLETED
        assert asked(model) == []
        assert [(record.said, record.reply) for record in await records(talk)] == [("", REPLY)]


async def test_instructions_items_and_writing_alone_count_for_one_reply(autojump_clock):
    async with talking() as (talk, model):
        await talk.ask(m.AddItem(item=words("a", "Hello?")))
        await respond(talk, instructions="Be brief.", aloud=False, items=(words("x", "Count."), Reference(id="a")))
        assert [message.content for message in model.prompts[-1]] == ["Be brief.", "Count.", "Hello?"]
        assert talk.audio(1) == b""
        assert talk.reply(1) == REPLY
        assert talk.states(1) == [State.THINKING, State.COMPLETE]
        assert not talk.all(m.Info)
        await respond(talk)
        assert model.prompts[-1][0].content == OWN
        # What was given for it alone stands nowhere.
        assert asked(model) == [("user", "Hello?"), ("assistant", REPLY)]
        assert talk.audio(2)


async def test_out_of_band_leaves_no_trace(autojump_clock):
    async with talking(["Secret."], [REPLY]) as (talk, model):
        await talk.ask(m.AddItem(item=words("a", "Hello?")))
        done = await respond(talk, out_of_band=True)
        assert (done.outcome, done.remembered) == (Outcome.COMPLETED, False)
        assert asked(model) == [("user", "Hello?")]
        await talk.ask(m.ReadItem(item=reply_id(1)))
        assert (await talk.wait_for(m.Declined)).why is Why.NO_SUCH_ITEM
        await respond(talk)
        assert asked(model) == [("user", "Hello?")]
        assert [(record.said, record.reply) for record in await records(talk)] == [("Hello?", REPLY)]


async def test_one_reply_at_a_time_and_none_to_what_is_not_there(autojump_clock):
    async with talking() as (talk, _):
        await talk.ask(m.Respond(items=(Reference(id="nowhere"),)))
        declined = await talk.wait_for(m.Declined)
        assert (declined.command, declined.why, declined.item) == ("respond", Why.NO_SUCH_ITEM, "nowhere")
        await talk.ask(m.Respond(), m.Respond())
        assert (await talk.wait_for(m.Declined)).why is Why.ACTIVE
        assert (await talk.wait_for(m.Done)).outcome is Outcome.COMPLETED
        talk.session.drain(5)
        await talk.ask(m.Respond())
        assert (await talk.wait_for(m.Declined)).why is Why.ENDING
    assert [done.turn for done in talk.all(m.Done)] == [1]


async def test_a_reply_is_cancelled_and_what_was_written_stands(autojump_clock):
    async with talking(["One. ", 5.0, "Two."]) as (talk, model):
        await talk.ask(m.CancelReply())
        assert (await talk.wait_for(m.Info)).code is InfoCode.NOTHING_TO_CANCEL
        await talk.ask(m.AddItem(item=words("a", "Hello?")), m.Respond())
        await talk.wait_for(m.StateChanged, state=State.THINKING)
        await talk.ask(m.CancelReply())
        assert (await talk.wait_for(m.Done)).outcome is Outcome.CANCELLED
        await talk.ask(m.Respond())
        await talk.wait_for(m.Token, text="One. ")
        await trio.sleep(1)
        await talk.ask(m.CancelReply())
        assert (await talk.wait_for(m.Done)).outcome is Outcome.CANCELLED
        assert asked(model) == [("user", "Hello?")]
        await talk.ask(m.Respond())
        await talk.wait_for(m.Token)
        assert asked(model) == [("user", "Hello?"), ("assistant", "One." + CUT_OFF)]
        await talk.wait_for(m.Done)
    assert [record.said for record in await records(talk)] == ["Hello?", ""]


# --- items ------------------------------------------------------------------------------------------------------------


async def test_a_late_cut_reaches_the_next_prompt_and_the_store_and_is_never_lengthened(autojump_clock):
    async with talking() as (talk, model):
        await talk.ask(m.AddItem(item=words("a", "Hello?")))
        await respond(talk)
        (phrase, *_) = talk.all(m.TtsPhrase)
        rate = phrase.sample_rate
        for samples, heard in ((10**9, None), (rate // 10, "It"), (rate // 2, "It"), (0, "")):
            await talk.ask(m.CutItem(item=reply_id(1), samples=samples))
            cut = await talk.wait_for(m.ItemCut)
            kept = cut.item.text if cut.item.heard is None else cut.item.text[: cut.item.heard].strip()
            assert kept == (REPLY if heard is None else heard), samples
            await trio.sleep(0.1)
            (record,) = await records(talk)
            assert (record.outcome is Outcome.COMPLETED) == (heard is None)
            assert record.reply[: record.heard].strip() == kept
        await respond(talk)
        assert asked(model) == [("user", "Hello?")]


async def test_a_reply_that_is_being_made_is_cut_for_good(autojump_clock):
    async with talking(["One two three. ", 2.0, "Four five."], [REPLY]) as (talk, model):
        await talk.ask(m.Respond())
        await talk.wait_for(m.TtsPhraseDone)
        await talk.ask(m.CutItem(item=reply_id(1), samples=10**9))
        cut = (await talk.wait_for(m.ItemCut)).item
        done = await talk.wait_for(m.Done)
        assert (done.outcome, done.heard) == (Outcome.COMPLETED, cut.heard)
        assert (await left(talk, reply_id(1))).heard == cut.heard
        await respond(talk)
        assert asked(model) == [("assistant", "One two three." + CUT_OFF)]
    first, _ = await records(talk)
    assert (first.outcome, first.heard) == (Outcome.INTERRUPTED, cut.heard)


async def test_a_cut_counts_though_the_client_goes_at_once(autojump_clock):
    async with talking() as (talk, _):
        await respond(talk)
        await talk.ask(m.CutItem(item=reply_id(1), samples=0))
    (record,) = await records(talk)
    assert (record.heard, record.outcome) == (0, Outcome.INTERRUPTED)


async def test_what_is_deleted_is_out_of_the_conversation_and_of_the_store(autojump_clock):
    async with talking() as (talk, model):
        await talk.ask(m.AddItem(item=words("a", "Hello?")))
        await respond(talk)
        await talk.ask(m.DeleteItem(item=reply_id(1)), m.DeleteItem(item="a"), m.DeleteItem(item="a"))
        assert [(await talk.wait_for(m.ItemDeleted)).item for _ in range(2)] == [reply_id(1), "a"]
        assert (await talk.wait_for(m.Declined)).why is Why.NO_SUCH_ITEM
        # An id that was deleted is free again; one of a turn to come is not.
        await talk.ask(m.AddItem(item=words(reply_id(1), "Changed.", "assistant")))
        await talk.ask(m.AddItem(item=words(reply_id(2), "Early.", "assistant")))
        assert (await talk.wait_for(m.Declined)).why is Why.DUPLICATE
        await respond(talk)
        assert asked(model) == [("assistant", "Changed.")]
        first, _ = await records(talk)
        assert (first.said, first.reply) == ("", "")


async def test_ids_of_a_turn_under_way_are_taken_but_for_what_was_deleted_of_it(autojump_clock):
    async with talking(["A story ", 5.0, "that goes on."]) as (talk, _):
        await talk.ask(m.Respond())
        await talk.wait_for(m.Token)
        await talk.ask(m.AddItem(item=words("call_1_0", "Early.")))
        assert (await talk.wait_for(m.Declined)).why is Why.DUPLICATE
        await talk.ask(m.DeleteItem(item=reply_id(1)), m.AddItem(item=words(reply_id(1), "Mine.")))
        added = await talk.wait_for(m.ItemAdded, item=words(reply_id(1), "Mine."))
        assert added.by_client
        await talk.wait_for(m.Done)
        assert await left(talk, reply_id(1)) == words(reply_id(1), "Mine.")
        assert [event.by_client for event in talk.all(m.ItemAdded)] == [False, True]


async def test_each_cancel_is_answered_at_once_and_in_its_order(autojump_clock):
    async with talking(["A story ", 5.0, "that goes on."]) as (talk, _):
        await talk.ask(m.Respond(), m.CancelReply(), m.CancelReply(), m.Answer(body="after"))
        await talk.wait_for(m.Answered)
        answers = [type(event) for event in talk.heard if isinstance(event, (m.RepliesCancelled, m.Info))]
        assert answers == [m.RepliesCancelled, m.Info]


async def test_ids_of_a_turn_out_of_band_are_free(autojump_clock):
    async with talking(["A story ", 5.0, "that goes on."]) as (talk, _):
        await talk.ask(m.Respond(out_of_band=True))
        await talk.wait_for(m.Token)
        await talk.ask(*(m.AddItem(item=words(key, "Mine.")) for key in (said_id(1), reply_id(1), "call_1_7")))
        for _ in range(3):
            assert (await talk.wait_for(m.ItemAdded, by_client=True)).item.text == "Mine."


async def test_what_a_client_wrote_is_told_from_what_was_said(autojump_clock):
    async with talking() as (talk, _):
        await respond(talk)
        await talk.ask(m.AddItem(item=words(said_id(1), "Mine.")), m.ReadItem(item=said_id(1)))
        assert (await talk.wait_for(m.ItemRead)).written
        await talk.ask(m.ReadItem(item=reply_id(1)))
        assert not (await talk.wait_for(m.ItemRead)).written


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (m.AddItem(item=words("a", "again")), Why.DUPLICATE),
        (m.AddItem(item=words("b", "lost"), after="nowhere"), Why.NO_SUCH_ITEM),
        (m.ReadItem(item="nowhere"), Why.NO_SUCH_ITEM),
        (m.DeleteItem(item="nowhere"), Why.NO_SUCH_ITEM),
        (m.CutItem(item="nowhere", samples=1), Why.NO_SUCH_ITEM),
        (m.CutItem(item="a", samples=1), Why.NO_SOUND),
        (m.CutItem(item=reply_id(1), samples=1), Why.NO_SOUND),
        (m.Commit(), Why.TOO_SHORT),
    ],
)
async def test_what_cannot_be_is_declined_and_changes_nothing(autojump_clock, command, why):
    async with talking() as (talk, model):
        await talk.ask(m.AddItem(item=words("a", "Hello?")))
        await respond(talk, aloud=False)
        await talk.ask(command)
        declined = await talk.wait_for(m.Declined)
        assert (declined.command, declined.why) == (command.name, why)
        await respond(talk)
        assert asked(model) == [("user", "Hello?"), ("assistant", REPLY)]
    assert not talk.all(m.Error)


async def test_answers_come_in_their_order(autojump_clock):
    async with talking() as (talk, _):
        await talk.ask(m.Answer(body="1"), m.AddItem(item=words("a", "Hello?")), m.ReadItem(item="b"))
        await talk.ask(m.Clear(), m.Answer(body="2"))
        kinds = [m.Answered, m.ItemAdded, m.Declined, m.Cleared, m.Answered]
        for kind in kinds:
            await talk.next_is(kind)


async def test_old_replies_are_cut_at_an_even_pace(autojump_clock):
    long = "word " * (_MARKED_CHARS // 50)
    async with talking(*([[long] for _ in range(12)]), synthesizer=ScriptedSynthesizer(char_ms=1)) as (talk, _):
        for _ in range(12):
            await respond(talk)
        samples = len(talk.audio(1)) // 2
        heard = {}
        for turn in (1, 12):
            await talk.ask(m.CutItem(item=reply_id(turn), samples=samples // 2))
            heard[turn] = (await talk.wait_for(m.ItemCut)).item.heard
        assert abs(heard[1] - heard[12]) <= 5
        assert heard[1] == pytest.approx(len(long) / 2, abs=50)


async def test_earlier_sessions_are_the_first_items_and_what_was_forgotten_leaves(autojump_clock):
    store = InProcessStore()
    async with talking(store=store) as (talk, model):
        (opened,) = talk.all(m.SessionOpened)
        for text in ("one", "two"):
            await talk.ask(m.AddItem(item=words(text, text)))
            await respond(talk)
        assert ("user", "one") in asked(model)
        await store.prune(before=1.0)
        await talk.ask(m.Text(text="three"))
        await talk.wait_for(m.Done)
        assert ("assistant", REPLY) not in asked(model)
    async with talking(store=store) as (talk, model):
        await talk.ask(m.Text(text="four", conversation=opened.conversation))
        await talk.wait_for(m.Done)
        assert asked(model) == [("user", "three"), ("assistant", REPLY), ("user", "four")]


# --- tools ------------------------------------------------------------------------------------------------------------

LOOK = Tool("look", "Looks.", {"type": "object"})
CALL = ToolCall("upstream", "look", '{"at":"sky"}')


async def test_the_client_is_asked_for_its_tools_and_answers_as_it_likes(autojump_clock):
    async with talking([CALL, CALL], [REPLY]) as (talk, model):
        await talk.ask(m.Configure(tools=(LOOK,)), m.AddItem(item=words("a", "Rain?")))
        done = await respond(talk)
        assert (done.outcome, done.heard) == (Outcome.COMPLETED, 0)
        assert (model.asked.tools, model.asked.tool_choice) == ((LOOK,), "auto")
        uses = [added.item for added in talk.all(m.ItemAdded)[1:]]
        keys = [tool_use_id(1, number) for number in range(2)]
        assert uses == [ToolUse(id=key, call=key, name="look", arguments='{"at":"sky"}') for key in keys]
        assert not talk.all(m.Info)
        for key in reversed(keys):
            await talk.ask(m.AddItem(item=ToolOutput(id=f"of {key}", call=key, output=f"dry {key}")))
        await respond(talk, tool_choice=ThatTool(name="look"))
        assert model.asked.tool_choice == ThatTool(name="look")
        _, user, calls, *outputs = model.prompts[-1]
        assert (user.content, calls.calls) == ("Rain?", tuple(uses))
        assert [(output.answers, output.content) for output in outputs] == [(key, f"dry {key}") for key in keys]


async def test_nobody_is_asked_for_tools_that_were_not_offered(autojump_clock):
    async with talking([CALL, "No tools."]) as (talk, model):
        await talk.ask(m.Configure(tools=(LOOK,)))
        await respond(talk, tools=())
        assert not [added for added in talk.all(m.ItemAdded) if isinstance(added.item, ToolUse)]
        assert model.asked.tools == ()
        assert talk.reply(1) == "No tools."


# --- what is said -----------------------------------------------------------------------------------------------------


async def test_what_was_gathered_is_heard_when_it_is_committed(autojump_clock):
    async with talking() as (talk, model):
        await talk.ask(m.Listen(), m.Audio(voiced(1200)), m.Audio(silent(2000)), m.Commit(), m.Respond())
        assert (await talk.wait_for(m.ItemAdded)).item == Words(id=said_id(1), by="person")
        # At once, and not when it was recognised.
        await talk.wait_for(m.ReplyAccepted, reply=2)
        final = await talk.wait_for(m.Final, turn=1)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
        assert asked(model) == [("user", final.text)]
        assert len(final.text.split()) == 6
        await talk.ask(m.Audio(voiced(90)), m.Commit())
        assert (await talk.wait_for(m.Declined)).why is Why.TOO_SHORT
        # That stays, and is heard with what follows.
        await talk.ask(m.Audio(voiced(600)), m.Clear(), m.Audio(voiced(60)), m.Audio(voiced(540)), m.Commit())
        assert len((await talk.wait_for(m.Final)).text.split()) == 2
    assert talk.states(1) == [State.CAPTURING, State.COMPLETE]
    assert not talk.all(m.SpeechStarted)


async def test_what_is_committed_during_a_reply_is_heard_after_it(autojump_clock):
    async with talking(["One. ", 1.0, "Two."]) as (talk, _):
        await talk.ask(m.Listen(), m.Respond())
        await talk.wait_for(m.Token)
        await talk.ask(m.Audio(voiced(900)), m.Commit())
        assert (await talk.wait_for(m.ItemAdded)).item.id == said_id(2)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
    assert talk.reply(1) == "One. Two."


LISTENING = m.Start(mode="hands_free", barge_in="confirm")


async def test_turns_begin_by_themselves_once_we_listen_and_say_where_speech_is(autojump_clock):
    async with talking() as (talk, _):
        await talk.ask(m.Listen(start=LISTENING))
        await talk.say(silent(900))
        await talk.ask(m.Respond())
        await talk.wait_for(m.Done, turn=1)
        await talk.say(900, 600)
        started = await talk.wait_for(m.SpeechStarted)
        stopped = await talk.wait_for(m.SpeechStopped)
        assert (started.utterance, stopped.utterance) == (2, 2)
        assert abs(started.sample - 16 * 900) <= 480
        assert abs(stopped.sample - 16 * 1800) <= 480
        await talk.next_is(m.ItemAdded)
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
    assert not talk.all(m.Error)


async def test_what_nobody_answers_is_remembered(autojump_clock):
    async with talking() as (talk, model):
        await talk.ask(m.Listen(start=m.Start(mode="hands_free", barge_in="confirm", reply=False)))
        await talk.say(900, 600)
        final = await talk.wait_for(m.Final)
        done = await talk.wait_for(m.Done)
        assert (done.outcome, done.remembered) == (Outcome.COMPLETED, True)
        assert (model.prompts, talk.states(1)) == ([], [State.CAPTURING, State.COMPLETE])
        await respond(talk)
        assert asked(model) == [("user", final.text)]


def literal(*replies, settle_s=0.1):
    return talking(
        *replies, recognizer=LiteralRecognizer(settle_s=settle_s), synthesizer=ScriptedSynthesizer(char_ms=60)
    )


async def test_a_reply_is_interrupted_when_it_is_clear_that_it_is_meant_and_nobody_is_held(autojump_clock):
    async with literal(["Long ", 20.0, "reply."], [REPLY]) as (talk, model):
        await talk.ask(m.Listen(start=LISTENING))
        await talk.say(spoken("tell", "me"), 600)
        await talk.wait_for(m.Token)
        await talk.say(spoken("mhm"), 900)
        assert not talk.all(m.Done)
        await talk.say(spoken("stop", "it"), 900)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
        started = await talk.wait_for(m.SpeechStarted)
        assert started.utterance == 2
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
        assert asked(model) == [("user", "tell me"), ("assistant", "Long" + CUT_OFF), ("user", "stop it")]
    assert not talk.all(m.Hold) + talk.all(m.Release) + talk.all(m.Reopened)


@pytest.mark.parametrize(("settle_s", "written_s"), [(2.0, 0.02), (0.1, 4.0)])
async def test_who_speaks_on_before_the_reply_loses_no_word(autojump_clock, settle_s, written_s):
    async with literal([written_s, REPLY], settle_s=settle_s) as (talk, model):
        await talk.ask(m.Listen(start=LISTENING))
        await talk.say(spoken("tell", "me") + silent(330) + spoken("stop", "it"), 900)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.INTERRUPTED
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
        assert [final.text for final in talk.all(m.Final)] == ["tell me", "stop it"]
        assert asked(model) == [("user", "tell me"), ("user", "stop it")]
    assert not talk.all(m.Hold) + talk.all(m.Release) + talk.all(m.Reopened)


async def test_what_is_said_into_a_reply_may_wait_for_its_end(autojump_clock):
    async with literal(["Long ", 4.0, "reply."], [REPLY]) as (talk, _):
        await talk.ask(m.Listen(start=m.Start(mode="hands_free", barge_in="wait")))
        await talk.say(spoken("tell", "me"), 600)
        await talk.wait_for(m.Token)
        await talk.say(spoken("stop", "it"), 900)
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.COMPLETED
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
    assert [final.text for final in talk.all(m.Final)] == ["tell me", "stop it"]


async def test_a_reply_is_cancelled_while_its_question_is_recognised_and_that_stands(autojump_clock):
    async with literal([REPLY], settle_s=2.0) as (talk, model):
        await talk.ask(m.Listen(start=LISTENING))
        await talk.say(spoken("tell", "me"), 600)
        await talk.ask(m.CancelReply())
        assert (await talk.wait_for(m.Final)).text == "tell me"
        assert (await talk.wait_for(m.Done)).outcome is Outcome.CANCELLED
        await respond(talk)
        assert asked(model) == [("user", "tell me")]


async def test_what_could_not_be_recognised_is_an_item_without_words(autojump_clock):
    fails = [EngineError(m.ErrorCode.ASR_FAIL, "no")]
    async with talking(recognizer=ScriptedRecognizer(fails=fails)) as (talk, model):
        await talk.ask(m.Listen(), m.Audio(voiced(900)), m.Commit(), m.Respond())
        assert (await talk.wait_for(m.Done, turn=1)).outcome is Outcome.FAILED
        assert (await talk.wait_for(m.Done, turn=2)).outcome is Outcome.COMPLETED
        assert (await left(talk, said_id(1))).text == ""
        assert asked(model) == []
