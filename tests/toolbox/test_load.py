"""Which tools a server has, and what is said of those that it cannot have."""

import sys
from itertools import count

import pytest
import trio
from click.testing import CliRunner

from tests.server.documented import snippets
from voice_trio import config
from voice_trio.cli import doctor
from voice_trio.config import ConfigError
from voice_trio.core import messages as m
from voice_trio.engines.base import ToolCall
from voice_trio.skills.table import SKILLS
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines
from voice_trio.toolbox import load
from voice_trio.toolbox.load import Joined, load_tools

NUMBERS = count()
"""A module of one name is imported once."""

HELLO = '''
from voice_trio.toolbox.function import tool

@tool
def {name}() -> str:
    """Say hello."""
    return "hello"
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Give what puts a module into the working directory, and returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(code):
        name = f"own_tools_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(code)
        return name

    return write


def names(**settings):
    return [tool.tool.name for tool in load_tools(config.load(skills="off", **settings)).tools()]


def test_there_are_none_where_none_are_named():
    assert names() == []


def test_a_module_brings_the_functions_that_are_marked_in_it(module):
    one = module(HELLO.format(name="hello"))
    other = module(f"from {one} import hello\n" + HELLO.format(name="bye") + "\ndef helper(): pass\n")
    assert names(tools=one) == ["hello"]
    # What it only imports is not its own.
    assert names(tools=other) == ["bye"]
    assert names(tools=f" {one} , {other},") == ["hello", "bye"]


def test_a_module_may_list_them(module):
    code = HELLO.format(name="hello") + HELLO.format(name="bye")
    spelled = """
from voice_trio.core.tools import Tool
from voice_trio.toolbox.base import ServerTool
async def use(arguments, circumstances):
    return "so"
TOOLS = [bye, ServerTool(tool=Tool("raw", "Raw.", {"type": "object"}), use=use, has_effects=False)]
"""
    assert names(tools=module(code + spelled)) == ["bye", "raw"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise OSError(2, 'gone\\nnow')", r"cannot be loaded: FileNotFoundError: \[Errno 2\] gone now."),
        ("def broken(:", "cannot be loaded: SyntaxError: invalid syntax"),
        ("import no_such_package", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_package'."),
        ("raise SystemExit", "cannot be loaded: SystemExit: it says nothing else."),
        ("import sys; sys.exit('no key')", "cannot be loaded: SystemExit: no key."),
        ("def hello(): pass", "has no tools: put them into a list TOOLS, or mark functions with @tool."),
        ("TOOLS = []", "has no tools"),
        ("TOOLS = [print]", "brings builtin_function_or_method '<built-in function print>', which is no tool."),
        (HELLO.format(name="größe"), "cannot be loaded: NoTool: 'größe' is no name for a tool"),
        (HELLO.format(name="a") + "TOOLS = [a, a]", "both bring a tool 'a': rename one of them."),
        (
            "from voice_trio.core.tools import Tool\nfrom voice_trio.toolbox.base import ServerTool\n"
            "TOOLS = [ServerTool(tool=Tool('a b', '', {}), use=print, has_effects=False)]",
            "brings a tool 'a b': use up to 64 letters, digits, _ and -.",
        ),
        (
            "from voice_trio.core.tools import Tool\nfrom voice_trio.toolbox.base import ServerTool\n"
            "TOOLS = [ServerTool(tool=Tool('a', '', {'x': {1}}), use=print, has_effects=False)]",
            "whose parameters are no JSON",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(module, code, why):
    name = module(code)
    with pytest.raises(ConfigError, match=why) as caught:
        names(tools=name)
    assert str(caught.value).startswith(f"STREAM_TOOLS: {name} ")
    assert "\n" not in str(caught.value)


def test_what_is_nowhere_is_said():
    with pytest.raises(ConfigError, match="STREAM_TOOLS: no_such_tools cannot be loaded: ModuleNotFoundError"):
        names(tools="no_such_tools")


def test_two_of_one_name_name_both(module):
    one, other = (module(HELLO.format(name="hello")) for _ in range(2))
    with pytest.raises(ConfigError, match=f"STREAM_TOOLS: {other} and STREAM_TOOLS: {one} both bring a tool 'hello'"):
        names(tools=f"{one},{other}")


def test_a_package_brings_some_by_an_entry_point(module, tmp_path, monkeypatch):
    name = module(HELLO.format(name="hello") + HELLO.format(name="bye") + "GIVEN = [bye]")
    info = tmp_path / "greetings-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{load.GROUP}]\nall = {name}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert names() == ["hello", "bye"]
    (info / "entry_points.txt").write_text(f"[{load.GROUP}]\nsome = {name}:GIVEN\n")
    assert names() == ["bye"]
    (info / "entry_points.txt").write_text(f"[{load.GROUP}]\nwrong = {name}:NONE\n")
    with pytest.raises(ConfigError, match="greetings: wrong cannot be loaded: AttributeError"):
        names()


@pytest.mark.parametrize("wanted", ["auto", "on"])
def test_ours_are_there_unless_they_are_turned_off(wanted):
    loaded = load_tools(config.load(skills=wanted)).loaded
    assert {one.by for one in loaded} == {"voice_trio itself"}
    assert [one.tool.tool.name for one in loaded] == [skill.name for skill in SKILLS]
    assert load_tools(config.load(skills="off")).loaded == []


def test_doctor_lists_them(module, monkeypatch):
    monkeypatch.setattr(doctor, "_CHECKS", {"tools": doctor._CHECKS["tools"]})
    one, other = (
        module(HELLO.format(name="hello")),
        module(HELLO.format(name="b").replace("@tool", "@tool(confirm=True)")),
    )
    monkeypatch.setenv("STREAM_SKILLS", "off")
    monkeypatch.setenv("STREAM_TOOLS", f"{one},{other}")
    lines = CliRunner().invoke(doctor.doctor).output.splitlines()
    assert lines[0] == f"ok   tools       hello (STREAM_TOOLS: {one})"
    assert lines[1].strip() == f"b (after a yes) (STREAM_TOOLS: {other})"
    monkeypatch.setenv("STREAM_TOOLS", module("1 / 0"))
    broken = CliRunner().invoke(doctor.doctor)
    assert (broken.exit_code, broken.output[:3]) == (1, "BAD")


# --- docs/tools.md ----------------------------------------------------------------------------------------------------


async def answers(module, snippet, call):
    """Return what the tool in ``snippet`` of the document answers to ``call``, in a turn."""
    tools = load_tools(config.load(skills="off", tools=module(snippets("tools.md", "python")[snippet]))).tools()
    replies = [ScriptedReply(tokens=[call]), ScriptedReply(tokens=["So."])]
    model = ScriptedLanguageModel(replies=replies)
    with trio.fail_after(30):
        async with conversation(engines=scripted_engines(language_model=model), tools=tools, playout_lead_ms=100) as t:
            await t.ask(m.Text(text="hello", visible=True))
            await t.wait_for(m.Done)
    return model.prompts[1][-1].content


@pytest.mark.real
async def test_the_five_lines_are_a_tool(module):
    text = await answers(module, 0, ToolCall("a", "train_times", '{"station": "Ghent"}'))
    assert text == "From Ghent, trains leave at ten past and at half past each hour."


async def test_the_longer_one_is_one_too(autojump_clock, module):
    hall = await answers(module, 1, ToolCall("a", "switch_lamp", '{"room": "hall", "to": "on"}'))
    assert hall.startswith('{"room": "hall", "lamp": "on", "at": "19')
    bath = await answers(module, 1, ToolCall("a", "switch_lamp", '{"room": "bath", "to": "on"}'))
    assert bath == "There is no lamp in the bath; there is one in the kitchen and in the hall."
    wrong = await answers(module, 1, ToolCall("a", "switch_lamp", '{"room": "hall", "to": "blue"}'))
    assert wrong == "to: Input should be 'on' or 'off'"


def test_tools_of_several_are_joined_and_the_first_of_a_name_counts(module):
    first = load_tools(config.load(skills="off", tools=module(HELLO.format(name="one") + HELLO.format(name="two"))))
    other = load_tools(config.load(skills="off", tools=module(HELLO.format(name="two") + HELLO.format(name="three"))))
    joined = Joined(first, other).tools()
    assert [tool.tool.name for tool in joined] == ["one", "two", "three"]
    assert joined[1] is first.tools()[1]
