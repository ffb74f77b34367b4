"""Which day it is, which one some day is, and how far it is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import trio

from voice_trio.core.grammar import days
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.skills import arguments as given, spoken
from voice_trio.skills.places import where, zone_of
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError

_NAMED = ("today", "tomorrow", "yesterday", "the day after tomorrow", "christmas", "halloween")
_TELLS = ("date", "days", "month", "year", "week")


async def _tell(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    place, said = given.text(arguments, "place"), given.text(arguments, "day", most=60)
    tell = given.one_of({"tell": "date", **arguments}, "tell", _TELLS)
    await trio.lowlevel.checkpoint()
    now = circumstances.now
    today = (now.astimezone(zone_of(place)) if place else now).date()
    found = _found(said, today)
    there = f" {where(place)}" if place else ""
    match tell:
        case "month":
            return f"It is {found:%B}{there}."
        case "year":
            return f"It is {found.year}{there}."
        case "week":
            return f"It is week {found.isocalendar().week} of {found.isocalendar().year}{there}."
        case "days":
            return _away((found - today).days, found, today)
    if not said:
        return f"It is {spoken.day(found, year=True)}{there}."
    verb = "is" if found >= today else "was"
    name = said.capitalize() if said in _NAMED else "That"
    return f"{name}{there} {verb} {spoken.day(found, year=found.year != today.year)}."


def _found(said: str, today: date) -> date:
    if not said:
        return today
    day = days.read(said)
    if day is None:
        raise ToolError("I did not make out which day you mean.")
    found = day.on(today)
    if found is None:
        raise ToolError("There is no such day in the calendar.")
    return found


def _away(days_away: int, found: date, today: date) -> str:
    told = spoken.day(found, year=found.year != today.year)
    match days_away:
        case 0:
            return "That is today."
        case 1 | -1:
            return f"That {'is tomorrow' if days_away > 0 else 'was yesterday'}, {told}."
    if days_away < 0:
        return f"{told} was {spoken.count(-days_away, 'day')} ago."
    return f"It is {spoken.count(days_away, 'day')} until {told}."


SKILL = Skill(
    name="get_date",
    description="Tells the date and weekday of today or any other day, and how many days it is until then.",
    does=_tell,
    properties={
        "day": {
            "type": "string",
            "description": "Which day, today if left out: tomorrow, next friday, in ten days, march 3rd, 2026-03-05",
        },
        "tell": {"type": "string", "enum": [*_TELLS], "description": "What of it; days: how far it is away"},
        "place": {"type": "string", "description": "City or country whose today it is"},
    },
    example="how many days is it until Christmas?",
    sentences=(
        Sentence("(what|which) (day|date) (is it|it is|is today|do we have|are we) [today|now]"),
        Sentence("what is (the date|todays date|today|the day|the date today|the date of today) [today|now]"),
        Sentence("[tell me|give me|say] (the date|todays date|the day today|what day today is)"),
        Sentence("(what|which) day of the (week|month) (is it|it is|is today) [today]"),
        Sentence("(what|which) (day|date) (is it|it is) [today|now] in {place}"),
        Sentence("what is the date [today|now] in {place}"),
        Sentence("(what|which) month (is it|it is|is this|are we in)", {"tell": "month"}),
        Sentence("(what|which) year (is it|it is|is this|are we in)", {"tell": "year"}),
        Sentence("(what|which) [calendar] week (is it|it is|is this|are we in)", {"tell": "week"}),
        Sentence(
            "(what|which) (day|date|weekday|day of the week) (is|was|will be|is it|will it be|was it|will) "
            "{day} [be|on|fall on]"
        ),
        Sentence("(what|which) (day|date) does {day} fall on"),
        Sentence("(what|which) day of the week (is|was|will be|does) {day} [fall on]"),
        Sentence("what (is|was|will be) the date [of|on] {day}"),
        Sentence("what is tomorrows date", {"day": "tomorrow"}),
        Sentence("what was yesterdays date", {"day": "yesterday"}),
        Sentence("when (is|was) {day}"),
        Sentence(
            "how many days [is it|are there|are left|left|do we have|to go|is there] (until|till|to|before) {day}",
            {"tell": "days"},
        ),
        Sentence("how (long|far) [is it|away is it|is there|left] (until|till|to) {day}", {"tell": "days"}),
        Sentence("how many days ago (was|is) {day}", {"tell": "days"}),
        Sentence("how many weeks [is it|are there|are left|left] (until|till|to|before) {day}", {"tell": "days"}),
        Sentence("(what|which) (day|day of the week) is {day} this year"),
        Sentence("how far away is {day}", {"tell": "days"}),
    ),
)
