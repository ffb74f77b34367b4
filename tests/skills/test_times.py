"""What time and what day it is, at odd moments of the year."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.skills.using import Using, at
from voice_trio.skills.places import zone_of, zones
from voice_trio.toolbox.base import ToolError


@pytest.mark.parametrize(
    ("now", "arguments", "said"),
    [
        (at(2026, 11, 26, 15, 45), {}, "It is 3:45 PM."),
        (at(2026, 11, 26, 0, 5), {}, "It is 12:05 AM."),
        (at(2026, 11, 26, 12, 0), {}, "It is noon."),
        (at(2026, 11, 26, 0, 0), {}, "It is midnight."),
        (at(2026, 11, 26, 15, 45), {"place": "Tokyo"}, "It is 11:45 PM in Tokyo."),
        (at(2026, 11, 26, 16, 45), {"place": "tokyo"}, "It is 12:45 AM on Friday in Tokyo."),
        (at(2026, 11, 26, 5, 0), {"place": "Honolulu"}, "It is 6:00 PM on Wednesday in Honolulu."),
        (at(2026, 12, 31, 23, 30), {"place": "Kiritimati"}, "It is 12:30 PM on Friday in Kiritimati."),
        (at(2026, 11, 26, 15, 45), {"place": "Kathmandu"}, "It is 8:30 PM in Kathmandu."),
        (at(2026, 11, 26, 15, 45), {"place": "America/New_York"}, "It is 9:45 AM in America/New_York."),
        (at(2026, 11, 26, 15, 45), {"place": "Paris, France"}, "It is 3:45 PM in Paris, France."),
        (at(2026, 11, 26, 15, 45), {"place": "the west coast"}, "It is 6:45 AM on the West Coast."),
        # Summer begins in America before it does in Europe.
        (at(2026, 3, 20, 12, 0), {"place": "New York"}, "It is 7:00 AM in New York."),
        (at(2026, 4, 20, 12, 0), {"place": "New York"}, "It is 6:00 AM in New York."),
        # The night that has no 2:30, and the one that has two.
        (at(2026, 3, 29, 1, 30), {"after": "an hour"}, "It will be 3:30 AM."),
        (at(2026, 10, 25, 1, 30), {"after": "two hours"}, "It will be 2:30 AM."),
        (at(2026, 3, 28, 20, 0), {"after": "ten hours"}, "It will be 7:00 AM on Sunday."),
        (at(2026, 11, 26, 23, 50), {"after": "15 minutes"}, "It will be 12:05 AM on Friday."),
        (at(2026, 11, 26, 15, 45), {"after": "1.5 hours", "place": "Tokyo"}, "It will be 1:15 AM on Friday in Tokyo."),
        (
            at(2026, 11, 26, 15, 45),
            {"at": "15:00", "from": "London", "place": "Tokyo"},
            "When it is 3:00 PM in London, it is midnight on Friday in Tokyo.",
        ),
        (
            at(2026, 11, 26, 15, 45),
            {"at": "half past two", "place": "New York"},
            "When it is 2:30 AM here, it is 8:30 PM on Wednesday in New York.",
        ),
        # At 2:30 of that night clocks show 3:30.
        (
            at(2026, 3, 29, 12, 0),
            {"at": "02:30", "place": "London"},
            "When it is 3:30 AM here, it is 2:30 AM in London.",
        ),
        (at(2026, 11, 26, 15, 45), {"from": "London", "place": "Tokyo"}, "London is 9 hours behind Tokyo."),
        (at(2026, 7, 26, 15, 45), {"from": "Tokyo", "place": "London"}, "Tokyo is 8 hours ahead of London."),
        (at(2026, 11, 26, 15, 45), {"from": "Delhi"}, "Delhi is 4.5 hours ahead of you."),
        (at(2026, 11, 26, 15, 45), {"from": "Paris", "place": "Rome"}, "Paris has the same time as Rome."),
        (at(2026, 11, 26, 15, 45), {"from": "Athens"}, "Athens is 1 hour ahead of you."),
        (datetime(2026, 11, 26, 15, 45, tzinfo=UTC), {"place": "greenwich"}, "It is 3:45 PM in Greenwich."),
    ],
)
async def test_the_time(now, arguments, said, autojump_clock):
    assert await Using(now)("get_time", **arguments) == said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"place": "Atlantis"}, "I do not know in which time zone Atlantis lies."),
        ({"place": "the United States"}, "several time zones in the United States: name a city, such as New York"),
        ({"place": "../../etc/passwd"}, "I do not know in which time zone"),
        ({"place": "\0"}, "I do not know in which time zone"),
        ({"place": "a" * 10_000}, "longer than 200"),
        ({"place": 7}, "I do not know in which time zone 7 lies"),
        ({"place": ["Tokyo"]}, "place has to be a text"),
        ({"place": True}, "place has to be a text"),
        ({"at": "25:99", "place": "Tokyo"}, "did not make out that time"),
        ({"after": "soon"}, "did not make out how much later"),
        ({"after": "9" * 25 + " weeks"}, "did not make out how much later"),
    ],
)
async def test_times_that_cannot_be_told(arguments, why, autojump_clock):
    with pytest.raises(ToolError, match=why):
        await Using()("get_time", **arguments)


async def test_the_end_of_the_calendar_is_told(autojump_clock):
    with pytest.raises(ToolError, match="farther away than any calendar"):
        await Using(at(9999, 12, 31, 12, 0))("get_time", after="100 days")
    with pytest.raises(ToolError, match="farther away than any calendar"):
        await Using(datetime(9999, 12, 31, 23, 0, tzinfo=ZoneInfo("America/New_York")))("get_time", place="Tokyo")


def test_every_place_has_a_zone():
    for place in zones():
        assert zone_of(place).utcoffset(datetime(2026, 1, 1)) is not None
    assert len(zones()) > 600


@pytest.mark.parametrize(
    ("now", "arguments", "said"),
    [
        (at(2026, 11, 26, 15, 45), {}, "It is Thursday, November 26, 2026."),
        (at(2026, 11, 26, 23, 59), {"place": "Tokyo"}, "It is Friday, November 27, 2026 in Tokyo."),
        (at(2026, 11, 26, 15, 45), {"day": "tomorrow"}, "Tomorrow is Friday, November 27."),
        (at(2026, 12, 31, 15, 45), {"day": "tomorrow"}, "Tomorrow is Friday, January 1, 2027."),
        (at(2028, 2, 28, 12, 0), {"day": "tomorrow"}, "Tomorrow is Tuesday, February 29."),
        (at(2027, 2, 28, 12, 0), {"day": "tomorrow"}, "Tomorrow is Monday, March 1."),
        (at(2026, 11, 26, 15, 45), {"day": "yesterday"}, "Yesterday was Wednesday, November 25."),
        (at(2026, 11, 26, 15, 45), {"day": "next friday"}, "That is Friday, November 27."),
        (at(2026, 11, 26, 15, 45), {"day": "march 3rd"}, "That is Wednesday, March 3, 2027."),
        (at(2026, 11, 26, 15, 45), {"day": "2020-02-29"}, "That was Saturday, February 29, 2020."),
        (at(2026, 11, 26, 15, 45), {"day": "christmas", "tell": "days"}, "It is 29 days until Friday, December 25."),
        (at(2026, 12, 24, 23, 59), {"day": "christmas", "tell": "days"}, "That is tomorrow, Friday, December 25."),
        (at(2026, 12, 25, 0, 0), {"day": "christmas", "tell": "days"}, "That is today."),
        (
            at(2026, 12, 26, 0, 0),
            {"day": "christmas", "tell": "days"},
            "It is 364 days until Saturday, December 25, 2027.",
        ),
        (
            at(2026, 11, 26, 15, 45),
            {"day": "three days ago", "tell": "days"},
            "Monday, November 23 was 3 days ago.",
        ),
        # Clocks were changed between the two: it is days that are counted, and not hours.
        (at(2026, 3, 28, 12, 0), {"day": "in two days", "tell": "days"}, "It is 2 days until Monday, March 30."),
        (at(2026, 11, 26, 15, 45), {"tell": "month"}, "It is November."),
        (at(2026, 11, 26, 15, 45), {"tell": "year"}, "It is 2026."),
        (at(2027, 1, 1, 15, 45), {"tell": "week"}, "It is week 53 of 2026."),
    ],
)
async def test_the_date(now, arguments, said, autojump_clock):
    assert await Using(now)("get_date", **arguments) == said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"day": "someday"}, "did not make out which day"),
        ({"day": "february 30th"}, "no such day"),
        ({"day": "in 36600 days"}, None),
        ({"tell": "fortune"}, "tell has to be one of date, days, month, year, week"),
        ({"day": {"on": "monday"}}, "day has to be a text"),
    ],
)
async def test_days_that_cannot_be_told(arguments, why, autojump_clock):
    if why is None:
        assert (await Using()("get_date", **arguments)).startswith("That is ")
        return
    with pytest.raises(ToolError, match=why):
        await Using()("get_date", **arguments)
