"""Tools of the server in a turn: what they are asked, what comes of it, and what the model, the person and the client
are told."""

import json

import pytest
import trio
from structlog.testing import capture_logs

from voice_trio.core import messages as m
from voice_trio.core.called import CUT, MAX_CALL_CHARS
from voice_trio.core.history import Message
from voice_trio.core.items import ToolUse, Words
from voice_trio.core.messages import CallState, ErrorCode, InfoCode, Outcome
from voice_trio.core.tools import ThatTool, Tool
from voice_trio.engines.base import EngineError, ToolCall
from voice_trio.session.tool_use import LEAST_CHARS
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedReply,
    ScriptedSynthesizer,
    ScriptedTool,
    scripted_engines,
)
from voice_trio.toolbox.base import ToolError

DONE, FAILED, CANCELLED, STARTED = CallState.DONE, CallState.FAILED, CallState.CANCELLED, CallState.STARTED


def call(name="look_up", arguments="{}", number=0):
    return ToolCall(f"c{number}", name, arguments)


class Asked:
    """A conversation with a scripted model, in which the tools are the server's."""

    def __init__(self, *replies, tools=(), **options):
        self.model = ScriptedLanguageModel(
            replies=[
                one if isinstance(one, ScriptedReply) else ScriptedReply(tokens=one, token_s=0.0) for one in replies
            ]
        )
        options.setdefault("engines", scripted_engines(language_model=self.model, synthesizer=ScriptedSynthesizer()))
        self._open = conversation(tools=[one.tool for one in tools], **options)

    async def __aenter__(self):
        self.talk = await self._open.__aenter__()
        return self

    async def __aexit__(self, *exc):
        return await self._open.__aexit__(*exc)

    async def turn(self, number=1, text="hello", **options):
        await self.talk.ask(m.Text(text=text, **options))
        with trio.fail_after(10_000):
            return await self.talk.wait_for(m.Done, turn=number)


def called(talk, turn=1):
    """What was said of the calls: name, state, result."""
    return [(one.name, one.state, one.result) for one in talk.all(m.ToolCalled, turn=turn)]


def errors(talk):
    return [event.code for event in talk.heard if isinstance(event, m.Error)]


# --- the loop ---------------------------------------------------------------------------------------------------------


async def test_a_tool_is_used_and_the_model_goes_on(autojump_clock):
    tool = ScriptedTool()
    async with Asked(["Let me look.", call(arguments='{"what": "time"}')], ["It is ", "noon."], tools=[tool]) as asked:
        done = await asked.turn()
    talk = asked.talk
    assert (done.outcome, done.heard, errors(talk)) == (Outcome.COMPLETED, len(talk.reply(1)), [])
    assert talk.reply(1) == "Let me look.\nIt is noon."
    assert called(talk) == [("look_up", STARTED, None), ("look_up", DONE, "It is noon.")]
    assert tool.calls == [{"what": "time"}]
    use = ToolUse(id="use_1_0", call="use_1_0", name="look_up", arguments='{"what": "time"}')
    assert asked.model.prompts[1] == (
        *asked.model.prompts[0],
        Message("assistant", "Let me look.", calls=(use,)),
        Message("tool", "It is noon.", answers="use_1_0"),
    )
    assert asked.model.offered == [["look_up"], ["look_up"]]


async def test_what_was_said_before_is_spoken_while_the_tool_is_used(autojump_clock):
    tool = ScriptedTool(use_s=5.0)
    async with Asked(["Let me look it up, please wait for it.", call()], ["Noon."], tools=[tool]) as asked:
        await asked.turn()
    phrases, (_, end) = asked.talk.all(m.TtsPhrase), asked.talk.all(m.ToolCalled)
    assert [asked.talk.reply(1)[one.start : one.end].strip() for one in phrases][-1] == "Noon."
    assert asked.talk.time_of(phrases[0]) < 1 < 5 <= asked.talk.time_of(end) <= asked.talk.time_of(phrases[-1])


async def test_what_it_says_before_and_after_is_two_sentences(autojump_clock):
    async with Asked(["Let me see", call()], ["noon it is"], tools=[ScriptedTool()]) as asked:
        await asked.turn()
    talk = asked.talk
    assert [talk.reply(1)[one.start : one.end] for one in talk.all(m.TtsPhrase)] == ["Let me see", "\nnoon it is"]


