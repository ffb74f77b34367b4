"""Sessions whose replies ask for tools in all ways, with faults drawn at random and clients in all moods.

    TOOLS=1000 pytest tests/session/test_random_tools.py

A session's number is its seed, so one that fails can be run again alone.
"""

import os
import random
from collections import Counter
from types import SimpleNamespace

import pytest
import trio

from tests.session.promises import RecordingStore, check, listen_in
from tests.session.test_random_faults import LONGEST_S, drawn_client, drawn_fault, live
from voice_trio.core import messages as m
from voice_trio.core.called import MAX_CALL_CHARS
from voice_trio.core.faults import KINDS, Kind, Stage, parse
from voice_trio.core.tools import Tool
from voice_trio.engines.base import Alive, EngineError, ToolCall
from voice_trio.fault_tap import inject, inject_tools
from voice_trio.faults import Faults
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedReply,
    ScriptedSynthesizer,
    ScriptedTool,
    scripted_engines,
)
from voice_trio.toolbox.base import ToolError

SESSIONS = int(os.environ.get("TOOLS", "50"))

ARGUMENTS = (
    "{}",
    '{"what": "a"}',
    '{ "what": "a" }',
    '{"what": "b"}',
    "",
    "[]",
    '{"what": ',
    '"{}"',
    "null",
    "x" * 9999,
)


def drawn_tools(chance):
    """Return the tools of a server; of those with effects, none says that it did not do it."""

    def takes_s():
        return chance.choice([0.0, 0.0, 0.05, 0.5, 2.0, 9.0, 20.0])

    done = ["Done.", "Done.", "x" * 100_000, ZeroDivisionError(), "half \ud800"]
    said = [*done, ToolError("No."), None, ExceptionGroup("", [ToolError("No.")])]
    return [
        ScriptedTool("set", chance.sample(done, 3), takes_s(), has_effects=True),
        ScriptedTool("add", chance.sample(done, 3), takes_s(), has_effects=True),
        ScriptedTool("look", chance.sample(said, 4), takes_s()),
        ScriptedTool("find", chance.sample(said, 4), takes_s()),
    ]


def drawn_replies(chance):
    """Return replies of which most ask for tools; the last one, which is given for ever, may ask without end."""

    def step():
        if chance.random() < 0.5:
            name = chance.choice(["set", "set", "add", "look", "find", "open_door", "unknown", "set\ud800", "x" * 500])
            return ToolCall(chance.choice(["", "a", "b"]) or "c", name, chance.choice(ARGUMENTS))
        return chance.choice(["Let me see. ", "one moment", "Done.", " ", 0.2, Alive("tool_call"), 6.0])

    replies = []
    for _ in range(chance.randint(2, 9)):
        steps = [step() for _ in range(chance.randint(1, 6))]
        if chance.random() < 0.1:
            steps.append(EngineError(m.ErrorCode.LLM_FAIL, "broken"))
        replies.append(ScriptedReply(tokens=steps, finish=chance.choice(["tool_calls", "stop", "stop", None])))
    return [*replies, ScriptedReply()] if chance.random() < 0.8 else replies


def drawn_faults(chance):
    here = [stage for stage in KINDS if stage is not Stage.REMOTE]
    possible = [(stage, kind) for stage in here for kind in KINDS[stage] if kind is not Kind.CRASH]
    ours = [(Stage.TOOL, kind) for kind in KINDS[Stage.TOOL]]
    drawn = [chance.choice(ours) for _ in range(chance.randint(0, 2))]
    drawn += [chance.choice(possible) for _ in range(chance.randint(0, 1))]
    return ", ".join(drawn_fault(chance, *one) for one in drawn)


def done_in_turns(tools):
    """Return how often each of what has effects was begun: by turn, name and arguments."""
    return Counter(
        (around.turn, tool.name, repr(sorted(arguments.items())))
        for tool in tools
        if tool.has_effects
        for arguments, around in zip(tool.calls, tool.circumstances, strict=True)
    )


@pytest.mark.parametrize("number", range(SESSIONS))
async def test_the_promises_hold_whatever_is_asked_for(autojump_clock, number):
    chance = random.Random(f"tools {number}")
    tools, store, client = drawn_tools(chance), RecordingStore(fails=False), drawn_client(chance)
    faults = Faults(parse(drawn_faults(chance)), seed=number)
    plain = scripted_engines(
        recognizer=ScriptedRecognizer(settles_early=chance.random() < 0.7),
        language_model=ScriptedLanguageModel(replies=drawn_replies(chance)),
        synthesizer=ScriptedSynthesizer(),
    )
    engines, faulty = inject(faults, plain, store)
    offered = inject_tools(faults, [tool.tool for tool in tools])
    before = trio.lowlevel.current_statistics().tasks_living
    with trio.fail_after(10 * LONGEST_S):
        async with conversation(engines=engines, store=faulty, tools=offered, read_s=client.read_s) as talk:
            said = listen_in(talk.session)
            if chance.random() < 0.3:
                await talk.ask(m.Configure(tools=(Tool("open_door", "Theirs.", {"type": "object"}),)))
            ended = await live(client, talk)
    check(talk, said, ended, plain, SimpleNamespace(records=store.records))
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert [tool.open_now for tool in tools] == [0, 0, 0, 0], "a call outlived its turn"
    assert [use for use, times in done_in_turns(tools).items() if times > 1] == [], "it was done twice"
    remembered = {(record.turn, one.name, one.arguments) for record in store.records for one in record.calls}
    for event in talk.heard:
        if isinstance(event, m.ToolCalled):
            assert max(map(len, (event.name, event.arguments, event.result or ""))) <= MAX_CALL_CHARS
    for tool in tools:
        for around in tool.circumstances if tool.has_effects else ():
            kept = any(record.turn == around.turn for record in store.records)
            assert not kept or (around.turn, tool.name) in {use[:2] for use in remembered}, "what was done is forgotten"


def test_the_draw_has_calls_of_every_kind():
    replies = [drawn_replies(random.Random(f"{number}")) for number in range(50)]
    calls = {step.name for drawn in replies for one in drawn for step in one.tokens if isinstance(step, ToolCall)}
    assert {"set", "add", "look", "find", "open_door", "unknown"} <= calls
    struck = {(one.stage, one.kind) for number in range(200) for one in parse(drawn_faults(random.Random(number)))}
    assert {(Stage.TOOL, kind) for kind in KINDS[Stage.TOOL]} < struck
