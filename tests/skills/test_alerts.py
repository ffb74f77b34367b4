"""Timers, alarms and reminders, as people set, ask for and cancel them."""

from datetime import datetime, timedelta

import pytest

from tests.skills.using import BERLIN, Using, at
from voice_trio.core.alerts import Alert
from voice_trio.skills import alert_words
from voice_trio.skills.alerts_kept import InProcessAlerts
from voice_trio.skills.occurrences import at_wall, next_after
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.toolbox.base import ToolError

NOW = at(2026, 11, 26, 15, 45, 10)
"""A Thursday."""


class Setting(Using):
    """Skills with alerts at hand."""

    def __init__(self, now=NOW):
        super().__init__(now=now)
        self.alerts = InProcessAlerts()
        self.tools = {one.tool.name: one for one in Skills(Means(alerts=self.alerts)).tools()}

    async def due(self):
        return [datetime.fromtimestamp(one.due_at, BERLIN) for one in await self.alerts.of("c")]


async def test_a_timer_is_set_asked_for_and_cancelled():
    using = Setting()
    assert await using("set_timer", duration="ten seconds") == "I set a timer for ten seconds."
    assert await using("set_timer", duration="8 minutes", name="the pasta") == "I set a pasta timer for eight minutes."
    assert using.control.changed_alerts == 2
    assert await using.due() == [NOW + timedelta(seconds=10), NOW + timedelta(minutes=8)]
    using.now += timedelta(seconds=5)
    assert await using("check_timers", kind="timer") == (
        "Your ten-second timer has five seconds left. Your pasta timer has seven minutes and 55 seconds left."
    )
    assert await using("check_timers", name="pasta") == "Your pasta timer has seven minutes and 55 seconds left."
    with pytest.raises(ToolError, match=r"^Which one\? There are your ten-second timer and your pasta timer\.$"):
        await using("cancel_timer", kind="timer")
    assert await using("cancel_timer", kind="timer", name="pasto") == "I cancelled your pasta timer."
    assert await using("cancel_timer", kind="timer") == "I cancelled your ten-second timer."
    with pytest.raises(ToolError, match="no timer to cancel"):
        await using("cancel_timer", kind="timer")
    assert await using("check_timers") == "There is no timer, alarm or reminder."


@pytest.mark.parametrize(
    ("arguments", "due", "said"),
    [
        ({"at": "7"}, (2026, 11, 26, 19, 0), "7:00 PM today"),
        ({"at": "07:00"}, (2026, 11, 27, 7, 0), "7:00 AM tomorrow"),
        ({"at": "3"}, (2026, 11, 27, 3, 0), "3:00 AM tomorrow"),
        ({"at": "half past six", "day": "tomorrow"}, (2026, 11, 27, 6, 30), "6:30 AM tomorrow"),
        ({"at": "6 30", "day": "tomorrow evening"}, (2026, 11, 27, 18, 30), "6:30 PM tomorrow"),
        ({"at": "8 oh 5", "day": "saturday"}, (2026, 11, 28, 8, 5), "8:05 AM on Saturday"),
        ({"at": "19:00", "day": "2026-12-24"}, (2026, 12, 24, 19, 0), "7:00 PM on Thursday, December 24"),
        ({"at": "12"}, (2026, 11, 27, 0, 0), "midnight tomorrow"),
        ({"at": "noon"}, (2026, 11, 27, 12, 0), "noon tomorrow"),
        ({"at": "07:00", "every": "weekday"}, (2026, 11, 27, 7, 0), "7:00 AM on weekdays"),
        ({"at": "16:00", "every": "day"}, (2026, 11, 26, 16, 0), "4:00 PM every day"),
        ({"at": "9", "every": "monday and friday"}, (2026, 11, 27, 9, 0), "9:00 AM every Monday and Friday"),
        ({"at": "9", "every": "weekend"}, (2026, 11, 28, 9, 0), "9:00 AM on weekends"),
        ({"after": "20 minutes"}, (2026, 11, 26, 16, 5, 10), "4:05 PM today"),
    ],
)
async def test_an_alarm_is_the_next_time_that_can_be_meant(arguments, due, said):
    using = Setting()
    assert await using("set_alarm", **arguments) == f"I set an alarm for {said}."
    assert await using.due() == [at(*due)]


@pytest.mark.parametrize(
    ("arguments", "due", "said"),
    [
        ({"at": "5"}, (2026, 11, 26, 17, 0), "at 5:00 PM today"),
        ({"at": "5", "day": "tomorrow"}, (2026, 11, 27, 17, 0), "at 5:00 PM tomorrow"),
        ({"at": "8", "day": "tomorrow"}, (2026, 11, 27, 8, 0), "at 8:00 AM tomorrow"),
        ({"day": "tomorrow"}, (2026, 11, 27, 9, 0), "at 9:00 AM tomorrow"),
        ({"after": "twenty minutes"}, (2026, 11, 26, 16, 5, 10), "in 20 minutes"),
    ],
)
async def test_a_reminder_is_set_as_people_mean_it(arguments, due, said):
    using = Setting()
    assert (
        await using("set_reminder", what="call my mum.", **arguments) == f"I will remind you to call your mum {said}."
    )
    assert await using.due() == [at(*due)]