async def test_calls_are_made_side_by_side_and_answered_in_their_order(autojump_clock):
    slow, quick = ScriptedTool("slow", ["slowly"], use_s=3.0), ScriptedTool("quick", ["quickly"], use_s=1.0)
    async with Asked([call("slow"), call("quick", number=1)], ["Both."], tools=[slow, quick]) as asked:
        done = await asked.turn()
    assert 3.0 <= asked.talk.time_of(done) < 5.0
    assert [one.content for one in asked.model.prompts[1][-2:]] == ["slowly", "quickly"]
    assert [name for name, state, _ in called(asked.talk) if state is DONE] == ["quick", "slow"]


async def test_there_are_as_many_rounds_as_there_may_be_and_then_it_answers(autojump_clock):
    tool = ScriptedTool()
    replies = [*([call()] for _ in range(3)), ["So be it."]]
    async with Asked(*replies, tools=[tool], tool_rounds=3) as asked:
        done = await asked.turn()
    assert (done.outcome, asked.talk.reply(1), len(tool.calls)) == (Outcome.COMPLETED, "So be it.", 3)
    assert asked.model.offered == [["look_up"]] * 3 + [[]]


async def test_a_model_that_asks_for_ever_is_asked_no_more(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call()], tools=[tool], tool_rounds=2) as asked:
        done = await asked.turn()
    assert (done.outcome, len(tool.calls), len(asked.model.prompts)) == (Outcome.COMPLETED, 2, 3)
    assert [one.code for one in asked.talk.all(m.Info, turn=1)] == [InfoCode.EMPTY_REPLY]


async def test_of_too_many_calls_at_once_the_first_are_made(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call(number=at) for at in range(30)], ["Done."], tools=[tool]) as asked:
        await asked.turn()
    assert len(tool.calls) == len(asked.model.prompts[1][-9].calls) == 8


async def test_the_time_that_tools_take_is_not_the_models(autojump_clock):
    # Each round waits for its first token as long as it may, and the tool takes longer than that.
    tool = ScriptedTool(use_s=9.0)
    rounds = [ScriptedReply(tokens=[4.0, call()]) for _ in range(4)]
    async with Asked(*rounds, ScriptedReply(tokens=[4.0, "Noon."]), tools=[tool]) as asked:
        done = await asked.turn(visible=True)
    assert (done.outcome, asked.talk.reply(1), errors(asked.talk)) == (Outcome.COMPLETED, "Noon.", [])


async def test_a_model_that_is_silent_after_a_tool_times_out(autojump_clock):
    tool = ScriptedTool()
    async with Asked(["Wait.", call()], [100.0, "Noon."], tools=[tool]) as asked:
        done = await asked.turn()
    assert (done.outcome, errors(asked.talk)) == (Outcome.TIMED_OUT, [ErrorCode.LLM_TIMEOUT])


async def test_a_reply_that_breaks_off_after_a_tool_keeps_what_the_tool_did(autojump_clock):
    tool = ScriptedTool(has_effects=True)
    async with Asked([call()], [EngineError(ErrorCode.LLM_FAIL, "gone")], ["Yes."], tools=[tool]) as asked:
        assert (await asked.turn()).outcome is Outcome.FAILED
        await asked.turn(2)
    assert [one.role for one in asked.model.prompts[2]] == ["system", "user", "assistant", "tool", "user"]


async def test_a_reply_that_is_cut_asks_for_nothing_more(autojump_clock):
    tool = ScriptedTool()
    async with Asked(["word " * 100, call()], tools=[tool], max_reply_chars=100) as asked:
        await asked.turn()
    assert (tool.calls, len(asked.model.prompts)) == ([], 1)


