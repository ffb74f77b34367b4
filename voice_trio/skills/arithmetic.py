"""Sums, as people say them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import trio

from voice_trio.core.grammar import sums
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.core.grammar.tokens import LONGEST_CHARS
from voice_trio.core.grammar.working_out import CannotWorkOut, work_out
from voice_trio.skills import arguments as given, spoken
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_REPEATED = re.compile(r"(?!add |subtract |multiply |divide )[\w ,.]{1,60}", re.IGNORECASE)
"""Such a sum is told with its result, so that who asked hears whether it was understood."""


async def _calculate(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    await trio.lowlevel.checkpoint()
    said = given.text(arguments, "expression", most=LONGEST_CHARS)
    found = sums.read(said)
    if found is None:
        raise ToolError("I did not make out that sum.")
    try:
        result = spoken.figure(work_out(found))
    except CannotWorkOut as error:
        raise ToolError(str(error)) from error
    if not _REPEATED.fullmatch(said):
        return f"That is {result}."
    return f"{spoken.sentence(said)} is {result}."


SKILL = Skill(
    name="calculate",
    description="Works out a sum exactly: plus, minus, times, divided by, powers, roots, percent, brackets.",
    does=_calculate,
    properties={
        "expression": {"type": "string", "description": "The sum in figures or words: 15% of 80, 2 * (3 + 4) ^ 2"}
    },
    required=("expression",),
    example="what is fifteen percent of eighty?",
    sentences=(
        Sentence(
            "[what is|what are|how much is|how much are|calculate|compute|work out|what does] "
            "{expression:sum} [equal|make|equals|come to|be]"
        ),
        Sentence("what {expression:sum} (is|makes|equals)"),
        Sentence("what do (you|I|we) get (if|when) (you|I|we) {expression:sum}"),
        Sentence("{expression:sum} (is|equals|makes) [what|how much]"),
        Sentence("(what is the result of|what do you get for|solve|evaluate|give me|do the math on) {expression:sum}"),
    ),
)
