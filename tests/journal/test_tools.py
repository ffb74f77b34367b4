"""Tools of the server in session logs: a replay uses none, and shows what has changed."""

import json
from typing import Any

import trio

from tests.journal.conversations import difference, record, recording, spelled
from voice_trio.core import messages as m
from voice_trio.engines.base import ToolCall
from voice_trio.journal import entries as e
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, ScriptedTool, scripted_engines
from voice_trio.toolbox.base import ToolError

NOON = ToolCall("a", "look_up", '{"what": "time"}')


class Slower(ScriptedTool):
    """Changes how replies are spoken, and forgets."""

    async def _use(self, arguments, circumstances):
        answer = await super()._use(arguments, circumstances)
        circumstances.control.speak_at(0.5)
        circumstances.control.forget_latest()
        return answer


def tools():
    return [
        ScriptedTool(answers=["It is noon.", "It is \ud800 one.", "x" * 10_000], use_s=2.5),
        ScriptedTool("fails", [ToolError("No."), ZeroDivisionError(), ExceptionGroup("", [ToolError("No.")])]),
        ScriptedTool("hangs", use_s=100.0),
        Slower("slower", has_effects=True, use_s=0.3),
    ]


REPLIES: list[list[Any]] = [
    ["Wait. ", NOON, ToolCall("b", "fails", "{}")],
    [NOON, ToolCall("c", "hangs", "{}"), ToolCall("d", "fails", '{"what": "again"}')],
    ["It is noon."],
    [ToolCall("e", "slower", "{}"), ToolCall("f", "unknown", "[]"), ToolCall("g", "fails", "{}")],
    ["Slowly, ", "then."],
    [NOON],
    ["Never heard."],
]


async def _conversation(notes, given=None):
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one) for one in REPLIES])
    engines = scripted_engines(language_model=model)
    async with recording(notes, engines=engines, tools=[one.tool for one in given or tools()]) as talk:
        for number in (1, 2):
            await talk.ask(m.Text(text="What time is it?"))
            await talk.wait_for(m.Done, turn=number)
        await talk.ask(m.Text(text="And now?"))
        await talk.wait_for(m.ToolCalled, turn=3)
        await trio.sleep(0.5)
        await talk.ask(m.Cancel())
        await talk.wait_for(m.Done, turn=3)


def test_it_is_lived_again_and_no_tool_is_used():
    given = tools()

    async def converse(notes):
        await _conversation(notes, given)

    notes = record(converse)
    used = [len(one.calls) for one in given]
    assert used == [3, 3, 1, 1]
    assert {note.of for note in notes if isinstance(note, e.Ask)} >= {"use"}
    assert {note.failure.by for note in notes if isinstance(note, e.Answer) and note.failure} == {"tool", "defect"}
    assert difference(spelled(notes)) is None
    assert [len(one.calls) for one in given] == used


def test_tools_that_come_and_go_meanwhile_are_there_as_they_were():
    async def converse(notes):
        replies: list[list[Any]] = [[NOON], ["No."], [NOON], ["Noon."], [NOON], ["Gone."]]
        model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=one) for one in replies])
        other, comes = ScriptedTool("other").tool, ScriptedTool().tool
        there = [other]
        async with recording(notes, engines=scripted_engines(language_model=model), tools=there) as talk:
            for number, there[:] in enumerate(([other], [other, comes], [other]), 1):
                await talk.ask(m.Text(text="What time is it?"))
                await talk.wait_for(m.Done, turn=number)

    notes = record(converse)
    assert [[tool.name for tool in note.tools] for note in notes if isinstance(note, e.Tools)] == [
        ["other", "look_up"],
        ["other"],
    ]
    assert difference(spelled(notes)) is None
    assert difference(spelled([note for note in notes if not isinstance(note, e.Tools)])) is not None


def test_another_answer_of_a_tool_is_found():
    lines = spelled(record(_conversation)).splitlines()
    changed = [line.replace(b"It is noon.", b"It is one.") if b'"kind":"answer"' in line else line for line in lines]
    at = next(at for at, line in enumerate(lines) if line != changed[at] and b'"finish"' not in line)
    found = difference(b"\n".join([*lines[:at], changed[at], *lines[at + 1 :]]) + b"\n")
    assert found is not None
    assert found.then.of == "write"


def test_of_a_turn_the_calls_are_in_what_is_committed():
    notes = record(_conversation)
    commits: list[Any] = [note.what for note in notes if isinstance(note, e.Ask) and note.of == "commit"]
    assert [len(commit.get("calls", ())) for commit in commits] == [5, 3, 0]
    json.dumps(commits)
