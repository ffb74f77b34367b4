"""A Python function as a tool: what a language model is told of it, and how it is called."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
import trio
from pydantic import BaseModel, Field

from voice_trio.toolbox.base import Circumstances, ServerTool, ToolError
from voice_trio.toolbox.function import MADE_OF, NoTool, tool

AROUND = Circumstances(conversation="c", turn=1, now=datetime(2026, 1, 2), language="en", items=(), control=None)


def made_of(function) -> ServerTool:
    made: ServerTool = getattr(function, MADE_OF)
    return made


async def use(function, arguments):
    return await made_of(function).use(arguments, AROUND)


@tool
def weather(
    city: Annotated[str, Field(description="where", max_length=20)],
    days: int = 1,
    unit: Literal["C", "F"] | None = None,
) -> str:
    """Tell the weather.

    Use it for any city.
    """
    return f"{city} {days} {unit}"


def test_a_model_is_told_name_docstring_and_types():
    made = made_of(weather)
    assert (made.tool.name, made.tool.description) == ("weather", "Tell the weather.\n\nUse it for any city.")
    assert made.tool.parameters == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "city": {"type": "string", "description": "where", "maxLength": 20},
            "days": {"type": "integer", "default": 1},
            "unit": {"anyOf": [{"enum": ["C", "F"], "type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["city"],
    }
    assert (made.has_effects, made.confirm) == (True, False)


def test_it_stays_a_function():
    assert weather("Ghent") == "Ghent 1 None"


async def test_it_is_called_with_what_the_model_wrote():
    with trio.fail_after(10):
        assert await use(weather, {"city": "Ghent"}) == "Ghent 1 None"
        assert await use(weather, {"city": "Ghent", "days": "3", "unit": "F"}) == "Ghent 3 F"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "city: Field required"),
        ({"city": 5}, "city: Input should be a valid string"),
        ({"city": "Ghent", "days": "many"}, "days: Input should be a valid integer"),
        ({"city": "Ghent", "unit": "K"}, "unit: Input should be 'C' or 'F'"),
        ({"city": "x" * 21}, "city: String should have at most 20 characters"),
        ({"city": "Ghent", "country": "Belgium"}, "country: Extra inputs are not permitted"),
    ],
)
async def test_what_does_not_fit_is_an_answer(arguments, why):
    with pytest.raises(ToolError) as caught:
        await use(weather, arguments)
    assert str(caught.value).startswith(why)


class Place(BaseModel):
    name: str


@tool(has_effects=False, confirm=True)
async def visit(places: list[Place], *, about: Circumstances, when=None) -> dict[str, Any]:
    """Go there."""
    await trio.lowlevel.checkpoint()
    return {"turn": about.turn, "names": [place.name for place in places], "when": when, "now": about.now}


async def test_a_coroutine_is_given_its_circumstances_and_returns_json():
    made = made_of(visit)
    assert (made.has_effects, made.confirm) == (False, True)
    assert {*made.tool.parameters["properties"]} == {"places", "when"}
    answer = await use(visit, {"places": [{"name": "Ghent"}, {"name": "Bruges"}], "when": [1]})
    assert json.loads(answer) == {"turn": 1, "names": ["Ghent", "Bruges"], "when": [1], "now": "2026-01-02 00:00:00"}


@pytest.mark.real
async def test_a_thread_that_hangs_is_left_to_itself():
    release = trio.Event()
    token = trio.lowlevel.current_trio_token()

    @tool
    def hang() -> str:
        """Wait."""
        trio.from_thread.run(release.wait, trio_token=token)
        return "at last"

    with trio.fail_after(10):
        with trio.move_on_after(0.05) as limit:
            await use(hang, {})
        assert limit.cancelled_caught
        release.set()
        assert await use(hang, {}) == "at last"


def _nameless(city):
    """Has a parameter without a type."""


def test_a_parameter_without_a_type_may_be_anything():
    assert made_of(tool(_nameless)).tool.parameters["properties"] == {"city": {}}


def test_what_can_be_no_tool_says_why():
    def without():
        pass

    def positional(a, /):
        """Take a."""

    def any_number(*, a, **others):
        """Take all."""

    def unknown(a: "Unknown"):  # type: ignore[name-defined]  # noqa: F821
        """Take a."""

    def strange(a: trio.Event):
        """Take a."""

    cases: list[tuple[Any, str]] = [
        (without, "without has no docstring"),
        (positional, "positional takes a"),
        (any_number, r"any_number takes \*\*others"),
        (unknown, "unknown takes what no language model can fill in: name 'Unknown' is not defined"),
        (strange, "strange takes what no language model can fill in"),
        (lambda: None, "'<lambda>' is no name"),
    ]
    for function, why in cases:
        with pytest.raises(NoTool, match=why):
            tool(function)
