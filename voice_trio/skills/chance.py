"""Coins, dice and numbers by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills import arguments as given, spoken
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_MOST_DICE = 10
_FARTHEST = 10**12


async def _flip(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    coins = given.whole(arguments, "coins", 1, least=1, most=_MOST_DICE)
    sides = [("Heads", "Tails")[means.below(2)] for _ in range(coins)]
    if coins == 1:
        return f"{sides[0]}."
    return f"{spoken.sentence(spoken.listed(sides).lower())}."


async def _roll(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    dice = given.whole(arguments, "dice", 1, least=1, most=_MOST_DICE)
    sides = given.whole(arguments, "sides", 6, least=2, most=1000)
    rolled = [means.below(sides) + 1 for _ in range(dice)]
    if dice == 1:
        return f"It is {_with_article(rolled[0])}."
    return f"{spoken.sentence(spoken.listed([*map(str, rolled)]))}, which makes {sum(rolled)}."


def _with_article(number: int) -> str:
    return f"an {number}" if number in (8, 11, 18) or 80 <= number < 90 or 800 <= number < 900 else f"a {number}"


async def _pick(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    low = given.whole(arguments, "low", 1, least=-_FARTHEST, most=_FARTHEST)
    high = given.whole(arguments, "high", max(low, 100), least=-_FARTHEST, most=_FARTHEST)
    low, high = min(low, high), max(low, high)
    if low == high:
        raise ToolError(f"Between {spoken.figure(low)} and itself there is nothing to choose from.")
    return f"My number is {spoken.figure(low + means.below(high - low + 1))}."


FLIP = Skill(
    name="flip_coin",
    description="Flips a coin.",
    does=_flip,
    properties={
        "coins": {"type": "integer", "minimum": 1, "maximum": _MOST_DICE, "description": "How many, 1 usually"}
    },
    example="flip a coin.",
    sentences=(
        Sentence("(flip|toss|throw) [a|the|me a] coin [for me|again]"),
        Sentence("(flip|toss|throw) {coins:number} coins"),
        Sentence("heads or tails"),
        Sentence("(do|give me) a coin (flip|toss)"),
    ),
)
ROLL = Skill(
    name="roll_dice",
    description="Rolls dice.",
    does=_roll,
    properties={
        "dice": {"type": "integer", "minimum": 1, "maximum": _MOST_DICE, "description": "How many, 1 if left out"},
        "sides": {"type": "integer", "minimum": 2, "maximum": 1000, "description": "Of each, 6 if left out"},
    },
    example="roll two dice.",
    sentences=(
        Sentence("(roll|throw|cast) (a|the|some|me a) (die|dice) [again]"),
        Sentence("(roll|throw|cast) {dice:number} (dice|die)"),
        # As recognizers hear "two".
        Sentence("(roll|throw|cast) to dice", {"dice": 2}),
        Sentence("(roll|throw|cast) (a|an) {sides:number} sided (die|dice)"),
        Sentence("(roll|throw|cast) {dice:number} {sides:number} sided (dice|die)"),
        Sentence("(roll|throw|cast) (a|an) d {sides:number}"),
        Sentence("(roll|throw|cast) {dice:number} d {sides:number} [dice]"),
    ),
)
PICK = Skill(
    name="pick_number",
    description="Picks a whole number by chance.",
    does=_pick,
    properties={
        "low": {"type": "integer", "description": "The lowest that it may be, 1 if left out"},
        "high": {"type": "integer", "description": "The highest, 100 if left out"},
    },
    example="pick a number between one and ten.",
    sentences=(
        Sentence(
            "(pick|choose|think of|give me|say|tell me|generate|draw) (a|any|some) [random] number [for me|please]"
        ),
        Sentence(
            "(pick|choose|think of|give me|say|tell me|generate|draw) (a|any) [random] number "
            "(between|from) {low:number} (and|to) {high:number}"
        ),
        Sentence("[a] random number (between|from) {low:number} (and|to) {high:number}"),
        Sentence("[a] random number"),
        Sentence("(a|pick a|choose a) number (between|from) {low:number} (and|to) {high:number}"),
    ),
)
SKILLS = (FLIP, ROLL, PICK)
