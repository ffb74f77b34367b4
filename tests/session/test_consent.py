"""What is done only after a yes: the person is asked, and the very next thing that they say counts."""

import pytest
import trio

from tests.session.test_tools import Asked, call, called
from voice_trio.core import messages as m
from voice_trio.core.messages import CallState, Outcome
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedTool,
    scripted_engines,
    silent,
)

STARTED, DONE, FAILED = CallState.STARTED, CallState.DONE, CallState.FAILED
DELETE = call("delete", '{"what": "all"}')
ASKING = ["Shall I delete all of them?"]


def deleting(**options):
    return ScriptedTool("delete", answers=["Three are deleted."], has_effects=True, confirm=True, **options)


async def test_it_is_asked_for_and_done_after_a_yes(autojump_clock):
    tool = deleting()
    async with Asked([DELETE], ASKING, ["They are gone."], tools=[tool]) as asked:
        await asked.turn()
        assert tool.calls == []
        await asked.turn(2, "Yes, please.")
    assert tool.calls == [{"what": "all"}]
    states = [(name, state) for name, state, _ in called(asked.talk, 1)]
    assert states == [("delete", STARTED), ("delete", FAILED)]
    assert called(asked.talk, 2) == [("delete", STARTED, None), ("delete", DONE, "Three are deleted.")]
    assert asked.talk.reply(2) == "They are gone."
    *_, yes, asks, answer = asked.model.prompts[-1]
    assert (yes.content, asks.calls[0].arguments, answer.content) == (
        "Yes, please.",
        DELETE.arguments,
        "Three are deleted.",
    )
    assert "yes" in asked.model.prompts[1][-1].content


@pytest.mark.parametrize("said", ["No.", "Yes, but not the last one.", "What is the time?", "Please."])
async def test_anything_else_is_no_yes_and_a_yes_behind_it_is_too_late(autojump_clock, said):
    tool = deleting()
    async with Asked([DELETE], ASKING, ["All right."], ["Yes what?"], tools=[tool]) as asked:
        for number, text in enumerate(["hello", said, "Yes."], start=1):
            await asked.turn(number, text)
    assert tool.calls == []


async def test_a_yes_counts_once(autojump_clock):
    tool = deleting()
    async with Asked([DELETE], ASKING, ["Done."], ["Yes what?"], tools=[tool]) as asked:
        for number, text in enumerate(["hello", "Yes.", "Yes."], start=1):
            await asked.turn(number, text)
    assert len(tool.calls) == 1


async def test_who_was_not_asked_to_the_end_agrees_to_nothing(autojump_clock):
    tool = deleting()
    long = [f"word{number} " for number in range(200)]
    async with Asked([DELETE], long, ["Yes what?"], tools=[tool]) as asked:
        await asked.talk.ask(m.Text(text="hello"))
        await asked.talk.wait_for(m.TtsChunk)
        await asked.talk.ask(m.Cancel())
        await asked.talk.wait_for(m.Done)
        await asked.turn(2, "Yes.")
    assert tool.calls == []


async def test_who_was_asked_nothing_agrees_to_nothing(autojump_clock):
    tool = deleting()
    async with Asked([DELETE], [], ["Yes what?"], tools=[tool]) as asked:
        await asked.turn()
        await asked.turn(2, "Yes.")
    assert tool.calls == []


async def test_it_is_the_conversation_in_which_they_were_asked(autojump_clock):
    tool = deleting()
    async with Asked([DELETE], ASKING, ["Yes what?"], tools=[tool]) as asked:
        await asked.turn()
        other = await asked.talk.store.begin()
        await asked.turn(2, "Yes.", conversation=other)
    assert tool.calls == []


async def test_one_thing_waits_at_a_time_and_a_noise_does_not_take_the_question_back(autojump_clock):
    delete, buy = deleting(), ScriptedTool("buy", has_effects=True, confirm=True)
    async with Asked([DELETE, call("buy", number=1)], ASKING, ["Done."], tools=[delete, buy]) as asked:
        await asked.turn()
        await asked.talk.ask(m.Start())
        await asked.talk.say(silent(300))
        await asked.talk.ask(m.Stop())
        empty = await asked.talk.wait_for(m.Done, turn=2)
        await asked.turn(3, "Yes.")
    assert empty.outcome is Outcome.EMPTY
    assert (len(delete.calls), buy.calls) == (1, [])
    assert [result for name, state, result in called(asked.talk, 1) if name == "buy" and state is FAILED] == [
        "Not done: it needs the person's yes, and they can be asked for one thing at a time."
    ]


async def test_the_model_may_name_it_once_more_and_it_is_done_once(autojump_clock):
    tool = deleting()
    async with Asked([DELETE], ASKING, [DELETE], ["Done."], tools=[tool]) as asked:
        await asked.turn()
        await asked.turn(2, "Yes.")
    assert len(tool.calls) == 1
    assert asked.model.prompts[-1][-1].content == "Three are deleted."


async def test_a_draft_waits_with_it_until_the_yes_is_over(autojump_clock):
    tool = deleting()
    replies = [[DELETE], ASKING, ["Done."], ["So you do not want it."]]
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one, token_s=0.0) for one in replies])
    given = scripted_engines(recognizer=LiteralRecognizer(settles_early=True), language_model=model)
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[tool.tool]) as talk:
            await talk.ask(m.Text(text="Delete them."))
            await talk.wait_for(m.Done)
            await talk.ask(m.Start())
            # A draft begins in the pause behind the yes, and is discarded: it was none.
            await talk.say(spoken("yes") + silent(360) + spoken("but", "later") + silent(1200))
            await talk.wait_for(m.Done, turn=2)
    assert tool.calls == []


@pytest.mark.parametrize(("said", "times"), [("yes", 1), ("mhm", 0)])
async def test_a_yes_that_is_said_into_the_question_counts_when_that_is_over(autojump_clock, said, times):
    tool = deleting()
    long = [*(f"word{number} " for number in range(24)), *ASKING]
    replies = [[DELETE], long, ["They are gone."], ["What?"]]
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one, token_s=0.0) for one in replies])
    given = scripted_engines(recognizer=LiteralRecognizer(), language_model=model)
    with trio.fail_after(120):
        async with conversation(engines=given, tools=[tool.tool]) as talk:
            await talk.ask(m.Start(mode="hands_free", barge_in=True))
            await talk.say(spoken("delete", "them") + silent(1200))
            await talk.wait_for(m.TtsChunk)
            await talk.say(silent(600) + spoken(said) + silent(8000))
            asked = await talk.wait_for(m.Done, turn=1)
            if times:
                await talk.wait_for(m.Done, turn=2)
    assert (asked.outcome, len(tool.calls)) == (Outcome.COMPLETED, times)
