"""Tools of the server in a conversation whose items a client sees and changes: they are none of the client's."""

import trio

from voice_trio.core import messages as m
from voice_trio.core.items import ToolUse, Words
from voice_trio.core.tools import Tool
from voice_trio.engines.base import ToolCall
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedTool, scripted_engines

THEIRS = Tool("open_door", "Theirs.", {"type": "object"})
LOOK = ToolCall("a", "look_up", "{}")


async def told(*replies, commands=()):
    """Return the conversation in which a person says something, and something else is added and answered."""
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one, token_s=0.0) for one in replies])
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model), tools=[ScriptedTool().tool]) as talk:
            await talk.ask(m.Configure(tools=(THEIRS,)), m.Text(text="What time is it?"))
            await talk.wait_for(m.Done, turn=1)
            await talk.ask(*commands)
            await talk.ask(m.AddItem(item=Words(id="mine", by="person", text="And now?")), m.Respond())
            await talk.wait_for(m.Done, turn=2)
    return talk, model


async def test_no_item_of_theirs_is_told(autojump_clock):
    talk, model = await told([LOOK], ["Noon."], ["Still."])
    added = talk.all(m.ItemAdded)
    assert [one.item.id for one in added] == ["said_1", "reply_1", "mine", "reply_2"]
    assert [one.after for one in added] == [None, "said_1", "reply_1", "mine"]
    assert [one.role for one in model.prompts[2]] == ["system", "user", "assistant", "tool", "assistant", "user"]


async def test_what_comes_after_a_reply_without_words_is_behind_what_the_client_knows(autojump_clock):
    talk, _ = await told([LOOK, ToolCall("b", "open_door", "{}")], ["Still."])
    added = talk.all(m.ItemAdded)
    assert [(one.item.id, one.after) for one in added][:3] == [
        ("said_1", None),
        ("call_1_0", "said_1"),
        ("mine", "call_1_0"),
    ]
    assert [one.item.name for one in added if isinstance(one.item, ToolUse)] == ["open_door"]
    talk, _ = await told([LOOK], [], ["Still."])
    assert [(one.item.id, one.after) for one in talk.all(m.ItemAdded)][:2] == [("said_1", None), ("mine", "said_1")]


async def test_with_the_words_that_asked_for_it_goes_what_was_done(autojump_clock):
    talk, model = await told([LOOK], ["Noon."], ["Still."], commands=[m.DeleteItem(item="said_1")])
    assert [(one.role, one.content) for one in model.prompts[2][1:]] == [("assistant", "Noon."), ("user", "And now?")]
    opened = talk.all(m.SessionOpened)[0]
    with trio.fail_after(60):
        first, _ = await talk.store.recall(opened.conversation)
    assert (first.said, first.calls, first.reply) == ("", (), "Noon.")


async def test_with_a_turn_that_is_forgotten_goes_what_the_client_wrote_for_it(autojump_clock):
    class Forgetting(ScriptedTool):
        async def _use(self, arguments, circumstances):
            assert circumstances.control.forget_latest()
            return await super()._use(arguments, circumstances)

    replies = ["Kept."], ["Heard."], [ToolCall("a", "look_up", "{}")], ["Forgotten."], ["Bye."]
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one, token_s=0.0) for one in replies])
    with trio.fail_after(60):
        async with conversation(engines=scripted_engines(language_model=model), tools=[Forgetting().tool]) as talk:
            for number, text in enumerate(("Keep this.", "A secret.", "Forget that.", "Bye."), 1):
                await talk.ask(m.AddItem(item=Words(id=f"mine_{number}", by="person", text=text)), m.Respond())
                await talk.wait_for(m.Done, turn=number)
            records = await talk.store.recall(talk.all(m.SessionOpened)[0].conversation)
    gone = [one.item for one in talk.all(m.ItemDeleted) if not one.by_client]
    assert gone == ["mine_2", "reply_2"]
    said = [one.content for one in model.prompts[-1] if one.role == "user"]
    assert said == ["Keep this.", "Forget that.", "Bye."]
    assert [one.said for one in records] == ["Keep this.", "", "Forget that.", "Bye."]