# --- whatever becomes of a call is an answer --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_for", "answers", "told"),
    [
        (call("look_at"), [], "There is no tool 'look_at'; there are look_up."),
        (call("x" * 1000), [], f"There is no tool '{'x' * 64}'; there are look_up."),
        (call(arguments="no JSON"), [], "The arguments are no object in JSON."),
        (call(arguments="[1, 2]"), [], "The arguments are no object in JSON."),
        (call(arguments='{"what": NaN}'), [], "The arguments are no object in JSON."),
        (call(arguments="[" * 100_000), [], "The arguments are no object in JSON."),
        (call(arguments='{"what": "' + "x" * 5000 + '"}'), [], "The arguments are longer than 4000 characters."),
        (call(), [ToolError("There is no such city.")], "There is no such city."),
        (call(), [ToolError("x" * 10_000)], "x" * (400 - len(CUT)) + CUT),
        (call(), [ExceptionGroup("of its own", [ToolError("There is no such city.")])], "There is no such city."),
        (call(), [ToolError()], "The tool failed."),
        (call(), [ZeroDivisionError("a secret")], "The tool failed."),
        (call(), [SystemExit(1)], "The tool failed."),
        (call(), [BaseExceptionGroup("", [SystemExit(1), ToolError("No.")])], "The tool failed."),
        (call(), [None], "The tool failed."),
    ],
)
async def test_a_call_that_fails_is_an_answer(autojump_clock, asked_for, answers, told):
    tool = ScriptedTool(answers=answers or ["never"])
    async with Asked([asked_for], ["I see."], tools=[tool]) as asked:
        done = await asked.turn()
    assert (done.outcome, asked.talk.reply(1)) == (Outcome.COMPLETED, "I see.")
    assert [one[1:] for one in called(asked.talk)] == [(STARTED, None), (FAILED, told)]
    assert asked.model.prompts[1][-1].content == told
    # Servers read them as JSON, and some of them stumble over what is none.
    (use,) = asked.model.prompts[1][-2].calls
    assert isinstance(json.loads(use.arguments), dict)


async def test_a_tool_that_hangs_is_given_up(autojump_clock):
    tool = ScriptedTool(use_s=100.0)
    async with Asked([call()], ["Sorry."], tools=[tool], tool_timeout_s=10.0) as asked:
        done = await asked.turn(visible=True)
    assert (done.outcome, asked.talk.reply(1), tool.open_now, tool.done) == (Outcome.COMPLETED, "Sorry.", 0, 0)
    assert called(asked.talk)[-1] == ("look_up", FAILED, "The tool did not answer within 10 seconds.")
    assert 10 <= asked.talk.time_of(done) < 12


async def test_a_defect_is_in_the_log_and_nowhere_else(autojump_clock):
    tool = ScriptedTool(answers=[ZeroDivisionError("secret")])
    with capture_logs() as log:
        async with Asked([call()], ["Sorry."], tools=[tool]) as asked:
            await asked.turn()
    (entry,) = [one for one in log if one["event"] == "incident"]
    assert entry["turn"] == 1
    assert errors(asked.talk) == []


async def test_a_long_answer_is_cut_and_says_so(autojump_clock):
    async with Asked([call()], ["Long."], tools=[ScriptedTool(answers=["x" * 1_000_000])]) as asked:
        await asked.turn()
    content = asked.model.prompts[1][-1].content
    assert (len(content), content.endswith(CUT)) == (MAX_CALL_CHARS, True)


async def test_all_answers_of_a_reply_together_have_a_bound(autojump_clock):
    tool = ScriptedTool(answers=["x" * 1_000_000])
    replies = [*([call(number=at) for at in range(8)] for _ in range(5)), ["Long."]]
    async with Asked(*replies, tools=[tool]) as asked:
        await asked.turn()
    assert sum(len(one.content) for one in asked.model.prompts[-1] if one.role == "tool") < 60_000


async def test_half_a_character_breaks_nothing(autojump_clock):
    tool = ScriptedTool(answers=["half \ud800"])
    async with Asked([call(arguments='{"what": "\\ud800"}')], ["I see."], tools=[tool]) as asked:
        await asked.turn()
    assert tool.calls == [{"what": "�"}]
    assert asked.model.prompts[1][-1].content == "half �"


async def test_arguments_that_are_an_object_in_a_string_are_taken(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call(arguments=json.dumps('{"what": "time"}'))], ["Noon."], tools=[tool]) as asked:
        await asked.turn()
    assert tool.calls == [{"what": "time"}]


# --- which are offered, and whose they are ----------------------------------------------------------------------------

HERS = Tool("look_up", "Hers.", {"type": "object"})
THEIRS = Tool("open_door", "Theirs.", {"type": "object"})


async def test_a_tool_of_the_clients_ends_the_reply_and_the_servers_of_that_round_are_used(autojump_clock):
    tool = ScriptedTool()
    async with Asked(["Wait.", call(), call("open_door", number=1)], ["Noon."], tools=[tool]) as asked:
        await asked.talk.ask(m.Configure(tools=(THEIRS,)))
        done = await asked.turn()
        await asked.turn(2)
    assert (done.outcome, asked.talk.reply(1)) == (Outcome.COMPLETED, "Wait.")
    assert (len(tool.calls), len(asked.model.prompts)) == (1, 2)
    (item,) = [one.item for one in asked.talk.all(m.ItemAdded) if isinstance(one.item, ToolUse)]
    assert item.name == "open_door"
    assert [one.role for one in asked.model.prompts[1]] == ["system", "user", "assistant", "tool", "assistant", "user"]


