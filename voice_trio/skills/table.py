"""All skills, as a grammar and as tools of the server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from voice_trio.core.grammar.grammar import Grammar
from voice_trio.skills import (
    alarms,
    arithmetic,
    chance,
    company,
    conversation,
    conversion,
    date,
    lists,
    reminders,
    time_of_day,
    timers,
    voice,
)
from voice_trio.skills.kinds import KINDS
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import ServerTool

SKILLS: Final[Sequence[Skill]] = (
    time_of_day.SKILL,
    date.SKILL,
    arithmetic.SKILL,
    conversion.SKILL,
    *timers.SKILLS,
    *alarms.SKILLS,
    *reminders.SKILLS,
    *lists.SKILLS,
    *chance.SKILLS,
    *conversation.SKILLS,
    *voice.SKILLS,
    *company.SKILLS,
)
"""In this order they are told to people; where two are meant by the same sentence, the first is."""


@cache
def grammar() -> Grammar:
    """Return the grammar of all sentences of all skills. Computes for some milliseconds, the first time."""
    return Grammar(((skill.name, sentence) for skill in SKILLS for sentence in skill.sentences), KINDS)


class Skills:
    """A toolbox of all skills."""

    def __init__(self, means: Means) -> None:
        self._tools = tuple(skill.with_means(means) for skill in SKILLS)

    def tools(self) -> Sequence[ServerTool]:
        """Return the skills as tools."""
        return self._tools
