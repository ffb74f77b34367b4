"""Tools in replies that may be for nothing, and in turns that begin anew: what has an effect has it once, or never."""

import pytest
import trio

from voice_trio.core import messages as m
from voice_trio.core.called import UNANSWERED
from voice_trio.core.messages import CallState, Outcome
from voice_trio.engines.base import ToolCall
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedTool,
    scripted_engines,
    silent,
)

WINDOW_MS = 700
PAUSE_MS = 360

SET, LOOK = ToolCall("a", "set_timer", '{"what": "timer"}'), ToolCall("b", "look_up", "{}")


class Timed(ScriptedTool):
    """Notes when it is used."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.times = []

    async def _use(self, arguments, circumstances):
        self.times.append(trio.current_time())
        return await super()._use(arguments, circumstances)


def engines(*replies):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one, token_s=0.0) for one in replies])
    return scripted_engines(recognizer=LiteralRecognizer(settles_early=True), language_model=model)


async def test_what_has_an_effect_waits_for_the_end_and_what_has_none_does_not(autojump_clock):
    setting, looking = Timed("set_timer", has_effects=True), Timed("look_up")
    given = engines(["Let me see.", SET, LOOK], ["Done."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool, looking.tool]) as talk:
            began = trio.current_time()
            await talk.ask(m.Start())
            await talk.say(spoken("what", "now") + silent(WINDOW_MS + 60))
            done = await talk.wait_for(m.Done)
    ended = talk.time_of(talk.all(m.Final)[0])
    assert [len(setting.calls), len(looking.calls), done.outcome] == [1, 1, Outcome.COMPLETED]
    assert looking.times[0] - began < ended - 0.2
    assert setting.times[0] - began >= ended
    # Nobody hears of a draft: what it did is told when it is the reply.
    assert all(talk.time_of(one) >= ended for one in talk.all(m.ToolCalled))
    assert talk.reply(1) == "Let me see.\nDone."


async def test_a_draft_that_is_discarded_has_no_effect_and_says_nothing(autojump_clock):
    setting, looking = Timed("set_timer", has_effects=True), Timed("look_up")
    given = engines(["Wrong.", SET, LOOK], ["Right."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool, looking.tool]) as talk:
            await talk.ask(m.Start())
            await talk.say(spoken("what") + silent(PAUSE_MS) + spoken("now") + silent(WINDOW_MS + 60))
            await talk.wait_for(m.Done)
            opened = talk.all(m.SessionOpened)[0]
            (record,) = await talk.store.recall(opened.conversation)
    assert (len(setting.calls), len(looking.calls), looking.open_now) == (0, 1, 0)
    assert (talk.all(m.ToolCalled), record.calls, talk.reply(1)) == ([], (), "Right.")


@pytest.mark.parametrize("use_s", [0.0, 5.0])
async def test_a_turn_that_begins_anew_does_not_do_it_again(autojump_clock, use_s):
    # With 5 s, it is cut off by who speaks on: nobody knows whether it was done.
    setting = Timed("set_timer", ["It is set."], use_s=use_s, has_effects=True)
    looking = Timed("look_up", ["It is noon."])
    again = ToolCall("c", "set_timer", '{ "what":"timer" }')
    given = engines([SET, LOOK], *([[3.0, "Late."]] if not use_s else []), [again, LOOK], ["Done."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool, looking.tool], drafts="off") as talk:
            await talk.ask(m.Start(barge_in=True))
            await talk.say(spoken("set", "it") + silent(WINDOW_MS + 60))
            await talk.wait_for(m.ToolCalled, name="set_timer", state=CallState.STARTED)
            await trio.sleep(0.5)
            await talk.say(spoken("please") + silent(WINDOW_MS + 60))
            done = await talk.wait_for(m.Done)
            opened = talk.all(m.SessionOpened)[0]
            (record,) = await talk.store.recall(opened.conversation)
    assert (done.outcome, len(talk.all(m.Reopened)), talk.reply(1)[-5:]) == (Outcome.COMPLETED, 1, "Done.")
    assert (len(setting.calls), setting.done) == (1, 0 if use_s else 1)
    told = given.language_model.prompts[-1][-2].content
    assert told == ("It is set." if not use_s else record.calls[0].result or told)
    # What has no effect is asked for again, and what it said first is void.
    assert len(looking.calls) == 2
    assert [(one.name, one.state) for one in record.calls] == [
        ("set_timer", CallState.CANCELLED if use_s else CallState.DONE),
        ("look_up", CallState.DONE),
    ]


async def test_what_was_done_for_what_is_void_is_remembered(autojump_clock):
    setting = Timed("set_timer", ["It is set."], has_effects=True)
    given = engines([SET, LOOK], [3.0, "Late."], ["Never mind."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool, ScriptedTool().tool], drafts="off") as talk:
            await talk.ask(m.Start(barge_in=True))
            await talk.say(spoken("set", "it") + silent(WINDOW_MS + 60))
            await talk.wait_for(m.ToolCalled, name="set_timer", state=CallState.DONE)
            await talk.say(spoken("please") + silent(WINDOW_MS + 60))
            await talk.wait_for(m.Done)
            opened = talk.all(m.SessionOpened)[0]
            (record,) = await talk.store.recall(opened.conversation)
    assert talk.reply(1).endswith("Never mind.")
    # The model knows of it, when it is asked anew.
    said, call, answer = given.language_model.prompts[-1][-3:]
    assert (said.content, call.calls[0].name, answer.content) == ("set it please", "set_timer", "It is set.")
    assert [(one.name, one.state, one.result) for one in record.calls] == [("set_timer", CallState.DONE, "It is set.")]


async def test_what_the_person_has_agreed_to_is_told_once_though_they_go_on(autojump_clock):
    send = ToolCall("a", "send", '{"to": "bob"}')
    sending = ScriptedTool("send", ["Sent.", "Sent."], has_effects=True, confirm=True)
    given = engines([send], ["Shall I?"], [3.0, "Late."], ["Done."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[sending.tool], drafts="off", language="en") as talk:
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("mail", "bob"), WINDOW_MS + 60)
            await talk.wait_for(m.Done, turn=1)
            await talk.say(spoken("yes"), WINDOW_MS + 60)
            await talk.wait_for(m.ToolCalled, turn=2, state=CallState.DONE)
            await talk.say(spoken("please"), WINDOW_MS + 60)
            await talk.wait_for(m.Done, turn=2)
    said, call, answer = given.language_model.prompts[-1][-3:]
    assert (len(talk.all(m.Reopened)), len(sending.calls)) == (1, 1)
    assert (said.content, call.calls[0].name, answer.content) == ("yes please", "send", "Sent.")


@pytest.mark.parametrize("use_s", [0.0, 5.0])
async def test_what_answered_nothing_is_not_taken_for_cut_off(autojump_clock, use_s):
    setting = ScriptedTool("set_timer", [""], use_s=use_s, has_effects=True)
    given = engines([SET], [3.0, "Late."], ["Never mind."])
    given.language_model.replies = given.language_model.replies if not use_s else given.language_model.replies[::2]
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool], drafts="off") as talk:
            await talk.ask(m.Start(barge_in=True))
            await talk.say(spoken("set", "it"), WINDOW_MS + 60)
            await talk.wait_for(m.ToolCalled, name="set_timer", state=CallState.STARTED)
            await trio.sleep(0.5)
            await talk.say(spoken("please"), WINDOW_MS + 60)
            await talk.wait_for(m.Done)
    answer = given.language_model.prompts[-1][-1].content
    assert answer == (UNANSWERED if use_s else "")


async def test_the_same_twice_in_a_reply_is_done_once_and_something_else_is_something_else(autojump_clock):
    setting = Timed("set_timer", ["It is set."], use_s=0.3, has_effects=True)
    other = ToolCall("d", "set_timer", '{"what": "alarm"}')
    given = engines([SET, SET._replace(id="c"), other], [SET], ["Done."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool]) as talk:
            await talk.ask(m.Text(text="set it"))
            await talk.wait_for(m.Done)
            opened = talk.all(m.SessionOpened)[0]
            (record,) = await talk.store.recall(opened.conversation)
            await talk.ask(m.Text(text="once more"))
            await talk.wait_for(m.Done, turn=2)
    assert setting.calls == [{"what": "timer"}, {"what": "alarm"}]
    assert [one.content for one in given.language_model.prompts[2] if one.role == "tool"] == ["It is set."] * 4
    assert [one.arguments for one in record.calls] == ['{"what": "timer"}', '{"what": "alarm"}']


async def test_in_the_next_turn_it_is_done_again(autojump_clock):
    setting = Timed("set_timer", ["It is set."], has_effects=True)
    given = engines([SET], ["Done."], [SET], ["Done."])
    with trio.fail_after(60):
        async with conversation(engines=given, tools=[setting.tool]) as talk:
            for number in (1, 2):
                await talk.ask(m.Text(text="set it"))
                await talk.wait_for(m.Done, turn=number)
    assert len(setting.calls) == 2