async def test_of_one_name_the_clients_counts(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call()], tools=[tool]) as asked:
        await asked.talk.ask(m.Configure(tools=(HERS,)))
        await asked.turn()
    assert (tool.calls, asked.model.offered) == ([], [["look_up"]])


@pytest.mark.parametrize("synthetic", [True, False])
async def test_what_a_model_can_do_by_itself_is_offered_where_there_is_none(autojump_clock, synthetic):
    model = ScriptedLanguageModel(synthetic=synthetic)
    tools = [ScriptedTool("reckon", only_alone=True), ScriptedTool()]
    async with Asked(tools=tools, engines=scripted_engines(language_model=model)) as asked:
        await asked.turn()
    assert model.offered == [["reckon", "look_up"] if synthetic else ["look_up"]]


async def test_a_reply_out_of_band_uses_no_tools(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call()], tools=[tool]) as asked:
        await asked.talk.ask(m.Respond(out_of_band=True))
        await asked.talk.wait_for(m.Done, turn=1)
    assert (tool.calls, asked.model.offered) == ([], [[]])


async def test_a_tool_that_is_forced_is_forced_once(autojump_clock):
    tool = ScriptedTool()
    choices = []

    class Choosing(ScriptedLanguageModel):
        def stream(self, prompt):
            choices.append(prompt.tool_choice)
            return super().stream(prompt)

    model = Choosing(replies=[ScriptedReply(tokens=[call()]), ScriptedReply()])
    async with Asked(tools=[tool], engines=scripted_engines(language_model=model)) as asked:
        await asked.talk.ask(m.Configure(tool_choice=ThatTool(name="look_up")))
        await asked.turn()
    assert choices == [ThatTool(name="look_up"), "auto"]


async def test_a_tool_knows_in_which_circumstances_it_is_used(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call()], ["Noon."], tools=[tool]) as asked:
        await asked.turn(text="What time is it?", language="en")
    (told,) = tool.circumstances
    assert (told.turn, told.language) == (1, "en")
    assert told.items[-1] == Words(id="said_1", by="person", text="What time is it?")
    assert told.conversation == asked.talk.all(m.SessionOpened)[0].conversation
    assert (told.now.timestamp(), told.now.tzinfo is None) == (0.0, False)


# --- what is remembered -----------------------------------------------------------------------------------------------


async def test_the_next_prompt_has_calls_and_results(autojump_clock):
    async with Asked([call()], ["Noon."], ["Bye."], tools=[ScriptedTool()]) as asked:
        await asked.turn()
        await asked.turn(2, "And now?")
        opened = asked.talk.all(m.SessionOpened)[0]
        (record, _) = await asked.talk.store.recall(opened.conversation)
    assert [(one.name, one.arguments, one.result, one.state) for one in record.calls] == [
        ("look_up", "{}", "It is noon.", DONE)
    ]
    roles = [(one.role, one.content) for one in asked.model.prompts[2][1:]]
    assert roles == [
        ("user", "hello"),
        ("assistant", ""),
        ("tool", "It is noon."),
        ("assistant", "Noon."),
        ("user", "And now?"),
    ]


async def test_another_session_recalls_them(autojump_clock):
    tool = ScriptedTool()
    async with Asked([call()], ["Noon."], tools=[tool]) as asked:
        await asked.turn()
        name = asked.talk.all(m.SessionOpened)[0].conversation
        store = asked.talk.store
    async with Asked(["Yes."], tools=[tool], store=store) as again:
        await again.turn(conversation=name)
    assert [one.role for one in again.model.prompts[0]] == ["system", "user", "assistant", "tool", "assistant", "user"]


async def test_of_many_tools_not_all_are_named_to_who_asks_for_none_of_them(autojump_clock):
    tools = [ScriptedTool(f"tool_{number:058}") for number in range(100)]
    async with Asked([call()], ["Noon."], tools=tools) as asked:
        await asked.turn()
    (_, _, result) = called(asked.talk)[-1]
    assert result.startswith("There is no tool 'look_up'; there are tool_0")
    assert (len(result), result.endswith(CUT)) == (LEAST_CHARS, True)


