"""Every row of the matrix of faults in docs/testing.md, in virtual time."""

from dataclasses import replace

import pytest
import structlog
import trio

from tests.session.promises import RecordingStore, check, listen_in
from tools.far_end_matrix import OF_FAR_ENDS
from tools.fault_matrix import (
    DRAFTED,
    INTO_REPLIES,
    LONG_REPLY,
    OF_MCP,
    OF_TOOLS,
    REFUSED,
    ROWS,
    SENTENCES,
    TOOL_ANSWER,
    Kept,
)
from voice_trio.config import ConfigError, Settings
from voice_trio.core import messages as m
from voice_trio.core.called import CUT
from voice_trio.core.faults import KINDS, parse
from voice_trio.engines.base import ToolCall
from voice_trio.fault_tap import check_tools, inject, inject_tools
from voice_trio.faults import Faults
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedTool, scripted_engines

REPLY = "".join(SENTENCES)
TOKENS = [word + " " for word in REPLY.split(" ")]


def two_sentences(*, drafts=False):
    return scripted_engines(
        recognizer=LiteralRecognizer(settles_early=True) if drafts else None,
        language_model=ScriptedLanguageModel(replies=[ScriptedReply(tokens=TOKENS)]),
    )


def kept_of(records):
    """Return what is remembered of a turn, as the matrix calls it."""
    if not records:
        return Kept.NOTHING
    [record] = records
    assert record.said
    if not record.reply:
        return Kept.WORDS
    if not record.heard:
        return Kept.UNHEARD
    return Kept.ALL if record.heard == len(record.reply) and REPLY in record.reply + " " else Kept.PART


@pytest.mark.parametrize(
    ("row", "drafts"),
    [pytest.param(row, False, id=row.faults) for row in ROWS]
    + [pytest.param(row, True, id=f"{row.faults} drafted") for row in DRAFTED],
)
async def test_a_fault_comes_to_what_the_matrix_says(autojump_clock, row, drafts):
    faults = Faults(parse(row.faults))
    plain, store = two_sentences(drafts=drafts), RecordingStore(fails=False)
    engines, faulty_store = inject(faults, plain, store)
    with structlog.testing.capture_logs() as lines, trio.fail_after(200):
        async with conversation(engines=engines, store=faulty_store) as talk:
            said = listen_in(talk.session)
            dones = []
            for _ in range(2):
                await talk.ask(m.Start())
                await talk.say(spoken("how", "is", "it", "today") if drafts else 1500, 900)
                dones.append(await talk.wait_for(m.Done))
    first, second = dones
    errors = [event for event in talk.of_turn(1) if isinstance(event, m.Error)]
    assert [error.code for error in errors] == list(row.errors)
    assert all(error.recoverable for error in errors)
    assert (first.outcome, second.outcome) == (row.outcome, row.next_outcome)
    assert kept_of([record for record in store.records if record.turn == 1]) is row.kept
    assert first.remembered == (row.kept is not Kept.NOTHING)
    assert second.remembered
    assert not [event for event in talk.of_turn(2) if isinstance(event, m.Error)]
    check(talk, said, "stay", plain, store)
    injected = [line["fault"] for line in lines if line["event"] == "fault injected"]
    assert sorted(injected) == sorted(fault.text for fault in faults)


@pytest.mark.parametrize("row", INTO_REPLIES, ids=lambda row: f"{row.faults} {row.said}")
async def test_a_fault_while_a_reply_is_held_comes_to_what_the_matrix_says(autojump_clock, row):
    faults = Faults(parse(row.faults))
    tokens = [word + " " for word in "".join(LONG_REPLY).split()]
    replies = [ScriptedReply(tokens, token_s=0.25), ScriptedReply()]
    plain = scripted_engines(recognizer=LiteralRecognizer(), language_model=ScriptedLanguageModel(replies=replies))
    store = RecordingStore(fails=False)
    engines, faulty_store = inject(faults, plain, store)
    with trio.fail_after(200):
        async with conversation(engines=engines, store=faulty_store) as talk:
            said = listen_in(talk.session)
            await talk.ask(m.Start(mode="hands_free"))
            await talk.say(spoken("hello"), 900)
            await talk.wait_for(m.TtsChunk)
            await talk.silence(1000)
            await talk.say(spoken(*row.said.split(), word_ms=120))
            done = None
            while done is None or (row.next_final and not talk.all(m.Done, turn=2)):
                await talk.silence(300)
                done = next(iter(talk.all(m.Done)), None)
            await talk.silence(3000)
    assert done.outcome is row.outcome
    assert [event.code for event in talk.of_turn(1) if isinstance(event, m.Error)] == list(row.errors)
    assert bool(talk.all(m.Release)) is row.released
    assert len(talk.all(m.Hold)) == 1
    finals = [event.text for event in talk.all(m.Final)]
    assert finals == ["hello"] + [row.next_final] * (row.next_final is not None)
    assert len(talk.all(m.Done)) == len(finals)
    check(talk, said, "stay", plain, store)


