"""What time it is, here and elsewhere, now, later, and when it is some other time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import trio

from voice_trio.core.grammar import times
from voice_trio.core.grammar.sentences import Sentence
from voice_trio.core.grammar.tokens import tokens
from voice_trio.skills import arguments as given, spoken
from voice_trio.skills.places import called, where, zone_of
from voice_trio.skills.skill import Means, Skill
from voice_trio.toolbox.base import Circumstances, ToolError


async def _tell(arguments: Mapping[str, Any], circumstances: Circumstances, means: Means) -> str:
    place = given.text(arguments, "place")
    from_place = given.text(arguments, "from")
    at, after = given.text(arguments, "at"), given.text(arguments, "after")
    here = circumstances.now
    await trio.lowlevel.checkpoint()
    there, start = _zone(place, here), _zone(from_place, here)
    if from_place and not at:
        return _difference(here, start, from_place, there, place)
    moment = _at(at, here, start) if at else here
    try:
        # Not by the clock on the wall, which may be put forward or back meanwhile.
        moment = (moment.astimezone(UTC) + _length(after)).astimezone(moment.tzinfo)
        local = moment.astimezone(there)
    except OverflowError as error:
        raise ToolError("That is farther away than any calendar goes.") from error
    told = spoken.clock(local)
    if local.date() != moment.date() or (after and local.date() != here.date()):
        told += f" on {local:%A}"
    if place:
        told += f" {where(place)}"
    if at:
        start_place = where(from_place) if from_place else "here"
        return f"When it is {spoken.clock(moment)} {start_place}, it is {told}."
    return f"It will be {told}." if after else f"It is {told}."


def _zone(place: str, here: datetime) -> tzinfo:
    """Return the zone of ``place``; the person's own where that is empty."""
    return zone_of(place) if place else here.tzinfo or UTC


def _at(at: str, here: datetime, zone: tzinfo) -> datetime:
    """Return the moment at which it is ``at`` today in ``zone``; where the clock skips that, what it shows then."""
    heard = tokens(at)
    time = next((time for end, time in times.clock(heard, 0) if end == len(heard)), None)
    if time is None:
        raise ToolError("I did not make out that time.")
    moment = here.astimezone(zone).replace(hour=time.hour, minute=time.minute, second=0, microsecond=0)
    return moment.astimezone(UTC).astimezone(zone)


def _length(after: str) -> timedelta:
    if not after:
        return timedelta(0)
    heard = tokens(after)
    found = next((length for end, length in times.duration(heard, 0) if end == len(heard)), None)
    if found is None:
        raise ToolError("I did not make out how much later.")
    return found


def _difference(here: datetime, one: tzinfo, called_one: str, other: tzinfo, called_other: str) -> str:
    """Return how much later the clocks of ``one`` are than those of ``other``, which may be the person's own."""
    now = here.astimezone(UTC)
    ahead = (now.astimezone(one).utcoffset() or timedelta(0)) - (now.astimezone(other).utcoffset() or timedelta(0))
    than = called(called_other) if called_other else "you"
    if not ahead:
        return f"{called(called_one)} has the same time as {than}."
    hours = spoken.figure(abs(ahead).total_seconds() / 3600)
    direction = "ahead of" if ahead > timedelta(0) else "behind"
    return f"{called(called_one)} is {hours} hour{'' if hours == '1' else 's'} {direction} {than}."


SKILL = Skill(
    name="get_time",
    description="Tells what time it is, anywhere, now or later, and compares the times of two places.",
    does=_tell,
    properties={
        "place": {"type": "string", "description": "City or country, such as Tokyo; where the person is if left out"},
        "after": {"type": "string", "description": "How much later than now, such as 90 minutes"},
        "at": {"type": "string", "description": "Instead of now: a time of day, such as 14:30, at the place from"},
        "from": {"type": "string", "description": "City or country of `at`; without `at`, to compare with place"},
    },
    example="what time is it in Tokyo?",
    sentences=(
        Sentence("what time (is it|it is|do we have|have we got|do you have) [right now|now|there]"),
        Sentence("[tell me|give me] [what is|say] the [current|exact|local|right] time [is|it is]"),
        Sentence("(have you got|do you have|you got|got) the time [on you]"),
        Sentence("(how late|what hour) (is it|it is)"),
        Sentence("what is the hour"),
        Sentence(
            "(what|which) [local|current] time (is it|it is) [right now|now|currently] [over|over "
            "there] (in|at|on) {place}"
        ),
        Sentence(
            "[give me|what is] the [current|exact|local|right] time [is|it is|right now|now] "
            "[over|over there] (in|at|on) {place}"
        ),
        Sentence("[current|local] time [right now|now] in {place}"),
        Sentence("(how late|what hour) (is it|it is) in {place}"),
        Sentence("what time (will it be|is it) in {after:duration} [in {place}]"),
        Sentence("what time (will it be|is it) {after:duration} from now [in {place}]"),
        Sentence("in {after:duration} what time will it be [in {place}]"),
        Sentence("what will the time be in {after:duration} [in {place}]"),
        Sentence("(when|if) it is {at:clock} [here|in {from:place}] what time (is it|it is|will it be) in {place}"),
        Sentence("what time (is it|it is|will it be) in {place} (when|if) it is {at:clock} [here|in {from:place}]"),
        Sentence("(what|when) is {at:clock} [in] {from:place} [time] in {place} [time]"),
        Sentence("[what is] [the] time difference (between|from) {from:place} (and|to) {place}"),
        Sentence("[what is] [the] time difference (to|with|from) {from:place}"),
        Sentence(
            "how many hours [ahead|behind|of difference] (is|are) [there] [between] {from:place} (and|from) {place}"
        ),
    ),
)