async def test_reminders_and_alarms_are_told_and_cancelled_by_what_they_are_called():
    using = Setting()
    await using("set_reminder", what="call my mum", at="17:00")
    await using("set_alarm", at="07:00")
    await using("set_alarm", at="08:00")
    assert await using("check_timers") == (
        "Your reminder to call your mum is for 5:00 PM today. You have an alarm at 7:00 AM tomorrow. "
        "You have an alarm at 8:00 AM tomorrow."
    )
    assert await using("cancel_timer", kind="alarm", name="7 o'clock") == "I cancelled your alarm for 7:00 AM."
    assert await using("cancel_timer", kind="reminder", name="call my mum") == (
        "I cancelled your reminder to call your mum."
    )
    assert await using("cancel_timer", all=True) == "I cancelled your alarm for 8:00 AM."


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("set_timer", {"duration": "soon"}, "did not make out how long"),
        ("set_timer", {"duration": "0 seconds"}, "at least one second"),
        ("set_timer", {"duration": "20 years"}, "did not make out"),
        ("set_timer", {}, "did not make out"),
        ("set_alarm", {}, "Please say when"),
        ("set_alarm", {"at": "25:00"}, "did not make out that time"),
        ("set_alarm", {"at": "07:00", "day": "yesterday"}, "over already"),
        ("set_alarm", {"at": "07:00", "day": "someday"}, "which day"),
        ("set_alarm", {"at": "07:00", "day": "february 30"}, "no such day|which day"),
        ("set_alarm", {"at": "07:00", "day": "9999-12-31"}, "farther away"),
        ("set_alarm", {"at": "07:00", "every": "moon"}, "on which days"),
        ("set_reminder", {"what": " ", "at": "5"}, "what to remind you of"),
        ("set_reminder", {"what": "call"}, "Please say when"),
        ("set_reminder", {"what": "x" * 201, "at": "5"}, "longer than 200"),
        ("cancel_timer", {"kind": "clock"}, "one of timer, alarm, reminder"),
        ("cancel_timer", {}, "There is no timer, alarm or reminder"),
    ],
)
async def test_what_cannot_be_set_is_told_in_a_sentence(name, arguments, why):
    using = Setting()
    with pytest.raises(ToolError, match=why):
        await using(name, **arguments)
    assert await using.due() == []


def alarm(due, wall="02:30", weekdays=(0, 1, 2, 3, 4, 5, 6)):
    return Alert(
        conversation="c",
        id="a",
        kind="alarm",
        due_at=due,
        set_at=0.0,
        zone="Europe/Berlin",
        wall=wall,
        weekdays=weekdays,
    )


def test_through_summer_time_the_wall_decides():
    # On the 29th of March 2026 there is no 2:30, on the 25th of October there are two.
    missing = at_wall(datetime(2026, 3, 29).date(), datetime(2026, 1, 1, 2, 30).time(), "Europe/Berlin")
    assert datetime.fromtimestamp(missing, BERLIN) == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)
    first = at_wall(datetime(2026, 10, 25).date(), datetime(2026, 1, 1, 2, 30).time(), "Europe/Berlin")
    assert datetime.fromtimestamp(first, BERLIN).utcoffset() == timedelta(hours=2)
    # It does not ring twice in that night.
    assert next_after(alarm(first), first) - first == timedelta(hours=25).total_seconds()


def test_what_is_due_once_is_not_due_again():
    assert next_after(alarm(5.0, weekdays=()), 5.0) is None


@pytest.mark.parametrize(
    ("seconds", "said", "exact"),
    [
        (1, "one second", "one second"),
        (90, "one minute and 30 seconds", "one minute and 30 seconds"),
        (5400, "one hour and 30 minutes", "one hour and 30 minutes"),
        (3725, "one hour and two minutes", "one hour, two minutes and five seconds"),
        (3599.6, "one hour", "one hour"),
        (90_061, "one day and one hour", "one day, one hour, one minute and one second"),
        (0.2, "one second", "one second"),
    ],
)
def test_lengths_are_told_as_people_tell_them(seconds, said, exact):
    assert alert_words.left(seconds) == said
    assert alert_words.length(seconds) == exact


def test_what_was_missed_is_told_before_what_is_due_now():
    def of(kind, key, due, **more):
        return Alert(
            conversation="c", id=key, kind=kind, due_at=due.timestamp(), set_at=0.0, zone="Europe/Berlin", **more
        )

    earlier = at(2026, 11, 26, 12, 30)
    alerts = [
        of("timer", "1", earlier, label="pasta"),
        of("alarm", "2", earlier, wall="12:30"),
        of("reminder", "3", earlier, label="call my mum"),
        of("reminder", "4", NOW, label="feed myself"),
    ]
    assert alert_words.told(alerts, NOW.timestamp()) == (
        "While you were away, your pasta timer was up at 12:30 PM; your alarm for 12:30 PM was due; "
        "I had a reminder for you at 12:30 PM: call your mum. Here is your reminder: feed yourself."
    )