@pytest.mark.parametrize("row", OF_TOOLS, ids=lambda row: row.faults)
async def test_a_fault_of_a_tool_comes_to_what_the_matrix_says(autojump_clock, row):
    faults = Faults(parse(row.faults))
    asking = [ScriptedReply(tokens=[ToolCall("a", "look_up", "{}")]), ScriptedReply(tokens=["I see."])]
    model = ScriptedLanguageModel(replies=asking * 2)
    plain, store = scripted_engines(language_model=model), RecordingStore(fails=False)
    tools = inject_tools(faults, [ScriptedTool(answers=[TOOL_ANSWER]).tool])
    with trio.fail_after(200):
        async with conversation(engines=plain, store=store, tools=tools) as talk:
            said = listen_in(talk.session)
            for number in (1, 2):
                await talk.ask(m.Text(text="What time is it?"))
                assert (await talk.wait_for(m.Done, turn=number)).outcome is m.Outcome.COMPLETED
    _, end = talk.all(m.ToolCalled, turn=1)
    told = model.prompts[1][-1].content
    assert (end.state, end.result) == (row.state, told)
    assert told == row.told if row.told else TOOL_ANSWER in told and "\ufffd" in told and told.endswith(CUT)
    assert [event for event in talk.heard if isinstance(event, m.Error)] == []
    assert talk.reply(1).startswith("One moment.") == ("something is said" in row.note)
    assert talk.all(m.ToolCalled, turn=2)[-1].result == TOOL_ANSWER
    assert [len(record.calls) for record in store.records] == [1, 1]
    check(talk, said, "stay", plain, store)


def test_the_matrix_has_every_fault_of_every_stage():
    rows = [fault for row in (*ROWS, *OF_TOOLS, OF_MCP, *OF_FAR_ENDS) for fault in parse(row.faults)]
    rows += [parse(faults)[0] for faults in REFUSED]
    assert {(fault.stage, fault.kind) for fault in rows} == {(stage, kind) for stage in KINDS for kind in KINDS[stage]}


@pytest.mark.parametrize("faults", REFUSED)
def test_what_engines_here_cannot_suffer_is_refused(faults):
    with pytest.raises(ConfigError, match=rf"STREAM_FAULTS: '{faults}' cannot be, because (scripted works|neither)"):
        inject(Faults(parse(faults)), two_sentences(), RecordingStore(fails=False))


@pytest.mark.parametrize(
    "file", ["", '{"mcpServers": {}}', '{"mcpServers": {"a": {"command": "a", "disabled": true}}}']
)
def test_a_crash_of_an_mcp_server_is_refused_where_there_is_none(tmp_path, file):
    (tmp_path / "mcp.json").write_text(file)
    settings = Settings(mcp=str(tmp_path / "mcp.json") if file else "")
    sentence = r"^STREAM_FAULTS: 'mcp:crash#2' cannot be, because there is no MCP server: STREAM_MCP names them\.$"
    with pytest.raises(ConfigError, match=sentence):
        check_tools(Faults(parse("llm:hang, mcp:crash#2")), settings)
    check_tools(Faults(parse("tool:error")), settings)


async def test_a_crash_of_an_mcp_server_strikes_no_tool_but_theirs(autojump_clock):
    ours, theirs, crashed = ScriptedTool("ours"), ScriptedTool("theirs", use_s=0.1), []
    asking = [ToolCall("a", "ours", "{}"), ToolCall("b", "theirs", "{}")]
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=asking), ScriptedReply(tokens=["I see."])] * 3)
    given = [ours.tool, replace(theirs.tool, crash=lambda: crashed.append(theirs.open_now))]
    tools = inject_tools(Faults(parse("mcp:crash#2")), given)
    async with conversation(engines=scripted_engines(language_model=model), tools=tools) as talk:
        for number in (1, 2, 3):
            await talk.ask(m.Text(text="What time is it?"))
            await talk.wait_for(m.Done, turn=number)
    # In the second of its calls, once that is under way.
    assert (crashed, len(ours.calls), len(theirs.calls)) == ([1], 3, 3)