async def test_results_of_the_turn_go_in_whatever_the_budget(autojump_clock):
    tool = ScriptedTool(answers=["x" * 3000])
    async with Asked([call()], ["Noon."], ["Bye."], tools=[tool], memory_tokens=100) as asked:
        await asked.turn()
        await asked.turn(2)
    assert asked.model.prompts[1][-1].content == "x" * 3000
    assert [one.role for one in asked.model.prompts[2]] == ["system", "user"]


async def test_a_turn_that_is_forgotten_is_gone_from_prompt_and_memory(autojump_clock):
    class Forgetting(ScriptedTool):
        async def _use(self, arguments, circumstances):
            assert circumstances.control.forget_latest() == (len(self.calls) == 0)
            return await super()._use(arguments, circumstances)

    forget = Forgetting("forget", ["Forgotten."], has_effects=True)
    replies = [call("look_up")], ["Noon."], [call("forget"), call("forget", '{"what": "again"}')], ["Yes."]
    async with Asked(*replies, tools=[ScriptedTool(), forget]) as asked:
        await asked.turn(text="a secret")
        await asked.turn(2, "forget that")
        await asked.turn(3)
        opened = asked.talk.all(m.SessionOpened)[0]
        records = await asked.talk.store.recall(opened.conversation)
    assert (records[0].said, records[0].reply, records[0].calls) == ("", "", ())
    assert "a secret" not in [one.content for one in asked.model.prompts[-1]]
    assert len(forget.calls) == 2


@pytest.mark.parametrize("times", [1, 2])
async def test_what_an_earlier_session_has_remembered_can_be_forgotten_too(autojump_clock, times):
    class Forgetting(ScriptedTool):
        async def _use(self, arguments, circumstances):
            for _ in range(times):
                assert circumstances.control.forget_latest()
            assert circumstances.control.forget_latest() == (times == 1)
            return await super()._use(arguments, circumstances)

    async with Asked(["Yes."]) as asked:
        await asked.turn(text="a secret")
        await asked.turn(2, text="another")
        name = asked.talk.all(m.SessionOpened)[0].conversation
        store = asked.talk.store
    async with Asked([call("forget")], ["Yes."], tools=[Forgetting("forget", has_effects=True)], store=store) as again:
        await again.turn(text="forget that", conversation=name)
        await again.turn(2, conversation=name)
    said = [one.content for one in again.model.prompts[-1] if one.role == "user"]
    assert said == ["forget that", "hello"]
    assert [one.said for one in await store.recall(name)] == ["", "", "forget that", "hello"]


async def test_how_fast_replies_are_spoken_can_be_wished(autojump_clock):
    spoken = []

    class Slower(ScriptedTool):
        async def _use(self, arguments, circumstances):
            circumstances.control.speak_at(circumstances.control.speed - 0.25)
            return await super()._use(arguments, circumstances)

    class Voice(ScriptedSynthesizer):
        def speak(self, text, *, seconds, voice=None, speed=1.0):
            spoken.append(speed)
            return super().speak(text, seconds=seconds, voice=voice, speed=speed)

    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=[call()]), ScriptedReply(tokens=["Yes."])])
    engines = scripted_engines(language_model=model, synthesizer=Voice())
    async with Asked(tools=[Slower(has_effects=True)], engines=engines) as asked:
        for number, speed in enumerate((1.5, 1.5, 2.0, 2.0), start=1):
            await asked.turn(number, speed=speed)
    # The client's own is what counts again as soon as it asks for another.
    assert spoken == [1.5, 1.25, 2.0, 2.0]


async def test_the_latest_turn_can_be_asked_how_fast_it_was(autojump_clock):
    latencies = []

    class Timing(ScriptedTool):
        async def _use(self, arguments, circumstances):
            latencies.append(circumstances.control.latest_latency())
            return await super()._use(arguments, circumstances)

    async with Asked([call()], ["Yes."], [call()], ["Yes."], tools=[Timing()]) as asked:
        first = await asked.turn()
        await asked.turn(2)
    assert latencies == [None, first.latency]


# --- the end of a turn is the end of its calls ------------------------------------------------------------------------


