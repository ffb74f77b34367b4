"""The language model that is a grammar."""

import json

import pytest
import trio
from hypothesis import given, settings, strategies as st

from tests.skills.using import Using
from voice_trio.core.history import Message, prompt as prompt_of
from voice_trio.core.items import Item, ToolOutput, ToolUse, Words
from voice_trio.core.tools import ThatTool
from voice_trio.engines.base import Finish, LanguageModel, Prompt, ReplyEvent, TextDelta, ToolCall, advice_of
from voice_trio.engines.skills_model import DONE, NO_WORDS, NOTHING_NEW, SkillsModel, reply
from voice_trio.skills.table import SKILLS, grammar

MODEL: LanguageModel = SkillsModel("Start one.")
TOOLS = [skill.tool for skill in SKILLS]


def asked(said, tools=TOOLS, **choice):
    return Prompt([Message("system", "Be kind."), Message("user", said)], tools, **choice)


def test_its_grammar_is_there_before_anybody_asks():
    grammar.cache_clear()
    SkillsModel()
    assert grammar.cache_info().currsize == 1


async def events_of(prompt, model=MODEL):
    events: list[ReplyEvent] = []
    async with model.stream(prompt) as stream:
        while not events or not isinstance(events[-1], Finish):
            events.append(await stream.receive())
    return events


async def words_of(prompt):
    *events, finish = await events_of(prompt)
    assert finish == Finish("stop")
    assert all(isinstance(event, TextDelta) and event.text for event in events)
    return "".join(event.text for event in events)


def test_it_is_no_language_model_and_knows_how_to_get_one():
    assert (MODEL.name, MODEL.synthetic, advice_of(MODEL)) == ("skills", True, "Start one.")


async def test_a_sentence_of_ours_becomes_a_call(autojump_clock):
    call, finish = await events_of(asked("What time is it in Tokyo?"))
    assert isinstance(call, ToolCall)
    assert (call.name, json.loads(call.arguments)) == ("get_time", {"place": "tokyo"})
    assert call.id
    assert finish == Finish("tool_calls")


async def test_what_a_tool_answers_is_said_as_it_is(autojump_clock):
    said = "It is 3:45 PM. That is 2.5 hours. Late? Yes."
    messages = [
        Message("user", "What time is it?"),
        Message("assistant", "", calls=(ToolUse(id="a", call="a", name="get_time", arguments="{}"),)),
        Message("tool", said, answers="a"),
    ]
    assert await words_of(Prompt(messages, TOOLS)) == said
    assert await words_of(Prompt([*messages, Message("tool", "Heads.", answers="b")], TOOLS)) == f"{said} Heads."
    assert await words_of(Prompt([*messages[:-1], Message("tool", " ", answers="a")], TOOLS)) == DONE


async def test_what_was_begun_before_the_person_had_finished_is_not_taken_for_all_of_it(autojump_clock):
    early = ToolUse(id="use_1_0", call="a", name="set_timer", arguments='{"duration": "ten minutes"}')
    messages = [
        Message("user", "Set a timer for ten minutes and thirty seconds."),
        Message("assistant", "", calls=(early,)),
        Message("tool", "I set a timer for ten minutes.", answers="a"),
    ]
    call, _ = await events_of(Prompt(messages, TOOLS))
    assert isinstance(call, ToolCall)
    assert (call.name, json.loads(call.arguments)) == ("set_timer", {"duration": "ten minutes and thirty seconds"})
    late = ToolUse(id="use_1_1", call="b", name=call.name, arguments=call.arguments)
    told = "I set a timer for ten minutes and thirty seconds."
    messages += [Message("assistant", "", calls=(late,)), Message("tool", told, answers="b")]
    assert await words_of(Prompt(messages, TOOLS)) == told


@pytest.mark.parametrize("arguments", ["", "ten minutes", '{"duration": "10 minutes"}'])
async def test_what_a_client_has_done_is_its_own_affair(arguments, autojump_clock):
    theirs = ToolUse(id="theirs", call="a", name="set_timer", arguments=arguments)
    messages = [
        Message("user", "Set a timer for ten minutes."),
        Message("assistant", "", calls=(theirs,)),
        Message("tool", "It is set.", answers="a"),
    ]
    assert await words_of(Prompt(messages, TOOLS)) == "It is set."


