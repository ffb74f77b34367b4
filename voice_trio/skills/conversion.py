"""Amounts in other units of measure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import trio

from voice_trio.core.grammar import units
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills import arguments as given, spoken
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError


async def _convert(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    amount = given.number(arguments, "amount")
    amount = 1 if amount is None else amount
    unit, to = _unit(arguments, "unit"), _unit(arguments, "to")
    # The library of units is loaded when it is first needed: half a second of computing, for which nobody waits who
    # wants no answer any more.
    result = spoken.rounded(await trio.to_thread.run_sync(_converted, amount, unit, to, abandon_on_cancel=True))
    before = spoken.rounded(amount)
    verb = "is" if before == "1" else "are"
    return spoken.sentence(
        f"{before} {units.called(unit, one=before == '1')} {verb} {result} {units.called(to, one=result == '1')}."
    )


def _unit(arguments: Mapping[str, Any], name: str) -> str:
    said = given.text(arguments, name, most=60)
    unit = units.read(said)
    if unit is None:
        raise ToolError(f"I do not know the unit {said}." if said else f"The argument {name} has to be a unit.")
    return unit


def _converted(amount: float, unit: str, to: str) -> float:
    import pint

    try:
        return float(_library().Quantity(amount, _in_library(unit)).to(_in_library(to)).magnitude)
    except pint.DimensionalityError as error:
        raise ToolError(f"{spoken.sentence(units.called(unit))} cannot be converted to {units.called(to)}.") from error


@cache
def _library() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def _in_library(unit: str) -> str:
    """Return the name that the library has for one of our units: its parser is given nothing else."""
    return re.sub(r"\b(square|cubic)_(\w+)", lambda found: f"{found[2]}**{2 + (found[1] == 'cubic')}", unit)


SKILL = Skill(
    name="convert_units",
    description="Converts an amount to another unit of length, weight, volume, temperature, time, speed, area or data.",
    does=_convert,
    properties={
        "amount": {"type": "number", "description": "How many, 1 if left out"},
        "unit": {"type": "string", "description": "Of what, such as miles, degrees fahrenheit, km/h"},
        "to": {"type": "string", "description": "In which unit it is wanted"},
    },
    required=("unit", "to"),
    example="how many kilometers are five miles?",
    sentences=(
        Sentence("[convert|change|turn|translate] {amount} (to|into|in) {to:unit}"),
        Sentence("(what is|what are|how much is|how much are|how many is) {amount} (in|to|into|as) {to:unit}"),
        Sentence(
            "(how far|how long|how tall|how high|how hot|how cold|how warm|how heavy|how fast|how big) "
            "(is|are) {amount} in {to:unit}"
        ),
        Sentence("how (many|much) {to:unit} [are|is] [there] in {amount}"),
        Sentence(
            "how (many|much) {to:unit} (are|is|make|makes|equal"
            "|equals|do you get from|go into|fit into|does) {amount} [have|make]"
        ),
        Sentence("how many {to:unit} (are in|are there in|make|make up|in|go into) {unit}"),
        Sentence("{amount} (is|are|equals) how many {to:unit}"),
    ),
)