async def test_a_cancel_ends_the_call_and_says_so(autojump_clock):
    tool = ScriptedTool(use_s=5.0, has_effects=True)
    async with Asked([call()], ["Noon."], tools=[tool]) as asked:
        await asked.talk.ask(m.Text(text="hello"))
        await asked.talk.wait_for(m.ToolCalled, state=STARTED)
        await asked.talk.ask(m.Cancel())
        done = await asked.talk.wait_for(m.Done)
        assert (done.outcome, tool.open_now) == (Outcome.CANCELLED, 0)
        opened = asked.talk.all(m.SessionOpened)[0]
        (record,) = await asked.talk.store.recall(opened.conversation)
        await asked.turn(2)
    assert [state for _, state, _ in called(asked.talk)] == [STARTED, CANCELLED]
    assert [one.state for one in record.calls] == [CANCELLED]
    # What may have been done is remembered, and the words that asked for it.
    assert [one.role for one in asked.model.prompts[1]] == ["system", "user", "assistant", "tool", "user"]


async def test_what_was_done_stays_done_where_the_turn_is_cancelled_later(autojump_clock):
    tool = ScriptedTool(has_effects=True)
    async with Asked([call()], [3.0, "Noon."], tools=[tool]) as asked:
        await asked.talk.ask(m.Text(text="hello"))
        await asked.talk.wait_for(m.ToolCalled, state=DONE)
        await asked.talk.ask(m.Cancel())
        await asked.talk.wait_for(m.Done)
        opened = asked.talk.all(m.SessionOpened)[0]
        (record,) = await asked.talk.store.recall(opened.conversation)
    assert [(one.state, one.result) for one in record.calls] == [(DONE, "It is noon.")]


async def test_of_a_turn_that_was_cancelled_unheard_what_changed_nothing_leaves_no_trace(autojump_clock):
    async with Asked([call()], [3.0, "Noon."], ["Yes."], tools=[ScriptedTool()]) as asked:
        await asked.talk.ask(m.Text(text="hello"))
        await asked.talk.wait_for(m.ToolCalled, state=DONE)
        await asked.talk.ask(m.Cancel())
        await asked.talk.wait_for(m.Done)
        await asked.turn(2)
    assert [one.role for one in asked.model.prompts[2]] == ["system", "user"]


async def test_a_session_that_is_drained_ends_its_calls(autojump_clock):
    tool = ScriptedTool(use_s=9.0)
    async with Asked([call()], ["Noon."], tools=[tool]) as asked:
        await asked.talk.ask(m.Text(text="hello"))
        await asked.talk.wait_for(m.ToolCalled, state=STARTED)
        asked.talk.session.drain(1.0)
        await asked.talk.closing()
    assert (tool.open_now, tool.done) == (0, 0)
    assert [state for _, state, _ in called(asked.talk)] == [STARTED, CANCELLED]


# --- something is said while it takes long ----------------------------------------------------------------------------


async def cover(tokens=(), *, use_s=4.0, rounds=1, tool_s=None, **options):
    """Return what is said where a tool takes ``use_s``."""
    tool = ScriptedTool(use_s=use_s)
    replies = [[*tokens, call(number=0)], *([call()] for _ in range(rounds - 1)), ["Noon."]]
    async with Asked(*replies, tools=[tool]) as asked:
        if "aloud" in options:
            await asked.talk.ask(m.Configure(aloud=options.pop("aloud")))
        await asked.turn(**options)
    return asked.talk.reply(1)


async def test_a_slow_tool_is_bridged_once(autojump_clock):
    assert await cover() == "One moment.\nNoon."
    assert await cover(rounds=3) == "One moment.\nNoon."
    assert await cover(language="de") == "Einen Moment.\nNoon."


async def test_what_is_said_then_is_spoken_and_no_part_of_what_the_model_said(autojump_clock):
    tool = ScriptedTool(use_s=4.0)
    async with Asked([call()], ["Noon."], tools=[tool]) as asked:
        done = await asked.turn()
    assert [one.text for one in asked.talk.all(m.Token)] == ["One moment.", "\nNoon."]
    first = asked.talk.all(m.TtsPhrase)[0]
    assert 1.5 <= asked.talk.time_of(first) < 2.5
    assert (asked.model.prompts[1][-2].content, done.heard) == ("", len("One moment.\nNoon."))


async def test_nothing_is_bridged_where_there_is_no_need(autojump_clock):
    assert await cover(use_s=1.4) == "Noon."
    assert await cover(visible=True) == "Noon."
    assert await cover(aloud=False) == "Noon."
    assert await cover(language="fi") == "Noon."
    long = "Let me look that up for you now, which will take quite a while I am afraid."
    assert await cover([long]) == f"{long}\nNoon."
    assert await cover(["Wait."]) == "Wait.\nOne moment.\nNoon."