async def test_a_conversation_goes_on_over_many_turns(autojump_clock):
    """By hand, what a session does: ask, use the tool, ask again, remember."""
    use, replies = Using(drawn=[1]), []
    items: list[Item] = []
    for turn, said in enumerate(["Add milk to my list.", "Read my list.", "Hm what?", "Flip a coin!"]):
        items.append(Words(id=f"said_{turn}", by="person", text=said))
        events = await events_of(Prompt(prompt_of(items, system="", budget_tokens=4000), TOOLS))
        for number, call in enumerate(event for event in events if isinstance(event, ToolCall)):
            key = f"call_{turn}_{number}"
            output = await use(call.name, **json.loads(call.arguments))
            items.append(ToolUse(id=key, call=key, name=call.name, arguments=call.arguments))
            items.append(ToolOutput(id=f"{key}_out", call=key, output=output))
            events = await events_of(Prompt(prompt_of(items, system="", budget_tokens=4000), TOOLS))
        replies.append("".join(event.text for event in events if isinstance(event, TextDelta)))
        items.append(Words(id=f"reply_{turn}", by="assistant", text=replies[-1]))
    assert replies[:2] == ["I added milk to your shopping list.", "On your shopping list is milk."]
    assert replies[2].startswith("I did not understand that, but you can say: ")
    assert replies[3] == "Tails."


async def test_what_was_answered_is_not_done_again(autojump_clock):
    messages = [Message("user", "Flip a coin."), Message("assistant", "Tails.")]
    assert await words_of(Prompt(messages, TOOLS)) == NOTHING_NEW
    late = [*messages, Message("user", "Flip a coin."), Message("system", "The person is at the door.")]
    assert isinstance((await events_of(Prompt(late, TOOLS)))[0], ToolCall)


@pytest.mark.parametrize("said", ["What is the meaning of life?", "Wie spät ist es?", "yes", "x" * 8000])
async def test_what_is_not_understood_is_said_so_with_an_example(said, autojump_clock):
    answer = await words_of(asked(said))
    example = answer.removeprefix("I did not understand that, but you can say: ")
    assert example in [skill.example for skill in SKILLS if skill.is_shown]
    assert await words_of(asked(said)) == answer
    assert len(answer) < 120


async def test_examples_change_and_each_of_them_is_told(autojump_clock):
    told = {await words_of(asked(f"unheard of {number}")) for number in range(300)}
    assert len(told) == sum(skill.is_shown for skill in SKILLS)


async def test_only_what_is_offered_is_called_or_told(autojump_clock):
    coin = [tool for tool in TOOLS if tool.name == "flip_coin"]
    assert await words_of(asked("What time is it?", coin)) == (
        "I did not understand that, but you can say: flip a coin."
    )
    assert await words_of(asked("What time is it?", ())) == "I cannot answer that without a language model."
    assert (await words_of(asked("What time is it?", tool_choice="none"))).startswith("I cannot answer")
    assert "flip a coin" in await words_of(asked("What time is it?", tool_choice=ThatTool(name="flip_coin")))
    assert isinstance((await events_of(asked("Flip a coin.", tool_choice=ThatTool(name="flip_coin"))))[0], ToolCall)


@pytest.mark.parametrize("messages", [[], [Message("user", " ")], [Message("system", "Nobody has said anything yet.")]])
async def test_where_nothing_was_said_it_says_so(messages, autojump_clock):
    assert await words_of(Prompt(messages, TOOLS)) == NO_WORDS


async def test_a_receive_that_is_cancelled_loses_nothing(autojump_clock):
    async with MODEL.stream(asked("Hm what?")) as stream:
        with trio.CancelScope() as scope:
            scope.cancel()
            await stream.receive()
        assert scope.cancelled_caught
        assert isinstance(await stream.receive(), TextDelta)
        assert await stream.receive() == Finish("stop")


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_whatever_is_said_is_answered(said):
    *events, finish = reply(asked(said))
    assert events
    assert isinstance(finish, Finish)
